"""`turnus`/`turnusArt` and RRULE, both ways.

Advoware can hold one frequency, an interval and a last day; 2037 in `datumBis` means endless
(calendar-sync section 4.8). Everything else that Google can express stays in Google.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from shared.domain.appointment import BERLIN, Frequency, Recurrence

ENDLESS_YEAR = 2037
TURNUS_ART = {1: Frequency.DAILY, 2: Frequency.WEEKLY, 3: Frequency.MONTHLY, 4: Frequency.YEARLY}
ART_OF = {frequency: art for art, frequency in TURNUS_ART.items()}
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MAX_OCCURRENCES = 10_000


def from_turnus(turnus: int, turnus_art: int, start: date, last: date) -> Recurrence | None:
    """Read Advoware's series; None when it is a single appointment."""
    frequency = TURNUS_ART.get(turnus_art)
    if frequency is None or turnus <= 0:
        return None
    if last.year >= ENDLESS_YEAR:
        return Recurrence(frequency, turnus)
    return Recurrence(frequency, turnus, last_occurrence(start, frequency, turnus, last))


def last_occurrence(start: date, frequency: Frequency, interval: int, until: date) -> date:
    """Find the last day on or before `until` on which the series falls; the first day when there is none."""
    if until <= start:
        return start
    if frequency in {Frequency.DAILY, Frequency.WEEKLY}:
        step = interval * (7 if frequency is Frequency.WEEKLY else 1)
        return start + timedelta(days=(until - start).days // step * step)
    months = interval * (12 if frequency is Frequency.YEARLY else 1)
    count = ((until.year - start.year) * 12 + until.month - start.month) // months
    while count > 0:
        day = _month_later(start, count * months)
        if day is not None and day <= until:
            return day
        count -= 1
    return start


def _month_later(start: date, months: int) -> date | None:
    """Go months ahead; None where that month has no such day (RFC 5545 skips it)."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if start.day > monthrange(year, month + 1)[1]:
        return None
    return date(year, month + 1, start.day)


def to_lines(rule: Recurrence, start: datetime, all_day: bool) -> list[str]:
    """Write all lines of a series; a foreign rule stays as it was read."""
    return rule.foreign.split("|") if rule.foreign else [to_rrule(rule, start, all_day)]


def to_rrule(rule: Recurrence, start: datetime, all_day: bool) -> str:
    """Write the RRULE line; UNTIL is the last occurrence's start in UTC, or its plain date for all-day series."""
    parts = [f"FREQ={rule.frequency}", f"INTERVAL={rule.interval}"]
    if rule.until is not None:
        last = datetime.combine(rule.until, start.astimezone(BERLIN).timetz().replace(tzinfo=None), tzinfo=BERLIN)
        parts.append("UNTIL=" + (f"{rule.until:%Y%m%d}" if all_day else f"{last.astimezone(UTC):%Y%m%dT%H%M%SZ}"))
    return "RRULE:" + ";".join(parts)


def from_rrule(lines: Sequence[str], start: datetime, *, elsewhere: bool = False) -> Recurrence | None:
    """Read Google's recurrence lines; rules that Advoware cannot hold come back as foreign ones."""
    rules = [line for line in lines if line.upper().startswith("RRULE")]
    others = [line for line in lines if line.upper().startswith(("RDATE", "EXRULE"))]
    if not rules and not others:
        return None
    foreign = Recurrence(Frequency.DAILY, foreign="|".join(sorted(rules + others)))
    if len(rules) != 1 or others or elsewhere:
        return foreign
    return _plain(rules[0].partition(":")[2], start.astimezone(BERLIN)) or foreign


def _plain(text: str, start: datetime) -> Recurrence | None:
    parts = dict(part.upper().partition("=")[::2] for part in text.split(";") if part)
    try:
        frequency = Frequency(parts.pop("FREQ", ""))
        interval = int(parts.pop("INTERVAL", "1"))
        count = int(parts.pop("COUNT", "0"))
        until = _until(parts.pop("UNTIL", ""), start)
        last = _after(start.date(), frequency, interval, count) if count else until
    except (ValueError, OverflowError):
        return None
    parts.pop("WKST", None)
    if interval < 1 or not 0 <= count <= MAX_OCCURRENCES or not _only_start_day(parts, frequency, start):
        return None
    if last is None or last.year >= ENDLESS_YEAR:
        return Recurrence(frequency, interval)
    return Recurrence(frequency, interval, last_occurrence(start.date(), frequency, interval, last))


def _until(text: str, start: datetime) -> date | None:
    """Read UNTIL as the last day on which an occurrence may still begin; None from the endless year on."""
    if not text:
        return None
    day, _, clock = text.partition("T")
    plain = datetime.strptime(day, "%Y%m%d")  # noqa: DTZ007 - a plain date has no zone
    if plain.year > ENDLESS_YEAR or not clock:
        return plain.date() if plain.year <= ENDLESS_YEAR else None
    zone = UTC if clock.endswith("Z") else BERLIN
    until = datetime.strptime(text.rstrip("Z"), "%Y%m%dT%H%M%S").replace(tzinfo=zone).astimezone(UTC)
    last = until.astimezone(BERLIN).date()
    begins = datetime.combine(last, start.timetz().replace(tzinfo=None), tzinfo=BERLIN)
    return last if begins.astimezone(UTC) <= until else last - timedelta(days=1)


def _only_start_day(parts: dict[str, str], frequency: Frequency, start: datetime) -> bool:
    """Tell whether the BY* parts say nothing but the day the series starts on anyway."""
    if frequency is Frequency.YEARLY and "BYMONTHDAY" in parts and "BYMONTH" not in parts:
        return False  # that day of every month
    implied = {
        Frequency.DAILY: {},
        Frequency.WEEKLY: {"BYDAY": WEEKDAYS[start.weekday()]},
        Frequency.MONTHLY: {"BYMONTHDAY": str(start.day)},
        Frequency.YEARLY: {"BYMONTHDAY": str(start.day), "BYMONTH": str(start.month)},
    }[frequency]
    return all(implied.get(name) == value for name, value in parts.items())


def _after(start: date, frequency: Frequency, interval: int, count: int) -> date:
    """Find the day of the count-th occurrence."""
    if frequency in {Frequency.DAILY, Frequency.WEEKLY}:
        return start + timedelta(days=(count - 1) * interval * (7 if frequency is Frequency.WEEKLY else 1))
    months = interval * (12 if frequency is Frequency.YEARLY else 1)
    found, ahead, last = 1, 0, start
    while found < count and ahead < MAX_OCCURRENCES:
        ahead += months
        if start.year + (start.month - 1 + ahead) // 12 >= ENDLESS_YEAR:
            return date(ENDLESS_YEAR, 1, 1)
        day = _month_later(start, ahead)
        if day is not None:
            found, last = found + 1, day
    return last
