"""What the console knows at one moment: plain values, without names, addresses or whole numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.state.work import QueueStats

STUCK_AFTER_S = 60


@dataclass(frozen=True)
class Hold:
    """Deletions of one direction that wait for a person; `released` ones wait for the next run only."""

    direction: str
    count: int
    hash: str
    released: bool = False


@dataclass(frozen=True)
class Employee:
    """The last run of one employee, and who is at work now."""

    kuerzel: str
    state: str
    started: datetime | None = None
    finished: datetime | None = None
    duration_s: float = 0.0
    figures: Mapping[str, int] = field(default_factory=dict)
    error: str = ""
    more: bool = False
    holds: Sequence[Hold] = ()
    lock_s: float = 0.0
    fence: int = 0
    holder: str = ""
    asked_again: bool = False

    @property
    def waiting(self) -> list[Hold]:
        """Give the holds that a person has not released yet."""
        return [hold for hold in self.holds if not hold.released]


@dataclass(frozen=True)
class Queue:
    """How full a queue is, and how many workers have read it lately; None where no worker reads streams."""

    name: str
    stats: QueueStats
    workers: int | None = None


@dataclass(frozen=True)
class Token:
    """An access token that all processes share: how long it lives, and who is at it."""

    name: str
    rest_s: float = 0.0
    refreshing: bool = False
    failed: bool = False
    cooldown_s: float = 0.0


@dataclass(frozen=True)
class Upstream:
    """What was last heard of an upstream, and whether it is set up here."""

    name: str
    used: bool = True
    missing: Sequence[str] = ()
    good: datetime | None = None
    failed: datetime | None = None
    failure: str = ""
    paused_s: float = 0.0
    token: Token | None = None

    @property
    def failing(self) -> bool:
        """Tell whether the last thing heard of it is a failure."""
        return self.failed is not None and (self.good is None or self.failed > self.good)


@dataclass(frozen=True)
class Bucket:
    """How many calls to Google may go out at once now."""

    left: float
    capacity: int
    per_minute: int


@dataclass(frozen=True)
class Store:
    """How Redis is: what of it may lose work, its size, its followers."""

    problems: Sequence[str] = ()
    managed: bool = False
    version: str = ""
    uptime_s: int = 0
    memory: str = ""
    followers: int = 0
    written: bool = True


@dataclass(frozen=True)
class Trace:
    """One lead or call by its id, with its time and what became of it."""

    id: str
    moment: datetime
    state: str
    more: str = ""
    in_crm: bool = False


@dataclass(frozen=True)
class Snapshot:
    """Everything at one moment."""

    now: datetime
    production: bool = False
    missing: Sequence[str] = ()
    employees: Sequence[Employee] = ()
    queues: Sequence[Queue] = ()
    letters: Sequence[Mapping[str, Any]] = ()
    letters_complete: bool = True
    upstreams: Sequence[Upstream] = ()
    bucket: Bucket | None = None
    store: Store = Store()
    leads: Sequence[Trace] = ()
    calls: Sequence[Trace] = ()
    calls_hidden: bool = False

    @property
    def held(self) -> list[Employee]:
        """Give whoever's deletions wait for a person."""
        return [each for each in self.employees if each.waiting]
