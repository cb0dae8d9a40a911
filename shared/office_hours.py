"""Pure: hours of the week in Berlin, without the holidays of a Land and the firm's own closed days."""

from __future__ import annotations

import functools
import importlib.util
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from types import ModuleType
from typing import Self
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")
LOOKED_AHEAD_DAYS = 60  # no office is closed for longer
_DAYS = ("mo", "di", "mi", "do", "fr", "sa", "so")
_SPAN = re.compile(r"([a-z]{2})(?:\s*-\s*([a-z]{2}))?\s+(\d\d?:[0-5]\d)\s*-\s*(\d\d?:[0-5]\d)")


@dataclass(frozen=True)
class Span:
    """The same hours on some days of the week (Monday is 0)."""

    days: frozenset[int]
    opens: time
    closes: time


@dataclass(frozen=True)
class OfficeHours:
    """Spans of the week; `closed` are days of every year as `12-24`, `state` the Land as `NI`."""

    spans: tuple[Span, ...]
    state: str = "NI"
    closed: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str, state: str = "NI", closed: Sequence[str] = ()) -> Self:
        """Read `Mo-Do 09:00-17:00, Fr 09:00-13:00`; raises ValueError."""
        return cls(tuple(read_spans(text)), state, tuple(closed))

    def is_working_day(self, day: date) -> bool:
        """Tell whether there are any hours on a day."""
        return bool(self._openings(day))

    def is_open(self, moment: datetime) -> bool:
        """Tell whether a moment lies within the hours."""
        here = moment.astimezone(BERLIN)
        return any(opens <= here < closes for opens, closes in self._openings(here.date()))

    def working_days_until(self, start: datetime, day: date) -> int:
        """Count the working days after a moment's day up to a day; -1 when that is past, 400 days are enough."""
        today = start.astimezone(BERLIN).date()
        if day < today:
            return -1
        return sum(self.is_working_day(today + timedelta(days=n)) for n in range(1, min((day - today).days, 400) + 1))

    def next_open(self, moment: datetime) -> datetime:
        """Give the moment itself within the hours, else the next opening."""
        return next(self._ahead(moment), (moment, moment))[0]

    def after(self, moment: datetime, length: timedelta) -> datetime:
        """Say when so much open time has gone by."""
        for opens, closes in self._ahead(moment):
            if length <= closes - opens:
                return opens + length
            length -= closes - opens
        return moment + length

    def after_days(self, moment: datetime, days: int) -> datetime:
        """Give the same time of day so many working days later, kept within that day's hours."""
        start = self.next_open(moment)
        following = (start.date() + timedelta(days=n) for n in range(1, LOOKED_AHEAD_DAYS))
        working = [day for day in following if self.is_working_day(day)][:days]
        if len(working) < days or not days:
            return start + timedelta(days=days)
        openings = self._openings(working[-1])
        wanted = datetime.combine(working[-1], start.time(), BERLIN)
        return min(max(wanted, openings[0][0]), openings[-1][1])

    def _ahead(self, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
        """List what is open from a moment on."""
        here = moment.astimezone(BERLIN)
        for n in range(LOOKED_AHEAD_DAYS):
            for opens, closes in self._openings(here.date() + timedelta(days=n)):
                if closes > here:
                    yield max(opens, here), closes

    def _openings(self, day: date) -> list[tuple[datetime, datetime]]:
        if f"{day:%m-%d}" in self.closed:
            return []
        spans = sorted((each for each in self.spans if day.weekday() in each.days), key=lambda each: each.opens)
        if not spans or day in _holidays(self.state, day.year):
            return []
        return [
            (datetime.combine(day, each.opens, BERLIN), datetime.combine(day, each.closes, BERLIN)) for each in spans
        ]


def read_spans(text: str) -> list[Span]:
    """Read hours as a firm writes them; raises ValueError for anything else."""
    return [_span(part.strip().lower()) for part in text.split(",") if part.strip()]


def _span(text: str) -> Span:
    found = _SPAN.fullmatch(text)
    first, last, opens, closes = found.groups() if found else ("", "", "", "")
    if first not in _DAYS or (last or first) not in _DAYS:
        raise ValueError("expected hours such as Mo-Fr 08:00-20:00")
    begin, end = _DAYS.index(first), _DAYS.index(last or first)
    days = range(begin, end + 1) if begin <= end else [*range(begin, 7), *range(end + 1)]
    return Span(frozenset(days), _clock(opens), _clock(closes))


def _clock(text: str) -> time:
    hour, _, minute = text.partition(":")
    return time.max if text == "24:00" else time(int(hour), int(minute))


@functools.lru_cache(maxsize=16)
def _holidays(state: str, year: int) -> frozenset[date]:
    known: Iterable[date] = _germany().Germany(subdiv=state, years=year, language="de")
    return frozenset(known)


@functools.cache
def _germany() -> ModuleType:
    """Load the one country that matters; asked by its name, the library loads all 250 and keeps them."""
    import holidays

    path = Path(holidays.__file__).parent / "countries" / "germany.py"
    spec = importlib.util.spec_from_file_location("holidays_of_germany", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
