"""Speak Google Calendar's API: events with etags and deterministic ids, calendars, sharing."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared.errors import UpstreamMalformedError, UpstreamUnavailableError
from shared.google.auth import fetch_token
from shared.google.errors import EVENT_ERRORS, LIST_ERRORS, ME, CalendarGoneError, EventGoneError, SyncTokenExpiredError
from shared.google.sender import Meaning, Rate, Sender, Service, Tokens
from shared.http import HttpClient
from shared.settings.calendar import GoogleSettings

TIMEOUT_S = 30.0
PATCH_UNITS = 3  # what Google charges for a patch; everything else is 1

Event = dict[str, Any]


@dataclass(frozen=True)
class EventList:
    """All events of a full or an incremental list, and the token that continues it."""

    items: list[Event]
    next_sync_token: str | None


@dataclass(frozen=True)
class Channel:
    """A push channel: its own id, where Google posts to, the token it shows there, and when it ends."""

    id: str
    address: str
    token: str
    expires_at: float


@dataclass(frozen=True)
class Opened:
    """What Google made of a channel: the id that closing it needs, and when it really ends."""

    resource: str
    expires_at: float


class GoogleCalendar:
    """Calls Google Calendar for one identity; threads may share it."""

    def __init__(  # noqa: PLR0913  what it works with
        self,
        settings: GoogleSettings,
        tokens: Tokens,
        bucket: Rate,
        *,
        http: HttpClient | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        once = replace(http or HttpClient(ME, TIMEOUT_S), get_retries=0)
        self._service = Service(settings.api_endpoint)
        self._sender = Sender(once, tokens, lambda: fetch_token(settings, once), bucket, sleep, clock)

    def until(self, deadline: float | None, on_request: Callable[[str], None] | None = None) -> GoogleCalendar:
        """Give a view of this client for one run.

        It sends nothing after `deadline` (a moment of the clock) and tells `on_request` the method id of every HTTP
        request, such as "events.list".
        """
        view = copy.copy(self)
        view._sender = replace(self._sender, deadline=deadline, on_request=on_request)
        return view

    def list_events(
        self,
        calendar_id: str,
        *,
        sync_token: str | None = None,
        time_min: datetime | None = None,
        before_page: Callable[[], None] | None = None,
    ) -> EventList:
        """List all events, or with `sync_token` those that changed; deleted ones included, series as masters.

        Raises SyncTokenExpiredError when a full list is needed and CalendarGoneError when there is no calendar.
        """
        narrowed: dict[str, Any] = {"syncToken": sync_token} if sync_token else {}
        if time_min is not None and not sync_token:
            narrowed["timeMin"] = time_min.isoformat()
        asked = {
            "calendarId": calendar_id,
            "maxResults": 2500,
            "eventTypes": ["default"],
            "showDeleted": True,
            "singleEvents": False,
            **narrowed,
        }
        # Google answers 400 to a token that it never gave out: then too, only a full list helps
        meaning = {**LIST_ERRORS, 400: SyncTokenExpiredError} if sync_token else LIST_ERRORS
        items: list[Event] = []
        token = None
        for page in self._pages("events", asked, meaning, before_page):
            items += _items(page, "calendar#events")
            token = page.get("nextSyncToken")
        return EventList(items, token if isinstance(token, str) and token else None)

    def get_event(self, calendar_id: str, event_id: str) -> Event | None:
        """Read one event, also a deleted one; None means that Google knows of none."""
        request = self._service["events"].get(calendarId=calendar_id, eventId=event_id)
        try:
            return self._event(request)
        except EventGoneError:
            return None

    def events_with(self, calendar_id: str, name: str, value: str) -> list[Event]:
        """Find the living events, of any time, that carry a private property."""
        asked = {"calendarId": calendar_id, "privateExtendedProperty": f"{name}={value}", "maxResults": 250}
        pages = self._pages("events", asked, LIST_ERRORS)
        return [item for page in pages for item in _items(page, "calendar#events")]

    def insert_event(self, calendar_id: str, body: Event) -> Event:
        """Insert an event; with an id of ours it may be sent again, so EventExistsError can mean our own first try."""
        request = self._service["events"].insert(calendarId=calendar_id, body=body, sendUpdates="none")
        return self._event(request, repeatable="id" in body)

    def update_event(self, calendar_id: str, event_id: str, body: Event, etag: str) -> Event:
        """Put a whole event in the place of the one that has this etag."""
        method = self._service["events"].update
        request = method(calendarId=calendar_id, eventId=event_id, body=body, sendUpdates="none")
        return self._event(_if_match(request, etag))

    def patch_event(self, calendar_id: str, event_id: str, body: Event, etag: str) -> Event:
        """Change some fields of the event that has this etag."""
        method = self._service["events"].patch
        request = method(calendarId=calendar_id, eventId=event_id, body=body, sendUpdates="none")
        return self._event(_if_match(request, etag), units=PATCH_UNITS)

    def delete_event(self, calendar_id: str, event_id: str, etag: str) -> None:
        """Delete the event that has this etag; one that is gone already is fine."""
        request = self._service["events"].delete(calendarId=calendar_id, eventId=event_id, sendUpdates="none")
        try:
            self._sender.send(_if_match(request, etag), EVENT_ERRORS)
        except EventGoneError:
            return

    def find_calendar(self, summary: str) -> str | None:
        """Find a calendar of this name that we may write to; of several, everybody finds the same."""
        found = []
        for page in self._pages("calendarList", {"maxResults": 250, "showHidden": True}, {}):
            for entry in _items(page, "calendar#calendarList"):
                role = entry.get("accessRole", "owner")
                if entry.get("summary") == summary and role in {"owner", "writer"}:
                    found.append((role != "owner", str(entry["id"])))
        return min(found)[1] if found else None

    def create_calendar(self, summary: str) -> str:
        """Create a calendar in Berlin's zone; when the outcome is unknown it is looked for, not created again."""
        body = {"summary": summary, "timeZone": "Europe/Berlin"}
        try:
            answer = self._sender.send(self._service["calendars"].insert(body=body), {}, repeatable=False)
            return str(_identified(answer)["id"])
        except (UpstreamUnavailableError, UpstreamMalformedError):
            found = self.find_calendar(summary)
            if found is None:
                raise
            return found

    def delete_calendar(self, calendar_id: str) -> None:
        """Delete a calendar with everything in it; one that is gone already is fine."""
        try:
            self._sender.send(self._service["calendars"].delete(calendarId=calendar_id), {404: CalendarGoneError})
        except CalendarGoneError:
            return

    def share(self, calendar_id: str, email: str) -> None:
        """Let somebody write to a calendar, without a mail about it."""
        body = {"role": "writer", "scope": {"type": "user", "value": email}}
        request = self._service["acl"].insert(calendarId=calendar_id, body=body, sendNotifications=False)
        self._sender.send(request, {404: CalendarGoneError})

    def watch(self, calendar_id: str, channel: Channel) -> Opened:
        """Open a push channel for a calendar's events; never repeated, because a channel's id counts once."""
        body = {
            "id": channel.id,
            "type": "web_hook",
            "address": channel.address,
            "token": channel.token,
            "expiration": str(int(channel.expires_at * 1000)),
        }
        request = self._service["events"].watch(calendarId=calendar_id, body=body)
        answer = _identified(self._sender.send(request, {404: CalendarGoneError}, repeatable=False))
        ends = str(answer.get("expiration", ""))
        expires_at = int(ends) / 1000 if ends.isascii() and ends.isdigit() else channel.expires_at
        return Opened(str(answer.get("resourceId", "")), expires_at)

    def stop(self, channel_id: str, resource_id: str) -> None:
        """Close a push channel; one that has ended already is fine."""
        request = self._service["channels"].stop(body={"id": channel_id, "resourceId": resource_id})
        try:
            self._sender.send(request, {404: EventGoneError})
        except EventGoneError:
            return

    def _event(self, request: Any, **how: Any) -> Event:
        return _identified(self._sender.send(request, EVENT_ERRORS, **how))

    def _pages(
        self, collection: str, asked: dict[str, Any], meaning: Meaning, before_page: Callable[[], None] | None = None
    ) -> Iterator[dict[str, Any]]:
        seen: set[str] = set()
        place: dict[str, str] = {}
        while True:
            if before_page is not None:
                before_page()
            page = self._sender.send(self._service[collection].list(**asked, **place), meaning)
            if not isinstance(page, dict):
                raise UpstreamMalformedError(ME, f"{ME} answered no list")
            yield page
            following = page.get("nextPageToken")
            if not following:
                return
            if not isinstance(following, str) or following in seen:
                raise UpstreamMalformedError(ME, f"{ME} answered a list without end")
            seen.add(following)
            place = {"pageToken": following}


def _if_match(request: Any, etag: str) -> Any:
    if not etag:
        raise ValueError("a write needs the etag of what it changes")
    request.headers["If-Match"] = etag
    return request


def _identified(answer: Any) -> dict[str, Any]:
    if not isinstance(answer, dict) or not isinstance(answer.get("id"), str) or not answer["id"]:
        raise UpstreamMalformedError(ME, f"{ME} answered something without an id")
    return answer


def _items(page: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """Read a page's items; a page may be empty, but only if it is one of Google's."""
    items = page.get("items", [] if page.get("kind") == kind else None)
    if not isinstance(items, list):
        raise UpstreamMalformedError(ME, f"{ME} answered no list")
    return [_identified(item) for item in items]
