"""What one run works with: the two calendars, counted and checked before every call."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from functions.calendar_sync.pairing import Reader
from functions.calendar_sync.planner import Rules
from functions.calendar_sync.report import Report
from shared.google.client import GoogleCalendar

Row = dict[str, Any]


class StopRun(Exception):  # noqa: N818 - not a fault: time is up, or the process has to end
    """Stop between two writes and go on in another run."""


class Appointments(Protocol):
    """The calls to Advoware that a run needs."""

    def appointments(self, kuerzel: str, start: datetime, end: datetime) -> list[Row]:
        """List an employee's appointments in a window."""

    def appointment(self, fr_nr: int | str) -> Row | None:
        """Read one appointment, None when Advoware says that there is none."""

    def create_appointment(self, body: Row) -> Row:
        """Create an appointment."""

    def update_appointment(self, fr_nr: int | str, body: Row) -> Row | None:
        """Replace an appointment."""

    def delete_appointment(self, fr_nr: int | str) -> bool:
        """Delete an appointment; False when it was gone."""


@dataclass
class Run:
    """One run for one employee; `check` raises StopRun or LockLost when no further call may be made."""

    kuerzel: str
    calendar_id: str
    advoware: Appointments
    google: GoogleCalendar
    rules: Rules
    reader: Reader
    report: Report
    check: Callable[[], None]
    markers: bool = True
    now: Callable[[], float] = time.time
    new_token: Callable[[], str] = lambda: secrets.token_urlsafe(16)
    max_fr: int = 0
    colleagues: Callable[[], Sequence[str]] = tuple

    def seal(self, canonical: Any) -> str:
        """Hash content with the writing key."""
        return self.rules.bases.seal(canonical)


class Counted:
    """Advoware with its calls counted in a report and a check before each."""

    def __init__(self, inner: Appointments, report: Report, check: Callable[[], None]) -> None:
        self._inner, self._report, self._check = inner, report, check

    def _one(self) -> Appointments:
        self._check()
        self._report.advoware_calls += 1
        return self._inner

    def appointments(self, kuerzel: str, start: datetime, end: datetime) -> list[Row]:
        """List an employee's appointments in a window."""
        return self._one().appointments(kuerzel, start, end)

    def appointment(self, fr_nr: int | str) -> Row | None:
        """Read one appointment."""
        return self._one().appointment(fr_nr)

    def create_appointment(self, body: Row) -> Row:
        """Create an appointment."""
        return self._one().create_appointment(body)

    def update_appointment(self, fr_nr: int | str, body: Row) -> Row | None:
        """Replace an appointment."""
        return self._one().update_appointment(fr_nr, body)

    def delete_appointment(self, fr_nr: int | str) -> bool:
        """Delete an appointment."""
        return self._one().delete_appointment(fr_nr)


@dataclass
class Limit:
    """Says when a run has to stop: its time is up, the process ends, or one of the further checks raises."""

    seconds: float
    stopping: threading.Event = field(default_factory=threading.Event)
    checks: Sequence[Callable[[], None]] = ()
    clock: Callable[[], float] = time.monotonic
    started: float = -1.0

    def __post_init__(self) -> None:
        """Start counting now."""
        if self.started < 0:
            self.started = self.clock()

    @property
    def deadline(self) -> float:
        """Give the moment of the clock after which nothing is begun."""
        return self.started + self.seconds

    def check(self) -> None:
        """Raise StopRun when it is time, or whatever a further check raises."""
        if self.stopping.is_set() or self.clock() >= self.deadline:
            raise StopRun
        for check in self.checks:
            check()


def numbers(rows: Sequence[Row]) -> list[int]:
    """Give the positive numbers of rows."""
    found = (str(row.get("frNr", "")) for row in rows)
    return [int(number) for number in found if number.isascii() and number.isdigit()]
