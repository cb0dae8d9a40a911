"""Check and spell the times of events as Google does."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox.google.errors import GoogleError, invalid
from sandbox.google.recurrence import last_moment
from sandbox.google.values import read_moment

Point = dict[str, Any]
FOR_EVER = datetime.max.replace(tzinfo=UTC)


def zone_named(name: str, what: str) -> ZoneInfo:
    """Find a time zone, or refuse its name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise invalid(f"Invalid time zone definition for {what}.") from error


def settled_point(point: Point, what: str, default_zone: str, *, recurring: bool) -> Point:
    """Check one end of an event and spell it with the offset of its zone."""
    day, text, zone = point.get("date"), point.get("dateTime"), point.get("timeZone")
    if (day is None) == (text is None):
        raise invalid(f"Invalid {what} time.")
    if day is not None:
        return {"date": day}
    moment = read_moment(text)
    if zone is None and (recurring or moment.tzinfo is None):
        raise GoogleError(400, "required", f"Missing time zone definition for {what} time.")
    home = zone_named(zone or default_zone, f"{what} time")
    moment = moment if moment.tzinfo else moment.replace(tzinfo=home)
    return {"dateTime": spelt(moment, home), "timeZone": home.key}


def spelt(moment: datetime, zone: ZoneInfo) -> str:
    """Write a moment in a zone; a wall time inside a gap moves to where UTC says it is."""
    return moment.astimezone(UTC).astimezone(zone).isoformat(timespec="seconds").replace("+00:00", "Z")


def in_zone(point: Point, zone: ZoneInfo) -> Point:
    """Show a time in the zone that a request asks for."""
    return {**point, "dateTime": spelt(read_moment(point["dateTime"]), zone)} if "dateTime" in point else point


def instant(point: Point, zone: str) -> datetime:
    """Tell when a point is; a day begins at midnight in the calendar's zone."""
    if "date" in point:
        return datetime.combine(date.fromisoformat(point["date"]), time(), ZoneInfo(zone))
    return read_moment(point["dateTime"])


def check_order(start: Point, end: Point) -> None:
    """Refuse an end that is no later than the start, or of the other kind."""
    if ("date" in start) != ("date" in end):
        raise invalid("The start and end times must either both be date or both be dateTime.")
    if instant(end, "UTC") <= instant(start, "UTC"):
        raise invalid("The specified time range is empty.", "timeRangeEmpty")


def span(event: dict[str, Any], zone: str) -> tuple[datetime, datetime]:
    """Tell from when to when an event lasts, a series from its first to about its last occurrence."""
    start, end = instant(event["start"], zone), instant(event["end"], zone)
    last = last_moment(event.get("recurrence", ()), start)
    if last is None or last.year > 9000:
        return start, FOR_EVER
    return start, max(end, last + (end - start) + timedelta(seconds=1)) if last > start else end
