"""Write one Termin the way Advoware stores it."""

from datetime import date, time
from random import Random
from typing import Any

Termin = dict[str, Any]
ENDLESS = date(2037, 12, 31)


def clock(text: str | None) -> str | None:
    """Write a time with its seconds."""
    return f"{text}:00" if text else None


def entry(day: date, hours: str, text: str, ort: str = "", notiz: str | None = None, **more: Any) -> Termin:
    """Build a Termin; hours are "09:30-11:00", "09:30-", "-11:00" or "-"; `last` is its last day."""
    start, _, end = hours.partition("-")
    last = more.pop("last", day)
    return {
        "datum": day.isoformat(),
        "uhrzeitVon": clock(start),
        "datumBis": last.isoformat(),
        "uhrzeitBis": clock(end),
        "dauertermin": 0,
        "turnus": 0,
        "turnusArt": 0,
        "text": text,
        "ort": ort,
        "notiz": notiz,
        **more,
    }


def hours(rng: Random, first: int = 8, last: int = 17) -> str:
    """Choose when something takes place on a working day."""
    start = rng.randrange(first * 60, last * 60, 15)
    end = start + rng.choice((15, 30, 45, 60, 90, 120))
    return f"{written(start)}-{written(end)}"


def written(minutes: int) -> str:
    """Write minutes since midnight as a time."""
    return time(minutes // 60, minutes % 60).isoformat("minutes")
