"""Let nobody try passwords without end: five in five minutes from one address, thirty from all, in all processes.

| key in DB 1 | type | lifetime | content |
|---|---|---|---|
| `ops:attempts:{hash}`, `ops:attempts:all` | STRING | 5 min | attempts; addresses as keyed hashes |
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from shared.web.problems import is_redis_error

if TYPE_CHECKING:
    import redis

KEY: Final = "ops:attempts:"
EVERYBODY: Final = "all"
WINDOW_S: Final = 300
LIMITS: Final = {"one": 5, EVERYBODY: 30}


@dataclass
class Attempts:
    """Counts before anything is compared, so that many at once gain nothing; without Redis this process counts."""

    client: Callable[[], redis.Redis]
    monotonic: Callable[[], float] = time.monotonic
    _own: dict[str, tuple[int, float]] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def take(self, who: str) -> int:
        """Count an attempt; gives 0, or the seconds to wait."""
        waits = [self._count(who, LIMITS["one"]), self._count(EVERYBODY, LIMITS[EVERYBODY])]
        return max(waits)

    def forgive(self, who: str) -> None:
        """Forget the attempts of somebody who knew the password."""
        with self._guard:
            self._own.pop(who, None)
        try:
            self.client().delete(KEY + who)
        except Exception as error:
            if not is_redis_error(error):
                raise

    def _count(self, who: str, limit: int) -> int:
        try:
            count, rest_s = self._shared(who)
        except Exception as error:
            if not is_redis_error(error):
                raise
            count, rest_s = self._alone(who)
        return max(1, rest_s) if count > limit else 0

    def _shared(self, who: str) -> tuple[int, int]:
        pipe = self.client().pipeline(transaction=True)
        pipe.set(KEY + who, 0, nx=True, ex=WINDOW_S)
        pipe.incr(KEY + who)
        pipe.ttl(KEY + who)
        _, count, rest_s = pipe.execute()
        return int(count), int(rest_s)

    def _alone(self, who: str) -> tuple[int, int]:
        with self._guard:
            now = self.monotonic()
            self._own = {name: each for name, each in self._own.items() if each[1] > now}
            count, ends = self._own.get(who, (0, now + WINDOW_S))
            self._own[who] = (count + 1, ends)
            return count + 1, int(ends - now) + 1
