"""The port to a phone system: dial, ask, listen, erase; who speaks which dialect is chosen by a setting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from shared.domain.call import Event, Status
from shared.errors import IntegrationError

ME = "threecx"


class RateLimitedError(IntegrationError):
    """We have asked the phone system as often as we may."""

    status, slug, title, retryable = 429, "rate-limited", "Too many calls to the phone system", True


class UnknownOutcomeError(IntegrationError):
    """The phone system did not say whether it dials; nobody may simply try again."""

    status, slug, title, retryable = 502, "unknown-outcome", "It is not known whether the call was placed", False


class NoDeviceError(IntegrationError):
    """There is no phone registered at the extension."""

    status, slug, title, retryable = 502, "no-device", "No phone is registered at this extension", False


@dataclass(frozen=True)
class Placed:
    """A call that the phone system has accepted."""

    call_id: str
    status: Status = Status.INITIATED


@dataclass(frozen=True)
class Seen:
    """What the phone system says about a call now."""

    status: Status
    started_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    number: str = ""
    agent: str = ""
    direction: str = ""


@dataclass(frozen=True)
class Audio:
    """A recording on its way: whole or the part that was asked for."""

    status: int
    body: Iterator[bytes]
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Logged:
    """A call of the call log, and who handed it to whom."""

    call_id: str
    event: Event
    moves: tuple[Event, ...] = ()

    @property
    def events(self) -> frozenset[Event]:
        """Give all that the log says about it."""
        return frozenset({self.event, *self.moves})


@dataclass(frozen=True)
class Forgotten:
    """What became of the entries of a number in the phone book."""

    deleted: int = 0
    left: int = 0  # for a person to delete


class Erased(StrEnum):
    """What became of the wish to have a recording deleted."""

    DONE = "done"
    ABSENT = "absent"  # there is none, or none yet
    BY_HAND = "by hand"


class Provider(Protocol):
    """A phone system; everything raises UpstreamError when it does not do what it is asked."""

    capabilities: frozenset[str]  # of agents, erase, log, register

    def initiate(self, extension: str, number: str) -> Placed:
        """Ring an extension and then dial. Never repeated."""
        ...

    def status(self, call_id: str) -> Seen | None:
        """Say how a call is; None for one that nobody knows."""
        ...

    def recording(self, call_id: str, recording_id: str, wanted: str, number: str = "") -> Audio | None:
        """Give the audio, `wanted` being a Range header or nothing; None where there is none.

        `number` is the other side's, by which a recording without a name is found.
        """
        ...

    def recording_of(self, call_id: str, number: str) -> str:
        """Name the recording of a call with a number; empty where there is none, none yet, or nobody can tell which."""
        ...

    def erase(self, call_id: str, recording_id: str) -> Erased:
        """Ask for a recording to be deleted."""
        ...

    def log(self, since: datetime, until: datetime) -> list[Logged]:
        """List the ended calls of a time; nothing where there is no such list."""
        ...

    def agents(self) -> dict[str, str]:
        """Give the e-mail address of each extension; nothing where there is no such list."""
        ...

    def forget(self, number: str) -> Forgotten:
        """Delete the entries of a number from the phone book of the phone system."""
        ...

    def rights(self) -> dict[str, int]:
        """Try what we need without changing anything, and give the status of each answer."""
        ...
