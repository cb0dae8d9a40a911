"""Advoware's Termin and an Appointment, both ways; the one place that knows these fields.

Shapes: calendar-sync "Decided for this project". `datum`, `datumBis` are dates with or without a midnight
time, `uhrzeitVon`, `uhrzeitBis` are `HH:MM:SS`, `HH:MM` or null, and `24:00` is the midnight that ends the day; in a
series `datumBis` is the last day of the series and every occurrence ends on its own day. Rows stay plain dicts,
so fields we do not know survive a write.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

from shared.domain.appointment import BERLIN, TIME_FIELDS, Appointment, Recurrence
from shared.mapping.berlin import berlin, midnight, wall_later
from shared.mapping.recurrence import ART_OF, ENDLESS_YEAR, from_turnus

Row = Mapping[str, Any]

DEFAULT_START = timedelta(hours=9)
DEFAULT_LENGTH = timedelta(hours=1)
EARLIEST, LATEST = date(1900, 1, 1), date(9000, 12, 31)  # beyond these a date is a way to say "none" or "never"
_DAYS_END = re.compile(r"24:00(?::00)?")
_WHOLE_DAY = timedelta(days=1)
_LINE_END = re.compile(r"\r\n?|\n")
_MARKER = re.compile(r"\[G:([A-Za-z0-9_-]{22})\]\s*")


class UnusableTerminError(ValueError):
    """A row without a readable date; it takes part in nothing until someone mends it."""


def to_appointment(row: Row, all_day_field: str = "dauertermin") -> Appointment:
    """Read a row; a missing start is 09:00, a missing, equal or earlier end is one hour (one day) later."""
    first = _day(row.get("datum"))
    if first is None:
        raise UnusableTerminError("datum")
    last = _day(row.get("datumBis")) or first
    texts = {
        "text": _text(row.get("text")),
        "place": _text(row.get("ort")),
        "notes": strip_marker(_text(row.get("notiz"))),
    }
    if _flag(row.get(all_day_field)):
        rule = _series(row, first, last, all_day_field)
        end_day = first if rule else max(first, last)
        return Appointment(midnight(first), midnight(end_day + timedelta(days=1)), True, rule, **texts)
    start, end, rule = _times(row, first, last, all_day_field)
    return Appointment(start, end, False, rule, **texts)


def _times(row: Row, first: date, last: date, all_day_field: str) -> tuple[datetime, datetime, Recurrence | None]:
    opening, closing = _clock(row.get("uhrzeitVon")), _clock(row.get("uhrzeitBis"))
    opening = DEFAULT_START if opening is None else opening
    start = _at(first, opening)
    late = timedelta(days=opening.days)  # a series that begins when its days end falls on the next ones
    rule = _series(row, first + late, last + late, all_day_field)
    if closing is None:
        end = wall_later(start if rule else _at(last, opening), DEFAULT_LENGTH)
    else:
        end = _at(start.date() if rule else last, closing)
    return start, end if end > start else wall_later(start, DEFAULT_LENGTH), rule


def _series(row: Row, first: date, last: date, all_day_field: str) -> Recurrence | None:
    if all_day_field == "abwesenheit" and not _flag(row.get("dauertermin")):
        return None
    return from_turnus(_number(row.get("turnus")), _number(row.get("turnusArt")), first, last)


def with_fields(row: Row, target: Appointment, fields: Collection[str], all_day_field: str) -> dict[str, Any]:
    """Copy a fresh row with the named fields taken from the target; times change together, a marker stays."""
    changed = dict(row)
    if TIME_FIELDS & set(fields):
        changed |= _time_fields(row, target, all_day_field)
    if "text" in fields:
        changed["text"] = target.text
    if "ort" in fields:
        changed["ort"] = target.place
    if "notiz" in fields:
        changed["notiz"] = with_marker(target.notes, marker_of(_text(row.get("notiz"))))
    return changed


def new_row(target: Appointment, kuerzel: str, marker: str | None, all_day_field: str) -> dict[str, Any]:
    """Write a whole new row for one employee."""
    row = {"anwalt": kuerzel, "text": target.text, "ort": target.place, "notiz": with_marker(target.notes, marker)}
    return row | _time_fields({}, target, all_day_field)


def _time_fields(row: Row, target: Appointment, all_day_field: str) -> dict[str, Any]:
    rule = target.recurrence
    first, last = target.start.astimezone(BERLIN), target.end.astimezone(BERLIN)
    if target.all_day:
        last -= timedelta(days=1)
    last_day = (rule.until or date(ENDLESS_YEAR, 12, 31)) if rule else last.date()
    fields: dict[str, Any] = {
        "datum": _spell(first.date(), row.get("datum")),
        "datumBis": _spell(last_day, row.get("datumBis")),
        "turnus": rule.interval if rule else 0,
        "turnusArt": ART_OF[rule.frequency] if rule else 0,
        "dauertermin": int(rule is not None) if all_day_field == "abwesenheit" else int(target.all_day),
    }
    if all_day_field == "abwesenheit":
        fields["abwesenheit"] = int(target.all_day)
    return fields | _clocks(row, target, all_day_field)


def _clocks(row: Row, target: Appointment, all_day_field: str) -> dict[str, Any]:
    if not target.all_day:
        start, end = target.start.astimezone(BERLIN), target.end.astimezone(BERLIN)
        return {"uhrzeitVon": f"{start:%H:%M}:00", "uhrzeitBis": f"{end:%H:%M}:00"}
    if all_day_field == "abwesenheit":
        return {"uhrzeitVon": "00:00:00", "uhrzeitBis": "23:59:00"}
    was_all_day = _flag(row.get(all_day_field))
    return {name: row.get(name) if was_all_day else None for name in ("uhrzeitVon", "uhrzeitBis")}


def marker_of(notiz: str) -> str | None:
    """Find the token of the marker line; people go on writing below it, and of several the last one counts."""
    found = [match.group(1) for line in _LINE_END.split(notiz) if (match := _MARKER.fullmatch(line))]
    return found[-1] if found else None


def strip_marker(notiz: str) -> str:
    """Drop marker lines, wherever they stand; nothing of them may reach Google or a hash."""
    if marker_of(notiz) is None:
        return notiz
    return "\n".join(line for line in _LINE_END.split(notiz) if not _MARKER.fullmatch(line)).rstrip()


def with_marker(notes: str, token: str | None) -> str:
    """Put the marker line at the end of a note; an empty note is the marker alone."""
    clean = strip_marker(notes)
    if token is None:
        return clean
    return f"{clean}\n[G:{token}]" if clean else f"[G:{token}]"


def as_kept(target: Appointment, marker: str | None, answered: Row) -> Appointment:
    """Give what Advoware holds of an appointment just written: of a text that it cut short, the part it kept.

    Nothing else of an answer counts: it may be incomplete, or show what a person has changed since.
    """
    return replace(
        target,
        text=_kept(target.text, answered.get("text")),
        place=_kept(target.place, answered.get("ort")),
        notes=strip_marker(_kept(with_marker(target.notes, marker), answered.get("notiz"))),
    )


def _kept(sent: str, answered: object) -> str:
    part = _text(answered)
    whole, beginning = ("\n".join(_LINE_END.split(text)) for text in (sent, part))
    return part if part.strip() and len(beginning) < len(whole) and whole.startswith(beginning) else sent


def is_for_everybody(row: Row) -> bool:
    """Tell whether it is an appointment of everybody (an empty or ALLE `anwalt`)."""
    return _text(row.get("anwalt")).strip().upper() in {"", "ALLE"}


def changed_at(row: Row) -> datetime | None:
    """Read `zuletztGeaendertAm`; without a zone it is Berlin time."""
    try:
        moment = datetime.fromisoformat(_text(row.get("zuletztGeaendertAm")))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=BERLIN)


def _day(value: object) -> date | None:
    try:
        day = date.fromisoformat(_text(value)[:10])
    except ValueError:
        return None
    return min(day, LATEST) if day >= EARLIEST else None


def _clock(value: object) -> timedelta | None:
    """Read how far into its day something is; the end of a day is a whole one."""
    text = _text(value).rpartition("T")[2].strip()
    if not text:
        return None
    if _DAYS_END.fullmatch(text):
        return _WHOLE_DAY
    try:
        clock = time.fromisoformat(text.zfill(len(text) + 1) if text[1:2] == ":" else text)
    except ValueError:
        raise UnusableTerminError("uhrzeit") from None
    return timedelta(hours=clock.hour, minutes=clock.minute)


def _at(day: date, passed: timedelta) -> datetime:
    moment = datetime.combine(day, time()) + passed  # a wall clock; `berlin` gives it its zone
    return berlin(moment.date(), moment.time())


def _spell(day: date, example: object) -> str:
    """Write a date the way the row spells its dates."""
    plain = isinstance(example, str) and len(example) == 10
    return day.isoformat() if plain else f"{day.isoformat()}T00:00:00"


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _number(value: object) -> int:
    try:
        return int(_text(value) or "0")
    except ValueError:
        return 0


def _flag(value: object) -> bool:
    return value is True or _text(value).strip().lower() in {"1", "true"}
