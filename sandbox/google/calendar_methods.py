"""Carry out the methods around calendars: their list, who may see them, push channels."""

from typing import TYPE_CHECKING, Any

from sandbox.google.asked import NO_ANSWER, Answer, Asked
from sandbox.google.errors import GoogleError, invalid, not_found
from sandbox.google.store import ROLES, Calendar

if TYPE_CHECKING:
    from sandbox.google.app import Google


def channel_stop(google: "Google", asked: Asked) -> Answer:
    """Answer channels.stop."""
    google.channels.stop(asked.body)
    return NO_ANSWER


def calendar_get(google: "Google", asked: Asked) -> Answer:
    """Answer calendars.get."""
    return google.store.calendar(asked.path["calendarId"], asked.identity).resource()


def calendar_insert(google: "Google", asked: Asked) -> Answer:
    """Answer calendars.insert: the caller owns the new calendar."""
    kept = {key: asked.body[key] for key in ("description", "location", "timeZone") if key in asked.body}
    return google.store.add_calendar(asked.body["summary"], asked.identity, **kept).resource()


def calendar_delete(google: "Google", asked: Asked) -> Answer:
    """Answer calendars.delete."""
    calendar = google.store.calendar(asked.path["calendarId"], asked.identity, "owner")
    if calendar.id == calendar.owner:
        raise invalid("The primary calendar cannot be deleted.", "cannotDeletePrimaryCalendar")
    google.store.remove_calendar(calendar)
    return NO_ANSWER


def list_list(google: "Google", asked: Asked) -> Answer:
    """Answer calendarList.list in pages."""
    if "syncToken" in asked.params:
        raise GoogleError(410, "fullSyncRequired", "Sync token is no longer valid, a full sync is required.")
    entries = [_list_entry(google, asked.identity, each) for each in google.store.list_of(asked.identity)]
    least = ROLES.index(asked.params.get("minAccessRole", "none"))
    entries = [entry for entry in entries if ROLES.index(entry["accessRole"]) >= least]
    start, size = _offset(asked), min(asked.params.get("maxResults", 100), 250)
    more = {"nextPageToken": str(start + size)} if len(entries) > start + size else {}
    items = entries[start : start + size]
    return {"kind": "calendar#calendarList", "etag": f'"p{len(entries)}"', "items": items, **more}


def _offset(asked: Asked) -> int:
    text = asked.params.get("pageToken", "0")
    if not text.isdigit():
        raise invalid("Invalid page token value.")
    return int(text)


def list_get(google: "Google", asked: Asked) -> Answer:
    """Answer calendarList.get."""
    calendar = google.store.calendar(asked.path["calendarId"], asked.identity)
    if calendar.id not in google.store.list_of(asked.identity):
        raise not_found()
    return _list_entry(google, asked.identity, calendar.id)


def list_insert(google: "Google", asked: Asked) -> Answer:
    """Answer calendarList.insert: put a shared calendar on the caller's list."""
    calendar = google.store.calendar(asked.body["id"], asked.identity)
    ids = google.store.list_of(asked.identity)
    if calendar.id not in ids:
        ids.append(calendar.id)
    return _list_entry(google, asked.identity, calendar.id)


def _list_entry(google: "Google", identity: str, calendar_id: str) -> dict[str, Any]:
    calendar = google.store.calendars[calendar_id]
    extra = {"accessRole": calendar.role_of(identity), "defaultReminders": [], "selected": True}
    primary = {"primary": True} if calendar_id == identity else {}
    return {**calendar.resource(), "kind": "calendar#calendarListEntry", **extra, **primary}


def acl_list(google: "Google", asked: Asked) -> Answer:
    """Answer acl.list."""
    calendar = google.store.calendar(asked.path["calendarId"], asked.identity, "owner")
    return {"kind": "calendar#acl", "etag": calendar.etag, "items": [_rule(calendar, each) for each in calendar.acl]}


def acl_insert(google: "Google", asked: Asked) -> Answer:
    """Answer acl.insert: the same scope again is replaced; sync tokens die and a mail goes out unless refused."""
    calendar = google.store.calendar(asked.path["calendarId"], asked.identity, "owner")
    role, scope = asked.body["role"], asked.body["scope"]
    if role not in ROLES or scope["type"] not in ("default", "user", "group", "domain"):
        raise invalid("Invalid role or scope.")
    if (scope["type"] == "default") == bool(scope.get("value")):
        raise invalid("Invalid scope value.")
    rule_id = f"{scope['type']}:{scope['value']}" if "value" in scope else "default"
    calendar.acl[rule_id] = {"role": role, "scope": scope, "etag": google.store.etag()}
    calendar.epoch += 1
    if asked.params.get("sendNotifications", True) and scope["type"] in ("user", "group"):
        google.mails.append(scope["value"])
    return _rule(calendar, rule_id)


def acl_delete(google: "Google", asked: Asked) -> Answer:
    """Answer acl.delete."""
    calendar = google.store.calendar(asked.path["calendarId"], asked.identity, "owner")
    if calendar.acl.pop(asked.path["ruleId"], None) is None:
        raise not_found()
    calendar.epoch += 1
    return NO_ANSWER


def _rule(calendar: Calendar, rule_id: str) -> dict[str, Any]:
    return {"kind": "calendar#aclRule", "etag": calendar.etag, "id": rule_id, **calendar.acl[rule_id]}
