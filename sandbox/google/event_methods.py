"""Carry out the methods of the events resource."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox.google import events
from sandbox.google.asked import NO_ANSWER, Answer, Asked
from sandbox.google.errors import GoogleError, invalid, not_found
from sandbox.google.store import Calendar, Entry
from sandbox.google.sync import is_gone, list_events, shown

if TYPE_CHECKING:
    from sandbox.google.app import Google


def event_list(google: "Google", asked: Asked) -> Answer:
    """Answer events.list."""
    calendar = google.store.calendar(asked.path["calendarId"], asked.identity)
    page = list_events(calendar, asked.params, google.manners, google.clock())
    head = {
        "kind": "calendar#events",
        "etag": f'"p{calendar.seq}"',
        "summary": calendar.summary,
        "updated": google.store.now(),
        "timeZone": calendar.zone,
        "accessRole": calendar.role_of(asked.identity),
        "defaultReminders": [],
    }
    return {**head, **page}


def event_get(google: "Google", asked: Asked) -> Answer:
    """Answer events.get, also for a tombstone that is still in the bin."""
    calendar = google.store.calendar(asked.path["calendarId"], asked.identity)
    entry = _entry(google, calendar, asked)
    if asked.if_none_match in ("*", entry.event["etag"]):
        raise GoogleError(304, "notModified", "Not Modified")
    return shown(entry, google.manners)


def event_insert(google: "Google", asked: Asked) -> Answer:
    """Answer events.insert; the id of a deleted event stays taken."""
    calendar = google.store.calendar(asked.path["calendarId"], asked.identity, "writer")
    if asked.body.get("id") in calendar.entries:
        raise GoogleError(409, "duplicate", "The requested identifier already exists.")
    return google.put(calendar, events.created(asked.body, calendar.zone), asked.identity)


def event_update(google: "Google", asked: Asked) -> Answer:
    """Answer events.update: the body is the whole event."""
    return _rewrite(google, asked, events.replaced)


def event_patch(google: "Google", asked: Asked) -> Answer:
    """Answer events.patch: the body is merged into the event."""
    return _rewrite(google, asked, events.merged)


def _rewrite(google: "Google", asked: Asked, change: Callable[..., events.Event]) -> Answer:
    calendar = google.store.calendar(asked.path["calendarId"], asked.identity, "writer")
    entry = _entry(google, calendar, asked)
    _check_match(asked, entry)
    event = change(entry.event, asked.body, calendar.zone)
    cancelled = event["status"] == "cancelled"
    if entry.cancelled and not cancelled and not google.restore_allowed:
        raise GoogleError(403, "forbidden", "Forbidden")
    if cancelled and not entry.cancelled and not google.cancel_allowed:
        raise invalid("Invalid status value.")
    return google.put(calendar, event, asked.identity)


def event_delete(google: "Google", asked: Asked) -> Answer:
    """Answer events.delete; a second time there is nothing to delete."""
    calendar = google.store.calendar(asked.path["calendarId"], asked.identity, "writer")
    entry = _entry(google, calendar, asked)
    if entry.cancelled:
        raise GoogleError(410, "deleted", "Resource has been deleted")
    _check_match(asked, entry)
    google.cancel(calendar, entry, asked.identity)
    return NO_ANSWER


def _entry(google: "Google", calendar: Calendar, asked: Asked) -> Entry:
    entry = calendar.entries.get(asked.path["eventId"])
    if entry is None or is_gone(entry, google.manners):
        raise not_found()
    return entry


def _check_match(asked: Asked, entry: Entry) -> None:
    if asked.if_match not in (None, "*", entry.event["etag"]):
        raise GoogleError(412, "conditionNotMet", "Precondition Failed", locationType="header", location="If-Match")


def event_watch(google: "Google", asked: Asked) -> Answer:
    """Answer events.watch and send the first message."""
    calendar = google.store.calendar(asked.path["calendarId"], asked.identity)
    channel = google.channels.watch(calendar.id, asked.uri.removesuffix("/watch"), asked.body)
    google.channels.notify_soon(channel, "sync")
    return channel.resource()
