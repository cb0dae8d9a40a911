"""Answer for Google: tokens, then each call checked against the discovery document, then carried out."""

import gzip
import json
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from werkzeug.wrappers import Request, Response

from sandbox.double import Double, json_response
from sandbox.google.asked import Asked
from sandbox.google.discovery import Method, check_answer, find_method, read_body, read_parameters
from sandbox.google.errors import GoogleError
from sandbox.google.events import Event
from sandbox.google.hands import Hands
from sandbox.google.methods import METHODS
from sandbox.google.oauth import OAuthError, TokenOffice
from sandbox.google.push import Channels
from sandbox.google.quota import PATCH_UNITS, Quota
from sandbox.google.store import Calendar, Entry, Store
from sandbox.google.sync import Manners

WORTH_PACKING = 1000


class Google(Double, Hands):
    """Stand in for Google's token endpoint and Calendar API.

    Switches: `manners` (tombstones, page_cap, empty_first_page, list_lag_s), `restore_allowed`, `cancel_allowed`,
    `quota.per_minute`, `quota.refusal`, `office.subjects`, `office.token_ttl_s`, `auto_notify`, `check_answers`.
    """

    def __init__(self, quota_per_minute: int | None = 600, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self.clock = clock
        self.lock = threading.RLock()
        self.store, self.quota = Store(clock), Quota(clock, quota_per_minute)
        self.office, self.channels = TokenOffice(clock), Channels(clock)
        self.manners = Manners()
        self.restore_allowed = self.cancel_allowed = True
        self.auto_notify = self.check_answers = False
        self.mails: list[str] = []

    def handle(self, request: Request) -> Response:
        """Answer one call."""
        try:
            if request.path == "/switch/auto-notify":  # POST: tell push channels of every change, DELETE: stop that
                self.auto_notify = request.method == "POST"
                return json_response({"auto_notify": self.auto_notify})
            if request.path == "/token":
                return json_response(self._token(request))
            return _packed(self._call(request), request)
        except OAuthError as error:
            return json_response(error.body, error.status)
        except GoogleError as error:
            return _refused(error)

    def _token(self, request: Request) -> dict[str, Any]:
        if request.method != "POST":
            raise GoogleError(405, "httpMethodNotAllowed", "Method Not Allowed")
        with self.lock:
            return self.office.issue(request.form, request.base_url)

    def _call(self, request: Request) -> dict[str, Any] | None:
        http, query, raw = _read(request)
        method, path = find_method(http, request.path)
        with self.lock:
            identity = self._admit(request, method, query)
            params, body = read_parameters(method, query), read_body(method, raw)
            if method.id not in METHODS:
                raise GoogleError(501, "notImplemented", f"This double does not carry out {method.id}.")
            matches = request.headers.get("If-Match"), request.headers.get("If-None-Match")
            answer = METHODS[method.id](self, Asked(identity, path, params, body, *matches, request.base_url))
        if self.check_answers:
            check_answer(method, answer)
        return answer

    def _admit(self, request: Request, method: Method, query: dict[str, list[str]]) -> str:
        """Check the token, its scope and the quota, and tell who is calling."""
        grant = self.office.grant_of(request.headers.get("Authorization", ""))
        if not grant.scopes & method.scopes:
            raise GoogleError(403, "insufficientPermissions", "Request had insufficient authentication scopes.")
        user = query.get("quotaUser", [grant.identity])[0]
        self.quota.spend(user, PATCH_UNITS if method.http == "PATCH" else 1)
        return grant.identity

    def put(self, calendar: Calendar, event: Event, identity: str) -> Event:
        """Store an event with what Google adds to it."""
        added = {
            "created": self.store.now(),
            "htmlLink": f"https://www.google.com/calendar/event?eid={event['id']}",
            "creator": {"email": identity},
            "organizer": {"email": calendar.id, "displayName": calendar.summary, "self": True},
        }
        stored = self.store.put(calendar, {**added, **event})
        for channel in self.channels.of(calendar.id) if self.auto_notify else ():
            self.channels.notify_soon(channel, "exists")
        return stored

    def cancel(self, calendar: Calendar, entry: Entry, identity: str) -> None:
        """Turn an event into a tombstone, and the changed occurrences of a series with it."""
        event_id = entry.event["id"]
        exceptions = [e for e in calendar.entries.values() if e.event.get("recurringEventId") == event_id]
        for each in [entry, *(e for e in exceptions if not e.cancelled)]:
            event = {**each.event, "status": "cancelled", "sequence": each.event["sequence"] + 1}
            self.put(calendar, event, identity)

    def notify(self, calendar_id: str, state: str = "exists") -> list[int]:
        """Send a push message on every channel of a calendar and tell the answers."""
        return self.channels.notify(calendar_id, state)


def _read(request: Request) -> tuple[str, dict[str, list[str]], bytes]:
    """Read verb, parameters and body; a long GET comes as a POST that says so."""
    raw = request.get_data()
    if request.method == "POST" and request.headers.get("X-HTTP-Method-Override", "").upper() == "GET":
        return "GET", parse_qs(raw.decode(), keep_blank_values=True), b""
    return request.method, dict(request.args.lists()), raw


def _packed(answer: dict[str, Any] | None, request: Request) -> Response:
    if answer is None:
        return Response(status=204)
    response = json_response(answer, headers={"ETag": answer["etag"]} if "etag" in answer else None)
    body = response.get_data()
    if len(body) > WORTH_PACKING and "gzip" in request.headers.get("Accept-Encoding", ""):
        response.set_data(gzip.compress(body, 1))
        response.headers["Content-Encoding"] = "gzip"
    return response


def _refused(error: GoogleError) -> Response:
    if error.status == 304:
        return Response(status=304)
    return Response(json.dumps(error.body()), error.status, content_type="application/json; charset=UTF-8")
