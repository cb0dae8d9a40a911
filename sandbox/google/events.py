"""Say what a write makes of an event; every event is a dict that nobody changes afterwards."""

import re
import uuid
from typing import Any

from sandbox.google.errors import invalid
from sandbox.google.recurrence import check_recurrence
from sandbox.google.times import check_order, settled_point

Event = dict[str, Any]

READ_ONLY = frozenset(
    "kind etag created updated htmlLink creator organizer hangoutLink locked privateCopy attendeesOmitted"
    " recurringEventId originalStartTime".split()
)
FIXED = READ_ONLY | {"id", "iCalUID", "eventType"}
ENUMS = {
    "status": ("confirmed", "tentative", "cancelled"),
    "visibility": ("default", "public", "private", "confidential"),
    "transparency": ("opaque", "transparent"),
}
NOT_SHOWN = {"visibility": "default", "transparency": "opaque", "summary": "", "description": "", "location": ""}
ID = re.compile("[a-v0-9]{5,1024}")
KEY_LENGTH, VALUE_LENGTH, PROPERTY_COUNT, PROPERTY_BYTES = 44, 1024, 300, 32 * 1024
BASE32HEX = "0123456789abcdefghijklmnopqrstuv"


def new_id() -> str:
    """Invent an id in Google's alphabet."""
    number = uuid.uuid4().int
    return "".join(BASE32HEX[number >> shift & 31] for shift in range(0, 130, 5))


def created(body: Event, zone: str) -> Event:
    """Make an event of the body of an insert."""
    event = {key: value for key, value in body.items() if key not in READ_ONLY}
    event.setdefault("id", new_id())
    if not ID.fullmatch(event["id"]):
        raise invalid("Invalid resource id value.")
    if event.get("status") == "cancelled":
        raise invalid("An event cannot be created in the cancelled state.")
    event.setdefault("iCalUID", f"{event['id']}@google.com")
    event.setdefault("eventType", "default")
    return settled({"sequence": 0, **event}, zone)


def replaced(old: Event, body: Event, zone: str) -> Event:
    """Take everything from the body of an update; what it leaves out is gone."""
    if body.get("id", old["id"]) != old["id"]:
        raise invalid("The id of an event cannot be changed.")
    kept = {key: old[key] for key in FIXED if key in old}
    return _next_version(old, {"sequence": old["sequence"], **body, **kept}, zone)


def merged(old: Event, patch: Event, zone: str) -> Event:
    """Merge a patch: null deletes, arrays are replaced, maps are merged."""
    return _next_version(old, _merge(old, {k: v for k, v in patch.items() if k not in FIXED}), zone)


def _merge(old: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    old = old if isinstance(old, dict) else {}
    changed = {key: _merge(old.get(key), value) for key, value in patch.items() if value is not None}
    return {**{key: value for key, value in old.items() if key not in patch}, **changed}


def _next_version(old: Event, event: Event, zone: str) -> Event:
    if event["sequence"] < old["sequence"]:
        raise invalid("Invalid sequence value. The specified sequence number is below the current one.")
    event = settled(event, zone)
    moved = any(event.get(key) != old.get(key) for key in ("start", "end", "recurrence", "status"))
    return {**event, "sequence": max(event["sequence"], old["sequence"] + moved)}


def settled(event: Event, zone: str) -> Event:
    """Check an event as a whole and spell it as Google would."""
    for name, allowed in ENUMS.items():
        if event.get(name, allowed[0]) not in allowed:
            raise invalid(f"Invalid {name} value.")
    recurring = bool(event.get("recurrence"))
    if recurring and "recurringEventId" in event:
        raise invalid("Recurring event instances cannot be recurring themselves.")
    event = {"status": "confirmed", "reminders": {"useDefault": True}, **event}
    for name in ("start", "end"):
        if name not in event:
            raise invalid(f"Missing {name} time.", "required")
        event[name] = settled_point(event[name], name, zone, recurring=recurring)
    check_order(event["start"], event["end"])
    if recurring:
        check_recurrence(event["recurrence"], all_day="date" in event["start"])
    if "extendedProperties" in event:
        event["extendedProperties"] = _trimmed(event["extendedProperties"])
    hidden = [key for key, value in NOT_SHOWN.items() if event.get(key) == value]
    empty = [key for key in ("extendedProperties", "recurrence", "attendees") if event.get(key) in ({}, [])]
    return {key: value for key, value in event.items() if key not in hidden + empty}


def _trimmed(properties: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Drop long keys and cut long values without a word, as Google does."""
    kept = {
        side: {key: value[:VALUE_LENGTH] for key, value in items.items() if len(key) <= KEY_LENGTH}
        for side, items in properties.items()
    }
    pairs = [pair for items in kept.values() for pair in items.items()]
    if len(pairs) > PROPERTY_COUNT or sum(len((k + v).encode()) for k, v in pairs) > PROPERTY_BYTES:
        raise invalid("The extended properties exceed the allowed size limit.")
    return {side: items for side, items in kept.items() if items}


def tombstone(event: Event) -> Event:
    """Keep only what Google promises of a cancelled event."""
    kept = ("kind", "etag", "id", "status", "recurringEventId", "originalStartTime")
    return {key: event[key] for key in kept if key in event}
