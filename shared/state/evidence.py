"""Remember when each upstream last gave anybody a good answer, and when and why it last failed."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import redis

from shared.state import keys
from shared.state.script import Script

_NOTE = Script("evidence_note.lua", repeatable=True)
THROTTLE_S = 1.0


@dataclass(frozen=True)
class Heard:
    """What was last heard of one upstream, in ms of Redis; None means never."""

    good_ms: int | None = None
    failed_ms: int | None = None
    failure: str = ""


class Evidence:
    """Tells a poison record, which fails while others succeed, from an outage, where nobody succeeds."""

    def __init__(
        self, client: redis.Redis, key: str = keys.EVIDENCE, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Share one HASH of good answers and one of failures among all processes."""
        self._client, self._key, self._clock = client, key, clock
        self._noted: dict[str, float] = {}

    def note(self, upstream: str, failure: str = "") -> None:
        """Record an answer, of each kind at most one a second, also while Redis is away; losing one costs nothing."""
        now, kind = self._clock(), f"{upstream} {'failed' * bool(failure)}".strip()
        if now - self._noted.get(kind, float("-inf")) < THROTTLE_S:
            return
        self._noted[kind] = now
        with contextlib.suppress(redis.RedisError):
            _NOTE(self._client, [keys.FAILURES if failure else self._key], [upstream, failure])

    def last_ms(self, upstream: str) -> int | None:
        """Tell the Redis time of the last good answer."""
        value = cast(Any, self._client.hget(self._key, upstream))
        return None if value is None else int(value)

    def answered_since(self, upstream: str, previous_ms: int | None) -> bool:
        """Say whether a failed attempt counts: has anybody had an answer since the previous one?"""
        last = self.last_ms(upstream)
        return last is not None and (previous_ms is None or last > previous_ms)

    def heard(self) -> dict[str, Heard]:
        """Tell what was last heard of each upstream."""
        good, failed = (cast(dict[str, str], self._client.hgetall(key)) for key in (self._key, keys.FAILURES))
        return {name: _heard(good.get(name), failed.get(name)) for name in {*good, *failed}}


def _heard(good: str | None, failed: str | None) -> Heard:
    failure, _, moment = (failed or "").rpartition("|")
    return Heard(int(good) if good else None, int(moment) if moment else None, failure)
