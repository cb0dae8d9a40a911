"""What every target does alike: request id, gateway secret, health, readiness, metrics, headers, access line."""

from __future__ import annotations

import functools
import hashlib
import hmac
import os
import re
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from werkzeug.wrappers import Request, Response

from shared import metrics
from shared.errors import MethodNotAllowedError, UnauthenticatedError
from shared.log import get_log
from shared.settings.base import read
from shared.settings.common import CommonSettings, EventSettings
from shared.web.call import json_response
from shared.web.readiness import look

if TYPE_CHECKING:
    from prometheus_client import Counter, Histogram
    from redis import Redis

log = get_log(__name__)
SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_PASSED = (("X-Content-Type-Options", "nosniff"),)
_OWN = tuple(SECURITY_HEADERS.items())
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_BEARER_PATHS = frozenset({"/metrics", "/ready"})
_DRAINED_AT_MOST, _DRAINED_WITHIN_S = 1024 * 1024, 1.0


_PLATFORM_PATHS = frozenset(
    {"/", "/calendar/cron", "/vmh/reconcile", "/threecx/reconcile", "/leads/maintenance", "/ops"}
)  # `/` is where a single event function gets its push


def _called_by_platform(path: str) -> bool:
    return path in _PLATFORM_PATHS or path.startswith(("/events/", "/ops/"))


def is_request_id(text: str) -> bool:
    """Tell whether a request id is harmless."""
    return _REQUEST_ID.fullmatch(text) is not None


def request_id_of(request: Request) -> str:
    """Take the caller's request id if it is harmless, else make one."""
    given = request.headers.get("X-Request-ID", "")
    return given if is_request_id(given) else secrets.token_hex(16)


class Common:
    """The part of an entry that does not depend on what the target is for."""

    def __init__(
        self,
        target: str,
        settings: CommonSettings,
        needs: Callable[[], list[str]] = list,
        redis: Callable[[], Redis | None] = lambda: None,
        sends: Callable[[], list[str]] = list,
    ) -> None:
        self.target, self.settings, self.needs, self.redis, self.sends = target, settings, needs, redis, sends
        self._counters: dict[tuple[str, int], Counter] = {}

    def from_gateway(self, request: Request) -> bool:
        """Tell whether the request proves that it came through the gateway, where one is configured."""
        secret = self.settings.gateway_secret
        if secret is None:
            return True
        expected = secret.get_secret_value()
        given = [request.headers.get("X-Gateway-Secret", "")]
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if request.path in _BEARER_PATHS and scheme.lower() == "bearer":
            given.append(token.strip())
        if any(_same(value, expected) for value in given):
            return True
        return scheme.lower() == "bearer" and _called_by_platform(request.path) and self._is_platform(token.strip())

    def _is_platform(self, token: str) -> bool:
        """Take Google's OIDC token instead of the secret, where both of its settings say which."""
        events = read(EventSettings)
        if not events.oidc_audience or not events.oidc_account:
            return False
        from shared.web.oidc import is_caller

        by_platform = events.oidc_checked_by == "platform" and "K_SERVICE" in os.environ  # nowhere else but Cloud Run
        return is_caller(token, events.oidc_audience, events.oidc_account, by_platform=by_platform)

    def require_gateway(self, request: Request) -> None:
        """Refuse whoever does not come through the gateway."""
        if not self.from_gateway(request):
            raise UnauthenticatedError("The gateway secret is missing or wrong.")

    def answer(self, request: Request) -> Response | None:
        """Answer /health, /ready and /metrics; None for every other path."""
        if request.path not in {"/health", "/ready", "/metrics"}:
            return None
        if request.path != "/health":
            self.require_gateway(request)
        if request.method != "GET":
            raise MethodNotAllowedError(headers={"Allow": "GET"})
        if request.path == "/health":
            return json_response({"status": "ok"})
        if request.path == "/ready":
            return self._ready()
        return Response(metrics.page(), content_type=metrics.CONTENT_TYPE)

    def _ready(self) -> Response:
        found = look(self.settings, self.needs, self.redis, self.sends)
        if found.missing:
            body = {"status": "not ready", "missing": found.missing, "warnings": found.warnings}
            return json_response(body, 503, {"Retry-After": "5"})
        return json_response({"status": "ready", "warnings": found.warnings})

    def finish(self, request: Request, response: Response, request_id: str, started: float, *, own: bool) -> Response:
        """Add the headers, count the answer and write its one line."""
        there = {name.lower() for name in response.headers.keys()}  # noqa: SIM118 - a Headers iterates over pairs
        for name, value in (("X-Request-ID", request_id), *(_OWN if own else _PASSED)):
            if name.lower() not in there:
                response.headers.add(name, value)
        seconds = time.monotonic() - started
        method = request.method if request.method in METHODS else "OTHER"
        self._counter(method, response.status_code).inc()
        self._duration.observe(seconds)
        log.info("request", method=method, status=response.status_code, duration_ms=round(seconds * 1000, 1))
        return response

    @functools.cached_property
    def _duration(self) -> Histogram:
        return metrics.REQUEST_SECONDS.labels(self.target)

    def _counter(self, method: str, status: int) -> Counter:
        counter = self._counters.get((method, status))
        if counter is None:
            counter = self._counters[method, status] = metrics.REQUESTS.labels(self.target, method, str(status))
        return counter


def _same(given: str, expected: str) -> bool:
    digests = [hashlib.sha256(given.encode("latin-1", "replace")), hashlib.sha256(expected.encode("utf-8"))]
    return hmac.compare_digest(digests[0].digest(), digests[1].digest())


def drain(request: Request) -> None:
    """Read what is left of a body, within reason, so that the caller gets to see the answer.

    Some callers wait for the answer before they send any of it: a server that can be told to hurry waits a second.
    """
    if hurry := getattr(request.environ.get("wsgi.input"), "hurry", None):
        hurry(_DRAINED_WITHIN_S)
    left = _DRAINED_AT_MOST
    try:
        while left > 0 and (part := request.stream.read(min(left, 64 * 1024))):
            left -= len(part)
    except Exception:  # noqa: BLE001 - the caller may be gone, the answer stands
        return


def streamed(response: Response) -> Response:
    """Keep functions-framework from reading an unread body into memory: it spares streamed answers."""
    if response.status_code == 204:
        response.headers.pop("Content-Type", None)
    if not response.is_streamed:
        body = response.get_data()
        response.response = iter((body,))
        response.headers["Content-Length"] = str(len(body))
    return response
