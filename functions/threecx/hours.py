"""Pure: when the office works and when a machine may dial; days off are those of the state and the firm's own."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")
_DAYS = ("mo", "di", "mi", "do", "fr", "sa", "so")
_SPAN = re.compile(r"(?P<first>[a-z]{2})(?:-(?P<last>[a-z]{2}))?\s+(?P<opens>\d\d?:\d\d)-(?P<closes>\d\d?:\d\d)")


@dataclass(frozen=True)
class Span:
    """The same hours on some days of the week."""

    days: frozenset[int]
    opens: time
    closes: time


@dataclass(frozen=True)
class Hours:
    """Hours of the week and days without any."""

    spans: tuple[Span, ...]
    state: str = "NI"
    closed: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str, state: str = "NI", closed: Sequence[str] = ()) -> Hours:
        """Read `Mo-Fr 08:00-20:00`, or several of that kind separated by commas."""
        found = [_span(part.strip().lower()) for part in text.split(",") if part.strip()]
        return cls(tuple(found), state, tuple(closed))

    def is_open(self, moment: datetime) -> bool:
        """Tell whether a moment lies within the hours."""
        local = moment.astimezone(BERLIN)
        return any(span.opens <= local.time() < span.closes for span in self._of(local.date()))

    def due(self, moment: datetime, after: timedelta) -> datetime:
        """Say when something is due that should be done so long after a moment, but within the hours."""
        local = (moment + after).astimezone(BERLIN)
        for ahead in range(40):
            day = local.date() + timedelta(days=ahead)
            for span in sorted(self._of(day), key=lambda each: each.opens):
                opens = datetime.combine(day, span.opens, BERLIN)
                if datetime.combine(day, span.closes, BERLIN) > local:
                    return local if opens <= local else opens + timedelta(minutes=30)
        return local

    def _of(self, day: date) -> list[Span]:
        if f"{day:%m-%d}" in self.closed or day in _holidays(self.state, day.year):
            return []
        return [span for span in self.spans if day.weekday() in span.days]


def _span(text: str) -> Span:
    found = _SPAN.fullmatch(text)
    if not found or found["first"] not in _DAYS or (found["last"] or found["first"]) not in _DAYS:
        raise ValueError("expected hours such as Mo-Fr 08:00-20:00")
    first, last = (_DAYS.index(name) for name in (found["first"], found["last"] or found["first"]))
    days = range(first, last + 1) if first <= last else [*range(first, 7), *range(last + 1)]
    return Span(frozenset(days), _clock(found["opens"]), _clock(found["closes"]))


def _clock(text: str) -> time:
    hour, _, minute = text.partition(":")
    return time.max if text == "24:00" else time(int(hour), int(minute))


@functools.lru_cache(maxsize=16)
def _holidays(state: str, year: int) -> frozenset[date]:
    import holidays

    return frozenset(holidays.country_holidays("DE", subdiv=state, years=year))
