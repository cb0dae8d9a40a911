"""Make something on first use, exactly once."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def once(make: Callable[[], T]) -> Callable[[], T]:
    """Remember what was made; those who ask at the same time wait for it.

    functools.cache alone lets concurrent first calls in, each with a token cache and connections of its own.
    """
    lock, made = threading.Lock(), functools.cache(make)

    @functools.wraps(make)
    def give() -> T:
        with lock:
            return made()

    return give
