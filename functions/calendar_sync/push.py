"""Google's push notifications: only a trigger for an ordinary run, because Google promises nothing about them."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from werkzeug.wrappers import Response

from functions.calendar_sync.channels import owner_of
from functions.calendar_sync.deps import Deps
from functions.calendar_sync.push_burst import Bursts
from shared.errors import UnauthenticatedError, UpstreamError
from shared.events.publisher import Publisher
from shared.events.topics import CALENDAR_SYNC_ALL, CALENDAR_SYNC_EMPLOYEE, EVERYBODY
from shared.log import get_log
from shared.web.call import Call

log = get_log(__name__)


@dataclass(frozen=True)
class PushApi:
    """Receives notifications; `secrets` are the keys that channels may have been named with, the newest first."""

    deps: Callable[[], Deps]
    publisher: Callable[[], Publisher]
    token: str | None
    secrets: Sequence[bytes]

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
        kuerzel = owner_of(channel, employees.remembered(), self.secrets)
        try:
            kuerzel = kuerzel or owner_of(channel, employees.all(), self.secrets)
        except UpstreamError:
            self.publisher().publish(CALENDAR_SYNC_ALL, EVERYBODY)
            return
        if kuerzel is None:
            log.warning("push_of_unknown_channel")
            return
        Bursts(self.deps().state).open(kuerzel)
        self.publisher().publish(CALENDAR_SYNC_EMPLOYEE, kuerzel)
