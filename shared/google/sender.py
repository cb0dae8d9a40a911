"""Send one request of googleapiclient: with a token, within the rate, again where safe, never past a deadline."""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from shared import metrics
from shared.errors import (
    UpstreamAuthenticationError,
    UpstreamMalformedError,
    UpstreamRejectedError,
    UpstreamUnavailableError,
)
from shared.google.errors import ME, NoTokenError, OutOfTimeError, RateLimitedError, translate
from shared.http import HttpClient, retry_after_s
from shared.state.bucket import RateLimited
from shared.state.token import FetchedToken, TokenUnavailable

MAX_TRIES = 5
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0  # a longer one gets its time from the queue, not from a waiting thread
COOLDOWN_S = 30.0

Meaning = Mapping[int, type[UpstreamRejectedError]]


class Tokens(Protocol):
    """Where the access token is kept for all callers."""

    def get(self, fetch: Callable[[], FetchedToken]) -> str:
        """Give a living token, fetching one at most once for everybody."""

    def invalidate(self, failed: str) -> None:
        """Forget the token if it is still the one that failed."""

    def cooldown(self, seconds: float) -> None:
        """Let nobody fetch for a while."""


class Rate(Protocol):
    """The bucket that all processes share."""

    def acquire(self, units: int, *, deadline: float | None = None) -> float:
        """Wait for units and say how long that took; RateLimited when there are none before the deadline."""

    def drain(self) -> None:
        """Empty the bucket, because Google thinks that we are too fast."""


class Wire:
    """Stand where googleapiclient expects httplib2.

    httplib2 sends a POST again on its own when the connection breaks and must not be shared by threads; our client
    sends once. Answers outside 200–299 rise here as errors of ours, so that Google's text stays out of all others.
    """

    def __init__(self, http: HttpClient, meaning: Meaning) -> None:
        self._http, self._meaning = http, meaning
        self.asked_pause_s: float | None = None

    def request(self, uri: str, method: str, body: Any = None, headers: Any = None) -> tuple[Any, bytes]:
        """Send one call and return its good answer."""
        from httplib2 import Response

        answer = self._http.send(method, uri, headers=headers, data=body)
        self.asked_pause_s = retry_after_s(answer.headers.get("Retry-After"))
        if not 200 <= answer.status_code < 300:
            raise translate(answer.status_code, answer.headers, answer.content, self._meaning)
        if answer.content and "json" not in answer.headers.get("Content-Type", "").lower():
            raise UpstreamMalformedError(ME, f"{ME} answered no JSON", upstream_status=answer.status_code)
        return Response({**answer.headers, "status": str(answer.status_code)}), answer.content


class Service:
    """The API's methods, built from the document that ships with googleapiclient, once and when first needed."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._collections: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        """Give one collection, such as `events`."""
        with self._lock:
            if not self._collections:
                self._build()
            return self._collections[name]

    def _build(self) -> None:
        from googleapiclient.discovery import build

        service = build(
            "calendar",
            "v3",
            http=Wire(HttpClient(ME, 1.0), {}),  # never used; without it, credentials of the machine are looked for
            static_discovery=True,
            cache_discovery=False,
            client_options={"api_endpoint": self._endpoint},
        )
        names = ("events", "calendars", "calendarList", "acl", "channels")
        self._collections = {name: getattr(service, name)() for name in names}


@dataclass(frozen=True)
class Sender:
    """Carries out requests; `deadline` is a moment of `clock`, `on_request` hears of every request that goes out."""

    http: HttpClient
    tokens: Tokens
    fetch: Callable[[], FetchedToken]
    rate: Rate
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    deadline: float | None = None
    on_request: Callable[[str], None] | None = None

    def send(self, request: Any, meaning: Meaning, *, units: int = 1, repeatable: bool = True) -> Any:
        """Send a request until it is answered for good, and return the answer.

        Without `repeatable` nothing is sent again that Google may already have done.
        """
        attempt, fresh = 1, False
        while True:
            wire = Wire(self.http, meaning)
            token = self._admitted(units)
            try:
                return self._once(request, wire, token)
            except UpstreamAuthenticationError:
                self._renew(token, give_up=fresh)
                fresh = True
            except UpstreamUnavailableError as error:
                if isinstance(error, RateLimitedError):
                    self.rate.drain()
                elif not repeatable:
                    raise
                if not self._paused(attempt, wire.asked_pause_s):
                    raise
                attempt += 1

    def _admitted(self, units: int) -> str:
        if self.deadline is not None and self.clock() >= self.deadline:
            raise OutOfTimeError(ME, "no time left for another call")
        token = self._token()
        try:
            waited_s = self.rate.acquire(units, deadline=self.deadline)
        except RateLimited as error:
            raise OutOfTimeError(ME, retry_after_s=math.ceil(error.retry_after_s)) from error
        metrics.BUCKET_WAIT.observe(waited_s)
        return token

    def _token(self) -> str:
        try:
            return self.tokens.get(self.fetch)
        except TokenUnavailable as error:
            raise NoTokenError(ME, retry_after_s=math.ceil(error.retry_after_s)) from error
        except UpstreamAuthenticationError:
            self.tokens.cooldown(COOLDOWN_S)
            raise

    def _once(self, request: Any, wire: Wire, token: str) -> Any:
        request.headers["authorization"] = f"Bearer {token}"
        if self.on_request is not None:
            self.on_request(request.methodId.removeprefix("calendar."))
        try:
            return request.execute(http=wire, num_retries=0)
        except (ValueError, RecursionError):
            raise UpstreamMalformedError(ME, f"{ME} answered unreadable JSON") from None

    def _renew(self, failed: str, *, give_up: bool) -> None:
        self.tokens.invalidate(failed)
        if give_up:
            self.tokens.cooldown(COOLDOWN_S)
            raise UpstreamAuthenticationError(
                ME, f"{ME} refuses a fresh token", upstream_status=401, retry_after_s=int(COOLDOWN_S)
            )

    def _paused(self, attempt: int, asked_s: float | None) -> bool:
        """Wait before the next try, unless there should be none."""
        pause = asked_s if asked_s is not None else random.uniform(0, FIRST_PAUSE_S * 2 ** (attempt - 1))  # noqa: S311
        late = self.deadline is not None and self.clock() + pause >= self.deadline
        if attempt >= MAX_TRIES or pause > LONGEST_PAUSE_S or late:
            return False
        self.sleep(pause)
        return True
