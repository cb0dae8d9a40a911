"""The values that go into a work queue and come out of it, and the four queues there are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal

from shared.state import keys


@dataclass(frozen=True)
class QueueSpec:
    """A queue: its name, the pending SET of each op, and which ops an op makes pointless."""

    name: str
    sets: Mapping[str, str]
    supersedes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


PARTIES: Final = QueueSpec(
    keys.BETEILIGTE,
    {"create": keys.BETEILIGTE_CREATE, "update": keys.BETEILIGTE_UPDATE, "delete": keys.BETEILIGTE_DELETE},
    {"delete": ("create", "update")},
)
EMPLOYEES: Final = QueueSpec(keys.CALENDAR_SYNC, {"sync": keys.CALENDAR_PENDING})
LEADS: Final = QueueSpec(keys.LEAD, {"intake": keys.LEAD_PENDING})
CALLS: Final = QueueSpec(keys.THREECX, {"journal": keys.CALL_PENDING})


@dataclass(frozen=True)
class Claim:
    """The right to work on one item until the lease ends."""

    item: str
    token: str
    ops: frozenset[str]
    fence: int
    attempts: int


class Refused(Enum):
    """Why an item cannot be claimed."""

    HELD = "held"  # somebody works on it; what came meanwhile is enqueued when they are done
    UNKNOWN = "unknown"  # nobody waits for it: a duplicate


@dataclass(frozen=True)
class Added:
    """Which ids are pending since now and which were before; `at_us` is Redis time, for `sent`."""

    new: list[str]
    pending: list[str]
    at_us: int = 0


@dataclass(frozen=True)
class Failed:
    """What became of a failed item."""

    kind: Literal["delayed", "dead", "dropped", "lost"]
    attempts: int


@dataclass(frozen=True)
class Message:
    """One delivery of an item by the stream."""

    stream_id: str
    item: str
    request_id: str = ""  # whose request asked for it; empty where a retry or a sweep did


@dataclass(frozen=True)
class Reaped:
    """How many expired leases were given back and how many delayed items became due."""

    expired: int
    due: int


@dataclass(frozen=True)
class DeadLetter:
    """An item that was given up, until a person decides."""

    id: str
    item: str
    ops: frozenset[str]
    attempts: int
    error: str
    at_ms: int


@dataclass(frozen=True)
class QueueStats:
    """How full a queue is; `depth` counts the members of the pending SETs, delayed ones included."""

    depth: int
    processing: int
    delayed: int
    dead: int
    unsent: int
    oldest_age_s: float
    oldest_dead_age_s: float = 0.0
