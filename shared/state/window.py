"""Let all processes together make at most so many calls in any minute."""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from collections.abc import Callable

import redis

from shared.state.script import Script

_TAKE = Script("window_take.lua", repeatable=True)  # a call that is known by its name is not counted twice
MINUTE_S = 60.0
PROCESSES = 4  # how many share the rate when Redis cannot be asked


class Window:
    """Calls of the last minute in Redis; without Redis each process keeps to its share."""

    def __init__(
        self, client: redis.Redis, key: str, most: int, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client, self._key, self._most, self._clock = client, key, most, clock
        self._own: deque[float] = deque()
        self._guard = threading.Lock()

    def take(self) -> float:
        """Count a call and return 0.0, or count none and return the seconds to wait."""
        try:
            name = secrets.token_hex(8)
            return int(_TAKE(self._client, [self._key], [name, self._most, int(MINUTE_S * 1000)])) / 1000
        except redis.RedisError:
            return self._take_own()

    def _take_own(self) -> float:
        with self._guard:
            now = self._clock()
            while self._own and self._own[0] <= now - MINUTE_S:
                self._own.popleft()
            if len(self._own) >= max(1, self._most // PROCESSES):
                return self._own[0] + MINUTE_S - now
            self._own.append(now)
            return 0.0
