"""Put before a person which parties one item of a queue may mean, and remember what the person chose."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import redis


class Choices:
    """Numbers only, in the HASHes `{queue}:candidates` and `{queue}:chosen`; until the choice is carried out."""

    def __init__(self, client: redis.Redis, queue: str) -> None:
        self._client = client
        self._candidates, self._chosen = f"{queue}:candidates", f"{queue}:chosen"

    def offer(self, item: str, candidates: Iterable[int]) -> None:
        """Put candidates before a person."""
        self._client.hset(self._candidates, item, json.dumps(sorted(candidates)))

    def candidates(self, item: str) -> list[int]:
        """List the parties a person may choose from."""
        value = cast(Any, self._client.hget(self._candidates, item))
        return [int(each) for each in json.loads(value)] if value else []

    def choose(self, item: str, number: int) -> None:
        """Note which party a person has chosen; the item's next run links it."""
        self._client.hset(self._chosen, item, number)

    def chosen(self, item: str) -> int | None:
        """Tell which party a person has chosen."""
        value = cast(Any, self._client.hget(self._chosen, item))
        return int(value) if value else None

    def forget(self, item: str) -> None:
        """Forget what a person was asked and has said."""
        for name in (self._candidates, self._chosen):
            self._client.hdel(name, item)
