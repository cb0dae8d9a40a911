"""Let a storm of notifications become one run: each keeps a short window open, the run waits for its end."""

from __future__ import annotations

from collections.abc import Callable

import redis

QUIET_S, LONGEST_S = 2.0, 6.0  # what changed first is to be in Advoware within ten seconds, the run included


class Bursts:
    """Two STRINGs: `calendar_sync:burst:{kuerzel}` ends when it has been quiet for a while, `…:burst_limit:…` anyway.

    The run that a notification starts waits until one of them is over before it reads, so it sees the whole storm;
    what came after it was claimed makes one more. A run that is claimed later than that waits for nothing.
    """

    def __init__(self, client: redis.Redis, quiet_s: float = QUIET_S, longest_s: float = LONGEST_S) -> None:
        self._redis, self._quiet_s, self._longest_s = client, quiet_s, longest_s

    def open(self, kuerzel: str) -> None:
        """Open a window, or keep the one that is open for as long again, but not beyond its limit."""
        self._redis.set(_limit(kuerzel), "1", px=int(self._longest_s * 1000), nx=True)
        self._redis.set(_key(kuerzel), "1", px=int(self._quiet_s * 1000))

    def settle(self, kuerzel: str, wait: Callable[[float], object]) -> None:
        """Wait for the end of an open window; `wait` says True when there is no time for that."""
        while (rest_ms := min(self._redis.pttl(_key(kuerzel)), self._redis.pttl(_limit(kuerzel)))) > 0:
            if wait(rest_ms / 1000):
                return
        self._redis.delete(_limit(kuerzel))


def _key(kuerzel: str) -> str:
    return f"calendar_sync:burst:{kuerzel}"


def _limit(kuerzel: str) -> str:
    return f"calendar_sync:burst_limit:{kuerzel}"
