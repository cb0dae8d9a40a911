"""Google's event and an Appointment, both ways (calendar-sync sections 1, 4.7 and 4.8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.domain.appointment import BERLIN, TIME_FIELDS, Appointment
from shared.mapping.berlin import midnight
from shared.mapping.recurrence import from_rrule, to_lines
from shared.mapping.text import dressed, plain_text

Event = Mapping[str, Any]
ZONE = "Europe/Berlin"
EARLIEST_YEAR, LATEST_YEAR = 1000, 9998


class UnusableEventError(ValueError):
    """An event without readable times; a tombstone that kept only its id is one."""


def to_appointment(event: Event) -> Appointment:
    """Read an event in Berlin wall-clock minutes; its description as plain text."""
    start, all_day = _moment(event.get("start"))
    end, all_day_end = _moment(event.get("end"))
    if all_day != all_day_end:
        raise UnusableEventError("a date and a time")
    return Appointment(
        start,
        end,
        all_day,
        from_rrule(_lines(event), start, elsewhere=not all_day and _keeps_other_hours(event["start"], start)),
        _text(event, "summary"),
        _text(event, "location"),
        plain_text(_text(event, "description")),
    )


def _keeps_other_hours(value: Mapping[str, Any], start: datetime) -> bool:
    """Tell whether a series follows a zone in which Berlin's hour of it would change with the season."""
    try:
        zone = ZoneInfo(value.get("timeZone") or ZONE)
    except (ValueError, TypeError, OSError, ZoneInfoNotFoundError):
        return False
    noons = [datetime(start.year, month, 1, 12) for month in (1, 4, 7, 11)]  # noqa: DTZ001 - zones are compared
    return any(noon.replace(tzinfo=zone).utcoffset() != noon.replace(tzinfo=BERLIN).utcoffset() for noon in noons)


def _text(event: Event, key: str) -> str:
    value = event.get(key)
    return value if isinstance(value, str) else ""


def _lines(event: Event) -> list[str]:
    lines = event.get("recurrence")
    given = isinstance(lines, Sequence) and not isinstance(lines, str)
    return [line for line in lines if isinstance(line, str)] if given and lines else []


def _moment(value: object) -> tuple[datetime, bool]:
    if not isinstance(value, Mapping):
        raise UnusableEventError("time missing")
    try:
        if value.get("date"):
            return _plausible(midnight(date.fromisoformat(value["date"]))), True
        moment = datetime.fromisoformat(value.get("dateTime") or "")
        zone = ZoneInfo(value.get("timeZone") or ZONE) if moment.tzinfo is None else moment.tzinfo
        exact = moment.replace(tzinfo=zone).astimezone(UTC).astimezone(BERLIN)
    except (ValueError, TypeError, OverflowError, OSError, ZoneInfoNotFoundError) as error:
        raise UnusableEventError("time unreadable") from error
    return _plausible(exact).replace(second=0, microsecond=0), False


def _plausible(moment: datetime) -> datetime:
    if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
        raise UnusableEventError("time out of reach")
    return moment


def anonymised(appointment: Appointment, placeholder: str) -> Appointment:
    """Show times only: the placeholder as title, no place, no notes."""
    return replace(appointment, text=placeholder, place="", notes="")


def to_body(appointment: Appointment, *, private: bool) -> dict[str, Any]:
    """Write a new event's content; empty texts are left out."""
    body: dict[str, Any] = _times(appointment)
    if appointment.recurrence:
        body["recurrence"] = to_lines(appointment.recurrence, appointment.start, appointment.all_day)
    texts = {"summary": appointment.text, "location": appointment.place, "description": dressed(appointment.notes)}
    body |= {key: value for key, value in texts.items() if value}
    if private:
        body["visibility"] = "private"
    return body


def _times(appointment: Appointment) -> dict[str, Any]:
    if appointment.all_day:
        return {
            "start": {"date": appointment.start.date().isoformat()},
            "end": {"date": appointment.end.date().isoformat()},
        }
    return {
        "start": {"dateTime": _wall(appointment.start), "timeZone": ZONE},
        "end": {"dateTime": _wall(appointment.end), "timeZone": ZONE},
    }


def _wall(moment: datetime) -> str:
    return moment.astimezone(BERLIN).strftime("%Y-%m-%dT%H:%M:%S")


def with_content(event: Event, target: Appointment) -> dict[str, Any]:
    """Copy an event as it was read whole with the content of the target; what is equal already stays untouched."""
    changed = dict(event)
    try:
        now = to_appointment(event).canonical()
    except UnusableEventError:
        now = {}
    wanted = target.canonical()
    differing = {name for name, value in wanted.items() if now.get(name) != value}
    if differing & TIME_FIELDS:
        changed |= _times(target)
        _put(changed, "recurrence", _recurrence(event, target, keep_exceptions="start" not in differing))
    for name, key, value in (
        ("text", "summary", target.text),
        ("ort", "location", target.place),
        ("notiz", "description", dressed(target.notes)),
    ):
        if name in differing:
            _put(changed, key, value)
    return changed


def _recurrence(event: Event, target: Appointment, *, keep_exceptions: bool) -> list[str]:
    if target.recurrence is None:
        return []
    lines = to_lines(target.recurrence, target.start, target.all_day)
    if keep_exceptions:
        lines += [line for line in _lines(event) if line.upper().startswith("EXDATE")]
    return lines


def _put(body: dict[str, Any], key: str, value: object) -> None:
    if value:
        body[key] = value
    else:
        body.pop(key, None)
