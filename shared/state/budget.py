"""Give one request only so much time for Redis, however often it asks: when that is used up, asking fails at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Budget:
    """What is left of the time of one request."""

    left_s: float

    def since(self, began: float) -> None:
        """Take off what has passed since a moment of the monotonic clock."""
        self.left_s -= time.monotonic() - began


_current: ContextVar[Budget | None] = ContextVar("redis_budget", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Let everything inside have so many seconds for Redis together; the last question may run half a second over."""
    token = _current.set(Budget(seconds))
    try:
        yield
    finally:
        _current.reset(token)


def budget() -> Budget | None:
    """Give the time of this request, if it has a limit."""
    return _current.get()
