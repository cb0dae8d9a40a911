"""Pure: what a series means, read for the audit alone: frequency, interval and the day of its last occurrence.

The days are walked one by one, on purpose: the sync computes them in another way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")
ENDLESS = 2037
ARTS = {1: "DAILY", 2: "WEEKLY", 3: "MONTHLY", 4: "YEARLY"}
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
LONGEST = 12_000


def of_row(turnus: int, art: int, first: date, last: date) -> str:
    """Write the series of a Termin; empty for a single one."""
    if art not in ARTS or turnus <= 0:
        return ""
    end = "" if last.year >= ENDLESS else _until(ARTS[art], turnus, first, lambda day: day > last)
    return f"{ARTS[art]}/{turnus}/{end}"


def of_event(lines: Sequence[str], start: datetime | date, zone: ZoneInfo) -> str:
    """Write the series of an event; one that Advoware cannot hold is written as it stands, after an exclamation."""
    rules = [line for line in lines if line.upper().startswith(("RRULE", "RDATE", "EXRULE"))]
    if not rules:
        return ""
    plain = _plain(rules[0], start) if len(rules) == 1 and not _keeps_other_hours(start, zone) else None
    return plain or "!" + " ".join(sorted(rules))


def _plain(line: str, start: datetime | date) -> str | None:
    name, _, text = line.partition(":")
    parts = dict(part.upper().partition("=")[::2] for part in text.split(";") if part)
    kind, first = parts.pop("FREQ", ""), _day(start)
    parts.pop("WKST", None)
    try:
        interval, count = int(parts.pop("INTERVAL", "1")), int(parts.pop("COUNT", "0"))
        over = _over(parts.pop("UNTIL", ""), start)
    except ValueError:
        return None
    if name.upper() != "RRULE" or kind not in ARTS.values() or interval < 1 or not _implied(parts, kind, first):
        return None
    if not count and over is None:
        return f"{kind}/{interval}/"
    if count > LONGEST:
        return None
    end = _nth(kind, interval, first, count) if count else _until(kind, interval, first, over or (lambda _: False))
    return f"{kind}/{interval}/{'' if end.year >= ENDLESS else end}"


def _day(start: datetime | date) -> date:
    return start.astimezone(BERLIN).date() if isinstance(start, datetime) else start


def _over(text: str, start: datetime | date) -> Callable[[date], bool] | None:
    """Say from which day on no occurrence may begin."""
    if not text:
        return None
    if int(text[:4]) > ENDLESS:
        return None
    day, _, clock = text.partition("T")
    last = date(int(day[:4]), int(day[4:6]), int(day[6:8]))
    if not clock or not isinstance(start, datetime):
        return lambda each: each > last
    zone = UTC if clock.endswith("Z") else BERLIN
    moment = datetime(last.year, last.month, last.day, int(clock[:2]), int(clock[2:4]), int(clock[4:6]), tzinfo=zone)
    begin = start.astimezone(BERLIN).time()
    return lambda each: datetime.combine(each, begin, BERLIN).astimezone(UTC) > moment.astimezone(UTC)


def _implied(parts: dict[str, str], kind: str, first: date) -> bool:
    """Tell whether the other parts only repeat what the first day says anyway."""
    said = {
        "WEEKLY": {"BYDAY": DAYS[first.weekday()]},
        "MONTHLY": {"BYMONTHDAY": str(first.day)},
        "YEARLY": {"BYMONTHDAY": str(first.day), "BYMONTH": str(first.month)},
    }.get(kind, {})
    alone = kind == "YEARLY" and "BYMONTHDAY" in parts and "BYMONTH" not in parts
    return not alone and all(said.get(name) == value for name, value in parts.items())


def _days(kind: str, interval: int, first: date) -> Iterator[date]:
    if kind in {"DAILY", "WEEKLY"}:
        step = timedelta(days=interval * (1 if kind == "DAILY" else 7))
        yield from (first + step * number for number in range(LONGEST))
        return
    months = interval * (1 if kind == "MONTHLY" else 12)
    for number in range(LONGEST):
        year, month = divmod(first.year * 12 + first.month - 1 + months * number, 12)
        if year >= 9000:
            return
        try:
            yield date(year, month + 1, first.day)
        except ValueError:
            continue  # a month without that day is left out


def _until(kind: str, interval: int, first: date, over: Callable[[date], bool]) -> date:
    last = first
    for day in _days(kind, interval, first):
        if over(day) or day.year >= ENDLESS + 1:
            break
        last = day
    return last


def _nth(kind: str, interval: int, first: date, count: int) -> date:
    last = first
    for day in islice(_days(kind, interval, first), count):
        last = day
        if day.year >= ENDLESS:
            break
    return last


def _keeps_other_hours(start: datetime | date, zone: ZoneInfo) -> bool:
    """Tell whether a series follows a zone whose summer begins or ends at another time than Berlin's."""
    if not isinstance(start, datetime):
        return False
    noons = [datetime(start.year, month, 1, 12, tzinfo=UTC) for month in (1, 4, 7, 11)]
    there = {noon.astimezone(zone).utcoffset() == noon.astimezone(BERLIN).utcoffset() for noon in noons}
    return there != {True}
