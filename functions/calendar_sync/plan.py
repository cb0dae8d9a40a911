"""The values of a plan: what each side holds, how it is paired, and the steps that bring both in step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from functions.calendar_sync.link import Link
from shared.domain.appointment import Appointment, Canonical


@dataclass(frozen=True)
class Ours:
    """An appointment as Advoware holds it."""

    fr_nr: str
    row: Mapping[str, Any]
    appointment: Appointment
    canonical: Canonical
    marker: str | None = None
    one_way: bool = False
    changed_at: datetime | None = None
    listed: bool = True

    @property
    def number(self) -> int:
        """Give frNr as a number, 0 for symbolic ones."""
        try:
            return int(self.fr_nr)
        except ValueError:
            return 0


@dataclass(frozen=True)
class Theirs:
    """An event as Google holds it; `fr_nr` is set when it is linked, by properties or by its own id."""

    event: Mapping[str, Any]
    link: Link
    fr_nr: str = ""
    generation: int | None = None
    appointment: Appointment | None = None
    canonical: Canonical = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Give the event's id."""
        return str(self.event["id"])

    @property
    def etag(self) -> str:
        """Give the version that a conditional write names."""
        return str(self.event.get("etag", ""))

    @property
    def cancelled(self) -> bool:
        """Tell whether it is a tombstone."""
        return self.event.get("status") == "cancelled"

    @property
    def bare(self) -> bool:
        """Tell whether a linked event has lost its properties."""
        return not self.link.fr_nr


class Absence(StrEnum):
    """Why there is no appointment of ours in a pair."""

    NEVER = "never"
    NOT_LISTED = "not listed"
    GONE = "gone"
    MOVED = "moved"
    UNUSABLE = "unusable"


@dataclass(frozen=True)
class Pair:
    """What belongs together: at most one appointment, at most one event, and events that stand twice."""

    ours: Ours | None
    theirs: Theirs | None
    absence: Absence = Absence.NEVER
    twice: tuple[Theirs, ...] = ()
    twin: bool = False
    reserved: bool = False


@dataclass(frozen=True)
class Insert:
    """Create the event of an appointment under its own id (row 7)."""

    ours: Ours


@dataclass(frozen=True)
class Merge:
    """Bring one linked pair together: some fields to Advoware, then content and bases to Google (rows 1–6)."""

    ours: Ours
    theirs: Theirs
    to_advoware: frozenset[str]
    to_google: frozenset[str]
    target_a: Appointment
    target_g: Appointment
    conflict: bool = False


@dataclass(frozen=True)
class Anonymise:
    """Hide the content of a linked event that is not compared with its appointment in this run (4.7)."""

    theirs: Theirs


@dataclass(frozen=True)
class Cancel:
    """Delete an event and say why: `a` gone in Advoware, `m` moved, `d` stands twice (rows 13, 14, 16, 22)."""

    theirs: Theirs
    reason: Literal["a", "m", "d"]
    conflict: bool = False


@dataclass(frozen=True)
class Delete:
    """Delete an appointment whose event a person deleted (rows 9, 10) or whose creation was given up (row 21)."""

    ours: Ours
    theirs: Theirs
    orphan: bool = False


@dataclass(frozen=True)
class Restore:
    """Bring an event back, under the next generation id where Google refuses (rows 8, 11, 12)."""

    ours: Ours
    theirs: Theirs


@dataclass(frozen=True)
class Create:
    """Create an appointment for an event born in Google: intent, POST, link (4.4)."""

    theirs: Theirs
    search_first: bool = False


@dataclass(frozen=True)
class Adopt:
    """Link an open intent to the appointment that carries its marker (row 20), or an exact twin (row 18)."""

    ours: Ours
    theirs: Theirs
    twin: bool = False


@dataclass(frozen=True)
class Leave:
    """Do nothing, and say why; an unclean one makes the next run read everything again."""

    reason: str
    clean: bool = True
    suspect: str = ""
    count: bool = True


Step = Insert | Merge | Anonymise | Cancel | Delete | Restore | Create | Adopt | Leave


@dataclass(frozen=True)
class Hold:
    """Deletions of one direction that wait for a person."""

    direction: Literal["to_google", "to_advoware"]
    count: int
    hash: str
