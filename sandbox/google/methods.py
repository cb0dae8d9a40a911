"""List the methods of the API that the double carries out."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox.google import calendar_methods, event_methods
from sandbox.google.asked import Answer, Asked

if TYPE_CHECKING:
    from sandbox.google.app import Google

METHODS: dict[str, Callable[["Google", Asked], Answer]] = {
    "events.list": event_methods.event_list,
    "events.get": event_methods.event_get,
    "events.insert": event_methods.event_insert,
    "events.update": event_methods.event_update,
    "events.patch": event_methods.event_patch,
    "events.delete": event_methods.event_delete,
    "events.watch": event_methods.event_watch,
    "channels.stop": calendar_methods.channel_stop,
    "calendars.get": calendar_methods.calendar_get,
    "calendars.insert": calendar_methods.calendar_insert,
    "calendars.delete": calendar_methods.calendar_delete,
    "calendarList.list": calendar_methods.list_list,
    "calendarList.get": calendar_methods.list_get,
    "calendarList.insert": calendar_methods.list_insert,
    "acl.list": calendar_methods.acl_list,
    "acl.insert": calendar_methods.acl_insert,
    "acl.delete": calendar_methods.acl_delete,
}
