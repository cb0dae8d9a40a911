"""What a subscriber gets to work on, and what it may say about it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

STOPPING = threading.Event()  # set when this process has been told to end


class PostponeError(Exception):
    """Now is not the time (a lock is held): deliver again after a while, attempts unchanged."""

    def __init__(self, delay_s: float) -> None:
        super().__init__(f"postponed by {delay_s:.1f} s")
        self.delay_s = delay_s


class SetAsideError(Exception):
    """No repeat can help: make it a dead letter at once, with this slug as the reason."""

    def __init__(self, slug: str) -> None:
        super().__init__(slug)
        self.slug = slug


class LeaseLostError(Exception):
    """Somebody else may be at work on this item: stop before the next write."""


@dataclass(frozen=True)
class Task:
    """One claimed item with the data that its topic carries."""

    topic: str
    item: str
    ops: frozenset[str]
    data: Mapping[str, Any]
    attempts: int = 0
    fence: int = 0
    run_id: str = ""
    checkpoint: Callable[[], None] = lambda: None  # call it before every outside write; raises LeaseLostError
    confirm: Callable[[], None] = lambda: None  # the same, asking Redis itself: for a write that no repeat finds again
    stopping: threading.Event = field(default_factory=lambda: STOPPING)


@dataclass(frozen=True)
class Subscriber:
    """A handler for a topic, and its own limit of attempts where it has one; every failure counts towards that one."""

    handle: Callable[[Task], None]
    limit: int | None = None
    exhausted: Literal["dead", "drop"] = "dead"
