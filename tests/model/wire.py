"""Carry the real clients' calls to the doubles without a network, and let them go wrong on the way."""

from __future__ import annotations

import heapq
import io
import json as json_module
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

import requests
from requests.structures import CaseInsensitiveDict

START = datetime(2026, 11, 24, 8, tzinfo=UTC).timestamp()
LATEST_POST_S = 330.0  # with half a grace and a slow call before it, a POST is processed within the grace
PAGE = b"<!doctype html><html><body><h1>Please try later</h1></body></html>"
RATE = {"error": {"code": 403, "errors": [{"reason": "rateLimitExceeded"}]}}


class Crash(BaseException):
    """The process dies here."""


class Clock:
    """The one time of a game, in seconds; whoever lets it pass lets late calls arrive."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.seconds = START
        self._late: list[tuple[float, int, Callable[[], Any]]] = []
        self._count = 0

    def now(self) -> datetime:
        """Say what time it is."""
        return datetime.fromtimestamp(self.seconds, UTC)

    def time(self) -> float:
        """Say what time it is in seconds."""
        return self.seconds

    def advance(self, seconds: float) -> None:
        """Let time pass, and what is late arrive in its time."""
        until = self.seconds + seconds
        while self._late and self._late[0][0] <= until:
            at, _, arrive = heapq.heappop(self._late)
            self.seconds = max(self.seconds, at)
            arrive()
        self.seconds = max(self.seconds, until)

    def sleep(self, _seconds: float) -> None:
        """Sleep; how long does not hang on chance, so that a seed is a seed."""
        self.advance(1.0)

    def later(self, seconds: float, arrive: Callable[[], Any]) -> None:
        """Let something happen after a while."""
        self._count += 1
        heapq.heappush(self._late, (self.seconds + seconds, self._count, arrive))


@dataclass(frozen=True)
class Call:
    """One call of a client."""

    upstream: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        """Name what it means."""
        parts = self.path.strip("/").split("/")
        if self.upstream == "advoware":
            return f"a {self.method} one" if len(parts) > 1 else f"a {self.method} {parts[0]}"
        if "events" in parts:
            one = parts[-1] != "events"
            delta = " delta" if "syncToken" in self.query else ""
            return f"g {self.method} event" if one else f"g {self.method} events{delta}"
        return f"g {self.method} {parts[-1]}"

    @property
    def writes(self) -> bool:
        """Tell whether it changes appointments or events."""
        events = "/events" in self.path or self.path.startswith("/appointments")
        return self.method != "GET" and events


@dataclass
class Trouble:
    """What may go wrong in one worker's run; `rate` is the chance per call."""

    rate: float = 0.0
    hands: float = 0.0
    flush: float = 0.0
    slow: float = 0.0
    listed: bool = False


@dataclass
class Wire:
    """Where all calls pass; one game at a time sets the doubles and the chance."""

    clock: Clock
    doubles: dict[str, Any] = field(default_factory=dict)
    rng: random.Random = field(default_factory=random.Random)
    redis_rng: random.Random = field(default_factory=random.Random)
    act: Callable[[], None] = lambda: None
    flush: Callable[[], None] = lambda: None
    tell: Callable[[str], None] = lambda _text: None
    calls: int = 0
    written: int = 0
    inside: bool = False

    def __post_init__(self) -> None:
        self._local = threading.local()

    def begin(self, trouble: Trouble, turn: Callable[[], None] = lambda: None) -> None:
        """Say what may go wrong in this thread from now on, and how it hands over to another."""
        self._local.trouble, self._local.turn = trouble, turn

    def call(self, call: Call) -> requests.Response:
        """Carry one call, with everything that may happen around it."""
        trouble: Trouble = getattr(self._local, "trouble", None) or Trouble()
        self.calls += 1
        self._pass_time(call, trouble)
        fault = self._fault(call, trouble)
        if not fault:
            return self.carry(call)
        self.tell(f"    {call.kind}: {fault}")
        return self._go_wrong(fault, call)

    def redis(self, command: str) -> None:
        """Let the process die before a command to Redis."""
        trouble = getattr(self._local, "trouble", None)
        if trouble and trouble.rate and self.redis_rng.random() < trouble.rate / 6:
            self.tell(f"    {command}: crash before")
            raise Crash

    def _pass_time(self, call: Call, trouble: Trouble) -> None:
        self.clock.advance(0.3)
        chance = self.rng.random
        if trouble.slow and chance() < trouble.slow:
            self.clock.advance(self.rng.choice([20.0, 90.0]))
        if trouble.flush and chance() < trouble.flush:
            self.tell("    flush")
            self.flush()
        if call.kind in {"a PUT one", "a DELETE one"}:
            return  # Advoware has no conditional write: what happens between reading and writing is a known hole
        if trouble.hands and chance() < trouble.hands:
            self.tell(f"    before {call.kind}:")
            self.act()
        self._local.turn()

    def _fault(self, call: Call, trouble: Trouble) -> str:
        if not trouble.rate or self.rng.random() >= trouble.rate:
            return ""
        kinds = ["crash before", "crash after", "crash after", "lost", "unsent", "503"]
        match call.kind:
            case "a POST appointments":
                kinds += ["late", "late", "late crash", "lost", "crash after"]
            case "a GET appointments":
                kinds += ["html"] if trouble.listed else ["html", "short", "short", "short", "short"]
            case "a GET one":
                kinds += ["html 404"]
            case "a PUT one" | "a DELETE one":
                kinds += ["resent"]
            case "g GET events" | "g GET events delta":
                kinds += ["410", "410"]
            case "g POST events" | "g PUT event" | "g PATCH event" | "g DELETE event":
                kinds += ["resent", "resent", "rate"]
        fault = self.rng.choice(kinds)
        trouble.listed = trouble.listed or fault == "short"
        return fault

    def _go_wrong(self, fault: str, call: Call) -> requests.Response:
        match fault:
            case "crash before":
                raise Crash
            case "unsent":
                raise requests.ConnectionError("no connection")
            case "503":
                return answer(503, b"{}", {"Content-Type": "application/json"})
            case "rate":
                return answer(403, json_module.dumps(RATE).encode(), {"Content-Type": "application/json"})
            case "html" | "html 404":
                return answer(404 if "404" in fault else 200, PAGE, {"Content-Type": "text/html"})
            case "late" | "late crash":
                self.clock.later(self.rng.uniform(1, LATEST_POST_S), lambda: self.carry(call))
                if fault == "late":
                    raise requests.ReadTimeout("no answer in time")
                raise Crash
            case "410":
                self.doubles["google"].expire_tokens()
        response = self.carry(call)
        match fault:
            case "crash after":
                raise Crash
            case "lost":
                raise requests.ConnectionError("the answer was lost")
            case "resent":
                return self.carry(call)
            case "short":
                return self._shortened(response)
        return response

    def _shortened(self, response: requests.Response) -> requests.Response:
        if response.status_code != 200:
            return response
        kept = [row for row in response.json() if self.rng.random() < 0.5]
        return answer(200, json_module.dumps(kept).encode(), dict(response.headers))

    def carry(self, call: Call) -> requests.Response:
        """Let the double answer."""
        self.written += call.writes
        self.clock.seconds += 0.002  # no two changes bear the same moment
        found = self._answered(call)
        if call.writes:
            self.tell(f"    {self.clock.seconds - START:5.0f} s {call.kind} {found.status_code} {call.path[-16:]}")
        return found

    def _answered(self, call: Call) -> requests.Response:
        environ = {
            "REQUEST_METHOD": call.method,
            "PATH_INFO": call.path,
            "QUERY_STRING": call.query,
            "SCRIPT_NAME": "",
            "SERVER_NAME": f"{call.upstream}.test",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(call.body),
            "wsgi.input_terminated": True,
            "CONTENT_LENGTH": str(len(call.body)),
        }
        for name, value in call.headers.items():
            key = name.upper().replace("-", "_")
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        head: list[Any] = []
        outer, self.inside = self.inside, True
        try:
            body = b"".join(self.doubles[call.upstream](environ, lambda *parts: head.extend(parts)))
        finally:
            self.inside = outer
        return answer(int(head[0][:3]), body, dict(head[1]))


def answer(status: int, body: bytes, headers: Mapping[str, str]) -> requests.Response:
    """Write an answer as requests would give it."""
    response = requests.Response()
    response.status_code, response._content = status, body
    response._content_consumed = True  # type: ignore[attr-defined]
    response.headers = CaseInsensitiveDict(headers)
    return response


class Session:
    """Stands where the clients have a session of requests."""

    def __init__(self, upstream: str, wire: Wire) -> None:
        self._upstream, self._wire = upstream, wire

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        data: bytes | str | None = None,
        **_how: Any,
    ) -> requests.Response:
        """Send one call."""
        given = {
            key: value
            for key, value in (headers or {}).items()
            if key.lower() not in ("accept-encoding", "content-length")
        }
        body = data.encode() if isinstance(data, str) else data or b""
        if json is not None:
            body, given["Content-Type"] = json_module.dumps(json).encode(), "application/json"
        place = urlsplit(url)
        query = "&".join(filter(None, [place.query, urlencode(params or {})]))
        return self._wire.call(Call(self._upstream, method, unquote(place.path), query, given, body))
