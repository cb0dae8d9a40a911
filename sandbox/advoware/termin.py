"""Read, check and place one Termin in time, as Advoware itself would."""

import re
from datetime import date, datetime, time, timedelta
from typing import Any

from sandbox.advoware.answers import Json, Refused

ENDLESS_YEAR = 2037
EVERYBODY = ("", "ALLE")
BLANK: Json = {
    "frNr": 0,
    "anwalt": "",
    "datum": "",
    "uhrzeitVon": None,
    "datumBis": None,
    "uhrzeitBis": None,
    "dauertermin": 0,
    "turnus": 0,
    "turnusArt": 0,
    "text": "",
    "ort": "",
    "notiz": None,
}
NUMBERS = {"dauertermin": 1, "turnus": 999, "turnusArt": 4}
TEXTS = ("text", "ort", "notiz")
DAY = re.compile(r"\d{4}-\d\d-\d\d(T00:00:00)?")
CLOCK = re.compile(r"\d\d:\d\d:\d\d")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d)?")


def parsed(name: str, value: Any, shape: re.Pattern[str], kind: Any) -> Any:
    """Read a date, a time or a moment in exactly its shape, or refuse with 400."""
    try:
        if shape.fullmatch(value):
            return kind.fromisoformat(value)
    except (TypeError, ValueError):
        pass
    raise Refused(400, f"{name}: {value!r} is malformed")


def day(fields: Json, name: str) -> date:
    """Read one of the two date fields, in either spelling."""
    moment: datetime = parsed(name, fields[name], DAY, datetime)
    return moment.date()


def clock(fields: Json, name: str) -> time | None:
    """Read one of the two time fields, which may be null; 24:00:00 ends the day."""
    if fields[name] is None or fields[name] == "24:00:00":
        return time.max if fields[name] else None
    return parsed(name, fields[name], CLOCK, time)


def check(fields: Json) -> Json:
    """Fill in what a writer left out and refuse what is malformed."""
    whole = {**BLANK, **fields}
    for name, most in NUMBERS.items():
        if type(whole[name]) is not int or not 0 <= whole[name] <= most:
            raise Refused(400, f"{name}: a whole number from 0 to {most}")
    for name in TEXTS:
        if not isinstance(whole[name], str | None):
            raise Refused(400, f"{name}: a text")
    if not isinstance(whole["anwalt"], str):
        raise Refused(400, "anwalt: a text")
    span(whole)
    return whole


def span(fields: Json) -> tuple[datetime, datetime]:
    """Say from when to when a Termin lasts; of a series, until its last day."""
    first = day(fields, "datum")
    last = day(fields, "datumBis") if fields["datumBis"] else first
    start, end = clock(fields, "uhrzeitVon"), clock(fields, "uhrzeitBis")
    if fields["turnus"] and fields["turnusArt"] and last.year >= ENDLESS_YEAR:
        last = date.max - timedelta(days=1)
    if fields["dauertermin"]:
        start = end = None
    begins = datetime.combine(first, start or time())
    ends = datetime.combine(last, end) if end else datetime.combine(last, time()) + timedelta(days=1)
    return begins, ends


def overlaps(placed: tuple[datetime, datetime], since: datetime, until: datetime) -> bool:
    """Say whether something lies in a window whose end no longer belongs to it."""
    begins, ends = placed
    return begins < until and (ends > since or begins >= since)
