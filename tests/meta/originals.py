"""The predecessor's ways, in our own words, kept so that the suites can prove that they see what is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urljoin

import redis
import requests

DAY_S = 86_400


class OriginalDedup:
    """Read the set, add what is new, emit, and take the id out when the work is done; the set ends by itself."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def deliver(self, ids: list[str], op: str = "update") -> None:
        key = f"vmh:beteiligte:{op}_pending"
        existing = self._client.smembers(key)
        new = [each for each in ids if each not in existing]
        if new:
            self._client.sadd(key, *new)
            self._client.expire(key, DAY_S)
            self._client.rpush("events", *(json.dumps([op, each]) for each in new))

    def take(self) -> tuple[str, Any] | None:
        event = self._client.lpop("events")
        if event is None:
            return None
        op, item = json.loads(event)
        return item, op

    def done(self, item: str, op: Any) -> None:
        self._client.srem(f"vmh:beteiligte:{op}_pending", item)

    def time_passes(self) -> None:
        """Nobody looks after what dead workers had."""


class OriginalLock:
    """One lock: set it where it is not, with an end; delete it afterwards."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def acquire(self) -> str | None:
        return "1" if self._client.set("calendar_sync:lock:SB", "1", nx=True, ex=300) else None

    def may_write(self, _held: str) -> bool:
        return True

    def release(self, _held: str) -> str:
        self._client.delete("calendar_sync:lock:SB")
        return "released"

    def time_passes(self, _seconds: float) -> None:
        """It looks at no clock."""


class OriginalToken:
    """Get it, or fetch and set it; after a refusal delete it."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def get(self, fetch: Callable[[], Any]) -> str:
        token = self._client.get("advoware_access_token")
        if not token:
            token = fetch().value
            self._client.set("advoware_access_token", token, ex=3180)
            self._client.set("advoware_token_timestamp", "0")
        return str(token)

    def invalidate(self, _failed: str) -> None:
        self._client.delete("advoware_access_token")


def original_url(base: str, raw_endpoint: str) -> str:
    """Take the path as the framework has decoded it, join it to the base, and let the library send it."""
    path, mark, query = raw_endpoint.partition("?")
    joined = urljoin(base, unquote(path) + mark + query)
    return str(requests.Request("GET", joined).prepare().url)
