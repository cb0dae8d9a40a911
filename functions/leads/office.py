"""When the office works, and until when something has to be done."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.settings.leads import OfficeSettings

BERLIN = ZoneInfo("Europe/Berlin")
_DAYS = ("mo", "di", "mi", "do", "fr", "sa", "so")
_PART = re.compile(r"(\w\w)(?:\s*-\s*(\w\w))?\s+(\d{1,2}:\d\d)\s*-\s*(\d{1,2}:\d\d)")
HIGH_HOURS, NORMAL_DAYS, LOW_DAYS = 4, 1, 3


@dataclass(frozen=True)
class Office:
    """Opening hours by weekday, closed days of every year (month-day), and the Land whose holidays count."""

    hours: Mapping[int, tuple[time, time]]
    closed: frozenset[str]
    state: str

    @classmethod
    def of(cls, settings: OfficeSettings, hours: str | None = None) -> Office:
        """Read the settings; `hours` may be those of the telephone."""
        return cls(read_hours(hours or settings.hours), frozenset(settings.closed), settings.state)

    def is_working_day(self, day: date) -> bool:
        """Tell whether anybody is in the office on a day."""
        if day.weekday() not in self.hours or day.strftime("%m-%d") in self.closed:
            return False
        return day not in _holidays(self.state, day.year)

    def is_open(self, moment: datetime) -> bool:
        """Tell whether the office is open."""
        here = moment.astimezone(BERLIN)
        if not self.is_working_day(here.date()):
            return False
        start, end = self.hours[here.weekday()]
        return start <= here.time() < end

    def working_days_until(self, start: datetime, day: date) -> int:
        """Count the working days after today up to a day; negative when it is past."""
        today = start.astimezone(BERLIN).date()
        if day < today:
            return -1
        span = min((day - today).days, 400)
        return sum(self.is_working_day(today + timedelta(days=n)) for n in range(1, span + 1))

    def due(self, urgency: str, moment: datetime) -> datetime:
        """Say until when a person has to act on what came at this moment."""
        start = self._next_open(moment.astimezone(BERLIN))
        match urgency:
            case "sofort":
                return start
            case "hoch":
                return self._after_hours(start, timedelta(hours=HIGH_HOURS))
            case "normal":
                return self._after_days(start, NORMAL_DAYS)
        return self._after_days(start, LOW_DAYS)

    def _next_open(self, moment: datetime) -> datetime:
        day = moment.date()
        if self.is_working_day(day):
            start, end = self._bounds(day)
            if moment < end:
                return max(moment, start)
        return self._bounds(self._next_day(day))[0]

    def _next_day(self, day: date) -> date:
        following = (day + timedelta(days=n) for n in range(1, 60))
        return next((each for each in following if self.is_working_day(each)), day + timedelta(days=1))

    def _bounds(self, day: date) -> tuple[datetime, datetime]:
        start, end = self.hours.get(day.weekday(), (time(9), time(17)))
        return datetime.combine(day, start, BERLIN), datetime.combine(day, end, BERLIN)

    def _after_hours(self, start: datetime, length: timedelta) -> datetime:
        end = self._bounds(start.date())[1]
        while length > end - start:
            length -= end - start
            start, end = self._bounds(self._next_day(start.date()))
        return start + length

    def _after_days(self, start: datetime, days: int) -> datetime:
        day = start.date()
        for _ in range(days):
            day = self._next_day(day)
        first, last = self._bounds(day)
        return min(max(datetime.combine(day, start.time(), BERLIN), first), last)


def read_hours(text: str) -> dict[int, tuple[time, time]]:
    """Read "Mo-Do 09:00-17:00, Fr 09:00-13:00"."""
    hours: dict[int, tuple[time, time]] = {}
    for first, last, start, end in _PART.findall(text):
        begin, stop = _DAYS.index(first.lower()), _DAYS.index((last or first).lower())
        for day in range(begin, stop + 1):
            hours[day] = (_clock(start), _clock(end))
    return hours


def _clock(text: str) -> time:
    hour, _, minute = text.partition(":")
    return time(min(int(hour), 23), int(minute)) if int(hour) < 24 else time(23, 59)


@functools.lru_cache(maxsize=16)
def _holidays(state: str, year: int) -> frozenset[date]:
    import holidays

    known: Iterable[date] = holidays.country_holidays("DE", subdiv=state, years=year, language="de")
    return frozenset(known)
