"""Keep all processes together below an upstream's rate."""

import random as random_module
import threading
import time
from collections.abc import Callable

import redis

from shared.state import keys
from shared.state.script import Script

_TAKE = Script("bucket_take.lua", repeatable=False)  # a second send would take twice
_DRAIN = Script("bucket_drain.lua", repeatable=True)
JITTER_S = 0.01
TRY_REDIS_AGAIN_S = 1.0

Clock = Callable[[], float]


class RateLimited(Exception):  # noqa: N818 - a state, not a fault
    """There is no room before the deadline."""

    def __init__(self, retry_after_s: float) -> None:
        """Say how long it would take."""
        super().__init__(f"no room for {retry_after_s:.1f} s")
        self.retry_after_s = retry_after_s


class LocalBucket:
    """A bucket of this process alone."""

    def __init__(self, rate_s: float, capacity: float, clock: Clock) -> None:
        """Start full."""
        self._rate_s, self._capacity, self._clock = rate_s, capacity, clock
        self._tokens, self._ts = capacity, clock()
        self._guard = threading.Lock()

    def take(self, units: float) -> float:
        """Return 0.0 when granted, else the seconds to wait."""
        with self._guard:
            now = self._clock()
            self._tokens = min(self._capacity, self._tokens + max(0.0, now - self._ts) * self._rate_s)
            self._ts = now
            needed = min(units, self._capacity)  # more than it holds is paid off afterwards
            if self._tokens < needed:
                return max(0.001, (needed - self._tokens) / self._rate_s)  # rounding must not stop the clock
            self._tokens -= units
            return 0.0

    def drain(self) -> None:
        """Empty it."""
        with self._guard:
            self._tokens, self._ts = min(self._tokens, 0.0), self._clock()


class Bucket:
    """A token bucket in Redis; without Redis each process keeps to its share."""

    def __init__(  # noqa: PLR0913
        self,
        client: redis.Redis | None,
        *,
        key: str = keys.GOOGLE_BUCKET,
        rate_per_minute: float = 600,
        burst: int = 7,
        clock: Clock = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = random_module.random,
        processes_hint: int = 4,
    ) -> None:
        """Refill at such a pace that a minute, burst included, never exceeds the rate."""
        if rate_per_minute <= burst:
            raise ValueError("the rate per minute must exceed the burst")
        self._client, self._key, self._capacity = client, key, burst
        self._rate_s = (rate_per_minute - burst) / 60
        self._clock, self._sleep, self._random = clock, sleep, random
        self._local = LocalBucket(self._rate_s / processes_hint, max(1.0, burst / processes_hint), clock)
        self._down_until = float("-inf")

    def take(self, units: int = 1) -> float:
        """Take at once and return 0.0, or return the seconds to wait before asking again."""
        if not 0 < units <= self._capacity:
            raise ValueError(f"1 to {self._capacity} units at a time")
        if self._client is None or self._clock() < self._down_until:
            return self._local.take(units)
        try:
            return int(_TAKE(self._client, [self._key], [units, self._rate_s, self._capacity])) / 1000
        except redis.RedisError:
            self._down_until = self._clock() + TRY_REDIS_AGAIN_S
            return self._local.take(units)

    def acquire(self, units: int = 1, *, deadline: float | None = None) -> float:
        """Wait for room and return the seconds waited; RateLimited when there is none before `deadline`."""
        started = self._clock()
        while wait_s := self.take(units):
            if deadline is not None and self._clock() + wait_s > deadline:
                raise RateLimited(wait_s)
            self._sleep(wait_s + self._random() * JITTER_S)
        return self._clock() - started

    def drain(self) -> None:
        """Empty the bucket after the upstream has complained."""
        self._local.drain()
        if self._client is None:
            return
        try:
            _DRAIN(self._client, [self._key], [self._rate_s, self._capacity])
        except redis.RedisError:
            self._down_until = self._clock() + TRY_REDIS_AGAIN_S
