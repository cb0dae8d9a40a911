"""Compare both calendars, computed anew from Advoware's rows without any code of the sync."""

from __future__ import annotations

import html
import unicodedata
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from calendar_world import PLACEHOLDER, World, private

BERLIN = ZoneInfo("Europe/Berlin")
FREQUENCIES = {1: "DAILY", 2: "WEEKLY", 3: "MONTHLY", 4: "YEARLY"}
HOUR = timedelta(hours=1)


def in_step(w: World, kuerzel: str = "SB", *, full: bool = True) -> None:
    """Every appointment in the window has exactly one event, every event one appointment, with equal content."""
    rows = {str(row["frNr"]): row for row in w.advoware.appointments(kuerzel)}
    events = w.events(kuerzel)
    numbers = [private(event).get("adv_fr", f"unlinked {event['id']}") for event in events]
    assert sorted(numbers) == sorted(rows)
    for number, event in zip(numbers, events, strict=True):
        assert shown(event) == expected(rows[number], full=full), f"appointment {number}"
        if not full:
            assert event.get("visibility") == "private"


def shown(event: dict[str, Any]) -> dict[str, Any]:
    """Read what Google shows."""
    texts = {name: _tidy(event.get(key)) for name, key in (("text", "summary"), ("ort", "location"))}
    notes = event.get("description", "")
    if notes.startswith("<span>"):
        notes = html.unescape(notes.removeprefix("<span>").removesuffix("</span>"))
    times = {"start": _point(event["start"]), "end": _point(event["end"]), "rule": _rule(event)}
    return {**times, **texts, "notiz": _tidy(notes)}


def _point(point: dict[str, str]) -> str:
    if "date" in point:
        return point["date"]
    return f"{datetime.fromisoformat(point['dateTime']).astimezone(BERLIN):%Y-%m-%dT%H:%M}"


def _rule(event: dict[str, Any]) -> tuple[str, int, str] | None:
    lines = event.get("recurrence")
    if not lines:
        return None
    parts = dict(part.split("=") for part in lines[0].removeprefix("RRULE:").split(";"))
    until = parts.get("UNTIL", "")
    if "T" in until:
        moment = datetime.strptime(until, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        until = f"{moment.astimezone(BERLIN):%Y%m%d}"
    return parts["FREQ"], int(parts.get("INTERVAL", "1")), until


def expected(row: dict[str, Any], *, full: bool) -> dict[str, Any]:
    """Say what Google has to show for a row."""
    first = date.fromisoformat(row["datum"][:10])
    last = date.fromisoformat((row["datumBis"] or row["datum"])[:10])
    rule = _series(row, first, last)
    last = first if rule else last
    if row["dauertermin"]:
        start, end = first.isoformat(), (max(first, last) + timedelta(days=1)).isoformat()
    else:
        opening = time.fromisoformat(row["uhrzeitVon"] or "09:00:00")
        begins, ends = _real(datetime.combine(first, opening)), _end(row, last, opening)
        ends = ends if ends > begins else _real(begins.replace(tzinfo=None) + HOUR)
        start, end = f"{begins:%Y-%m-%dT%H:%M}", f"{ends:%Y-%m-%dT%H:%M}"
    notes = (row["notiz"] or "").replace("\r\n", "\n").rpartition("[G:")
    texts = {"text": row["text"], "ort": row["ort"], "notiz": notes[0] if notes[1] else notes[2]}
    texts = {name: _tidy(text) for name, text in texts.items()}
    if not full:
        texts = {"text": PLACEHOLDER, "ort": "", "notiz": ""}
    return {"start": start, "end": end, "rule": rule, **texts}


def _end(row: dict[str, Any], last: date, opening: time) -> datetime:
    if row["uhrzeitBis"] is None:
        return _real(_real(datetime.combine(last, opening)).replace(tzinfo=None) + HOUR)
    return _real(datetime.combine(last, time.fromisoformat(row["uhrzeitBis"])))


def _real(wall: datetime) -> datetime:
    """Move a time that no clock in Berlin shows to the one that UTC makes of it."""
    return wall.replace(tzinfo=BERLIN).astimezone(UTC).astimezone(BERLIN).replace(fold=0)


def _series(row: dict[str, Any], first: date, last: date) -> tuple[str, int, str] | None:
    frequency = FREQUENCIES.get(row["turnusArt"])
    if not row["turnus"] or frequency is None:
        return None
    if last.year >= 2037:
        return frequency, row["turnus"], ""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    falls = [day for day in days if _falls(day, first, frequency, row["turnus"])]
    return frequency, row["turnus"], f"{falls[-1]:%Y%m%d}"


def _falls(day: date, first: date, frequency: str, interval: int) -> bool:
    months = (day.year - first.year) * 12 + day.month - first.month
    return {
        "DAILY": (day - first).days % interval == 0,
        "WEEKLY": (day - first).days % (7 * interval) == 0,
        "MONTHLY": day.day == first.day and months % interval == 0,
        "YEARLY": day.day == first.day and months % (12 * interval) == 0,
    }[frequency]


def _tidy(text: str | None) -> str:
    lines = unicodedata.normalize("NFC", text or "").replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).rstrip()
