"""Remember when each upstream last gave anybody a good answer."""

import time
from collections.abc import Callable
from typing import Any, cast

import redis

from shared.state import keys
from shared.state.script import Script

_NOTE = Script("evidence_note.lua", repeatable=True)
THROTTLE_S = 1.0


class Evidence:
    """Tells a poison record, which fails while others succeed, from an outage, where nobody succeeds."""

    def __init__(
        self, client: redis.Redis, key: str = keys.EVIDENCE, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Share one HASH among all processes."""
        self._client, self._key, self._clock = client, key, clock
        self._noted: dict[str, float] = {}

    def note(self, upstream: str) -> None:
        """Record a good answer, at most once a second; losing one to a Redis error costs nothing."""
        now = self._clock()
        if now - self._noted.get(upstream, float("-inf")) < THROTTLE_S:
            return
        self._noted[upstream] = now
        try:
            _NOTE(self._client, [self._key], [upstream])
        except redis.RedisError:
            self._noted.pop(upstream, None)

    def last_ms(self, upstream: str) -> int | None:
        """Tell the Redis time of the last good answer."""
        value = cast(Any, self._client.hget(self._key, upstream))
        return None if value is None else int(value)

    def answered_since(self, upstream: str, previous_ms: int | None) -> bool:
        """Say whether a failed attempt counts: has anybody had an answer since the previous one?"""
        last = self.last_ms(upstream)
        return last is not None and (previous_ms is None or last > previous_ms)
