"""Google's push notifications: only a trigger for an ordinary run, because Google promises nothing about them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from werkzeug.wrappers import Response

from functions.calendar_sync.deps import Deps
from shared.errors import UnauthenticatedError, UpstreamError
from shared.events.publisher import Publisher
from shared.events.topics import CALENDAR_SYNC_ALL, CALENDAR_SYNC_EMPLOYEE, EVERYBODY
from shared.log import get_log
from shared.web.call import Call

log = get_log(__name__)
_ID_LENGTH = 32


def channel_id(kuerzel: str, secret: bytes, generation: int) -> str:
    """Name a channel: a keyed hash of the kuerzel, which survives a flush, and a number that makes it unique."""
    return f"{_mark(kuerzel, secret)}-{generation}"


def _mark(kuerzel: str, secret: bytes) -> str:
    return hmac.new(secret, f"channel {kuerzel}".encode(), hashlib.sha256).hexdigest()[:_ID_LENGTH]


def owner_of(channel: str, names: Iterable[str], secret: bytes) -> str | None:
    """Find whose calendar a channel belongs to."""
    mark = channel.rpartition("-")[0].encode()
    found = None
    for name in names:
        if hmac.compare_digest(_mark(name, secret).encode(), mark):
            found = name
    return found


@dataclass(frozen=True)
class PushApi:
    """Receives notifications."""

    deps: Callable[[], Deps]
    publisher: Callable[[], Publisher]
    token: str | None
    secret: bytes

    def receive(self, call: Call) -> Response:
        """Turn a notification into a run of that employee; one that cannot be told apart into a run of everybody."""
        headers = call.request.headers
        given = headers.get("X-Goog-Channel-Token", "")
        if self.token is not None and not hmac.compare_digest(given.encode(), self.token.encode()):
            raise UnauthenticatedError("The channel token is wrong.")
        if headers.get("X-Goog-Resource-State") != "sync":
            self._trigger(headers.get("X-Goog-Channel-ID", ""))
        return Response(status=200)

    def _trigger(self, channel: str) -> None:
        employees = self.deps().employees
        kuerzel = owner_of(channel, employees.remembered(), self.secret)
        try:
            kuerzel = kuerzel or owner_of(channel, employees.all(), self.secret)
        except UpstreamError:
            self.publisher().publish(CALENDAR_SYNC_ALL, EVERYBODY)
            return
        if kuerzel is None:
            log.warning("push_of_unknown_channel")
            return
        self.publisher().publish(CALENDAR_SYNC_EMPLOYEE, kuerzel)
