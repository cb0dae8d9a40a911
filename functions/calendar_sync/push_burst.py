"""Let a storm of notifications become one run: the first opens a short window, the run waits for its end."""

from __future__ import annotations

from collections.abc import Callable

import redis

WINDOW_S = 2.0


class Bursts:
    """`calendar_sync:burst:{kuerzel}`, a STRING that lives as long as the window.

    The run that a notification starts waits until the window is over before it reads, so it sees the whole storm;
    what came after it was claimed makes one more. A run that is claimed later than that waits for nothing.
    """

    def __init__(self, client: redis.Redis, window_s: float = WINDOW_S) -> None:
        self._redis, self._window_s = client, window_s

    def open(self, kuerzel: str) -> None:
        """Open a window unless one is open."""
        self._redis.set(_key(kuerzel), "1", px=int(self._window_s * 1000), nx=True)

    def settle(self, kuerzel: str, wait: Callable[[float], object]) -> None:
        """Wait for the end of an open window."""
        rest_ms = self._redis.pttl(_key(kuerzel))
        if rest_ms > 0:
            wait(rest_ms / 1000)


def _key(kuerzel: str) -> str:
    return f"calendar_sync:burst:{kuerzel}"
