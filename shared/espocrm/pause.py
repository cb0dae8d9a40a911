"""Let no process call EspoCRM for a minute once it has refused a login: eleven in a minute lock our address out."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final, cast

import redis

KEY: Final = "espocrm:paused"  # STRING, one minute, DB 1
PAUSE_S: Final = 60.0


class Pause:
    """One key for all processes, and a memory of its own for when Redis cannot be asked."""

    def __init__(
        self, client: redis.Redis, *, seconds: float = PAUSE_S, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._client, self._seconds, self._monotonic = client, seconds, monotonic
        self._own_end = 0.0

    def left_s(self) -> float:
        """Tell for how long nobody may call."""
        own = max(0.0, self._own_end - self._monotonic())
        try:
            return max(own, int(cast(Any, self._client.pttl(KEY))) / 1000)
        except redis.RedisError:
            return own

    def begin(self) -> None:
        """Start the pause for everybody."""
        self._own_end = self._monotonic() + self._seconds
        try:
            self._client.set(KEY, "1", px=int(self._seconds * 1000))
        except redis.RedisError:
            return
