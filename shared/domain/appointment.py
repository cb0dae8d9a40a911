"""An appointment as both calendars understand it: Berlin time, plain text, an optional plain series."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")
FIELDS = ("start", "end", "allday", "rrule", "text", "ort", "notiz")
TIME_FIELDS = frozenset({"start", "end", "allday", "rrule"})
TEXT_FIELDS = frozenset({"text", "ort", "notiz"})

Canonical = Mapping[str, str]


class Frequency(StrEnum):
    """How often a series repeats."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


@dataclass(frozen=True)
class Recurrence:
    """A plain series: every `interval` units, the last occurrence on `until` (None: endless).

    `foreign` holds the rule lines of a series that Advoware cannot express; such a rule never leaves Google.
    """

    frequency: Frequency
    interval: int = 1
    until: date | None = None
    foreign: str = ""

    @property
    def canonical(self) -> str:
        """Write the rule so that equal rules are equal strings."""
        if self.foreign:
            return "!" + self.foreign
        return f"{self.frequency};{self.interval};{self.until.isoformat() if self.until else ''}"


@dataclass(frozen=True)
class Appointment:
    """What is on, when and where; `end` is exclusive, an all-day appointment runs from midnight to midnight."""

    start: datetime
    end: datetime
    all_day: bool = False
    recurrence: Recurrence | None = None
    text: str = ""
    place: str = ""
    notes: str = ""

    def canonical(self) -> dict[str, str]:
        """Give every field as the string that is hashed and compared; an all-day end is the last day."""
        if self.all_day:
            start, end = self.start.date().isoformat(), (self.end.date() - timedelta(days=1)).isoformat()
        else:
            start, end = _minutes(self.start), _minutes(self.end)
        return {
            "start": start,
            "end": end,
            "allday": "1" if self.all_day else "0",
            "rrule": self.recurrence.canonical if self.recurrence else "",
            "text": tidy(self.text),
            "ort": tidy(self.place),
            "notiz": tidy(self.notes),
        }

    @property
    def expressible(self) -> bool:
        """Tell whether Advoware can hold this series; single appointments always can be held."""
        rule = self.recurrence
        if rule is None:
            return True
        one_day = self.end - self.start <= timedelta(days=1) if self.all_day else _same_day(self.start, self.end)
        return not rule.foreign and one_day

    @property
    def last_day(self) -> date | None:
        """Name the last day it touches; None for an endless series."""
        if self.recurrence is not None:
            return self.recurrence.until
        return (self.end - timedelta(minutes=1)).date()

    def is_over(self, moment: datetime) -> bool:
        """Tell whether it, or the last day of a series, has ended at a moment."""
        if self.recurrence is None:
            return self.end <= moment
        last = self.last_day
        return last is not None and datetime.combine(last + timedelta(days=1), time(), BERLIN) <= moment

    def lies_outside(self, window: tuple[datetime, datetime]) -> bool:
        """Tell whether it was over before a window, or begins when it ends or later."""
        return self.is_over(window[0]) or self.start >= window[1]


def tidy(text: str) -> str:
    """Bring text to one form: NFC, LF, plain blanks, none at line ends, no empty lines at the end."""
    plain = unicodedata.normalize("NFC", text).replace("\xa0", " ")
    lines = plain.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).rstrip()


def _minutes(moment: datetime) -> str:
    return moment.astimezone(BERLIN).strftime("%Y-%m-%dT%H:%M")


def _same_day(start: datetime, end: datetime) -> bool:
    return start.astimezone(BERLIN).date() == end.astimezone(BERLIN).date()
