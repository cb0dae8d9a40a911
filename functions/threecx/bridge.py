"""Optional process: hold the Call Control socket of a 3CX v20 and tell our webhook what happens, signed.

`python -m functions.threecx.bridge` with the settings of the function, but an API client of its own: a phone system
keeps one token for each client, and this one must not log the functions out. `--capture FILE` keeps the frames with
every number and name blotted out, for the day when somebody has to see what a real phone system sends.
"""

from __future__ import annotations

import contextlib
import json
import queue
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TextIO

from functions.threecx.legs import Leg, Told, Tracker
from shared.clock import Clock, utc_now
from shared.errors import IntegrationError, UpstreamError
from shared.events.task import STOPPING
from shared.http import HttpClient, json_of, raise_for
from shared.log import get_log
from shared.settings.common import CommonSettings
from shared.settings.threecx import ThreeCxSettings
from shared.threecx.login import Login
from shared.threecx.provider import ME
from shared.webhook import secrets_of, sign

log = get_log(__name__)
SNAPSHOT_S, PING_S, TICK_S = 45.0, 5.0, 0.5
BACK_OFF_S = (5.0, 120.0)
ENTITY = re.compile(r"/callcontrol/(?P<dn>[^/]+)/participants/(?P<id>[^/]+)")
UPSERT, REMOVE = 0, 1
_KEPT = frozenset("event_type entity sequence event status dn id callid legid party_dn_type".split())


@dataclass
class Teller:
    """Sends events to the webhook in their order, and again until they are taken."""

    http: HttpClient
    url: str
    secret: str
    gateway: str = ""
    waits: tuple[float, ...] = (0.5, 1, 2, 5, 15)
    _waiting: queue.Queue[Told] = field(default_factory=queue.Queue)

    def tell(self, events: Iterable[Told]) -> None:
        """Put events in line."""
        for event in events:
            self._waiting.put(event)

    def run(self, stopping: threading.Event) -> None:
        """Work the line off."""
        while not (stopping.is_set() and self._waiting.empty()):
            with contextlib.suppress(queue.Empty):
                event = self._waiting.get(timeout=0.2)
                self._deliver(event, stopping)

    def _deliver(self, event: Told, stopping: threading.Event) -> None:
        for attempt in range(10_000):
            status = self._send(event)
            if status is not None and status < 500 and status != 429:
                level = log.info if status == 200 else log.error
                level("bridge_told", call_id=event["call_id"], action=event["event"], status=status)
                return
            if stopping.wait(self.waits[min(attempt, len(self.waits) - 1)]):
                return

    def _send(self, event: Told) -> int | None:
        raw, stamp = json.dumps(event).encode(), int(time.time())
        headers = {"Content-Type": "application/json", "X-3CX-Timestamp": str(stamp)}
        headers["X-3CX-Signature"] = sign(raw, self.secret, stamp)
        headers |= {"X-Gateway-Secret": self.gateway} if self.gateway else {}
        try:
            return int(self.http.send("POST", self.url, headers=headers, data=raw).status_code)
        except UpstreamError:
            return None


@dataclass
class Bridge:
    """Follows one phone system."""

    login: Login
    http: HttpClient
    root: str
    tell: Callable[[Iterable[Told]], None]
    socket_url: str = ""
    clock: Clock = utc_now
    capture: TextIO | None = None
    tracker: Tracker = field(default_factory=Tracker)
    snapshot_s: float = SNAPSHOT_S
    back_off_s: tuple[float, float] = BACK_OFF_S

    def run(self, stopping: threading.Event) -> None:
        """Connect, follow, and connect again, ever more slowly while that fails."""
        first, longest = self.back_off_s
        pause_s = first
        while not stopping.is_set():
            try:
                self._follow(stopping)
                pause_s = first
            except (IntegrationError, OSError, ValueError, TimeoutError, _socket_error()) as error:
                log.warning("bridge_lost", error=type(error).__name__, delay_s=pause_s)
                stopping.wait(pause_s)
                pause_s = min(longest, pause_s * 2)

    def _follow(self, stopping: threading.Event) -> None:
        """Listen first and look around afterwards, so that nothing falls between."""
        from websockets.sync.client import connect

        url = self.socket_url or f"{self.root.replace('http', 'ws', 1)}/callcontrol/ws"
        headers = {"Authorization": f"Bearer {self.login.token()}"}
        with connect(url, additional_headers=headers, ping_interval=PING_S, ping_timeout=4 * PING_S) as socket:
            log.info("bridge_connected")
            looked = 0.0
            while not stopping.is_set():
                if time.monotonic() - looked >= self.snapshot_s:
                    self.tell(self.tracker.snapshot(self._legs(), self.clock()))
                    looked = time.monotonic()
                with contextlib.suppress(TimeoutError):
                    self._take(str(socket.recv(timeout=TICK_S)))
                self.tell(self.tracker.tick(self.clock()))

    def _take(self, frame: str) -> None:
        event = json.loads(frame).get("event") or {}
        self._keep(event)
        found = ENTITY.fullmatch(str(event.get("entity") or ""))
        if not found:
            return
        dn, leg_id = found["dn"], found["id"]
        row = self._get(f"callcontrol/{dn}/participants/{leg_id}") if event.get("event_type") == UPSERT else None
        if event.get("event_type") not in {UPSERT, REMOVE}:
            return
        if row is None:  # removed, or gone before we could look
            self.tell(self.tracker.remove(dn, leg_id, self.clock()))
            return
        self._keep(row)
        leg = Leg.of(dn, row)
        if leg:
            self.tell(self.tracker.upsert(leg, self.clock()))

    def _legs(self) -> list[Leg]:
        lines = self._get("callcontrol") or []
        legs = [
            Leg.of(str(line.get("dn")), row)
            for line in lines
            for row in line.get("participants") or []
            if row.get("id")
        ]
        return [leg for leg in legs if leg]

    def _get(self, path: str) -> Any:
        response = self.login.authorized(lambda headers: self.http.send("GET", f"{self.root}/{path}", headers=headers))
        if response.status_code == 404:
            return None
        raise_for(ME, response)
        return json_of(ME, response)

    def _keep(self, value: dict[str, Any]) -> None:
        if self.capture is not None:
            self.capture.write(json.dumps(blotted(value)) + "\n")
            self.capture.flush()


def blotted(value: Any) -> Any:
    """Keep the shape of a frame and nothing of what people are in it."""
    if isinstance(value, dict):
        return {name: blotted(each) if name in _KEPT else _blot(each) for name, each in value.items()}
    return value


def _blot(value: Any) -> Any:
    if isinstance(value, dict | list):
        return "…"
    return value if value is None or isinstance(value, bool) else re.sub(r"\w", "x", str(value))


def _socket_error() -> type[Exception]:
    from websockets.exceptions import WebSocketException

    return WebSocketException


def main() -> int:
    """Run until told to stop."""
    import signal

    from shared import startup

    parts = startup.start(ThreeCxSettings, secrets=("GATEWAY_SECRET", "THREECX_WEBHOOK_SECRET"))
    common, settings = parts[CommonSettings], parts[ThreeCxSettings]
    secrets = secrets_of(settings.webhook_secret.get_secret_value() if settings.webhook_secret else "")
    if not common.public_base_url or not secrets:
        raise SystemExit("bitbylaw: the bridge needs PUBLIC_BASE_URL and THREECX_WEBHOOK_SECRET")
    http = HttpClient(ME, settings.timeout_s)
    gateway = common.gateway_secret.get_secret_value() if common.gateway_secret else ""
    url = f"{common.public_base_url.rstrip('/')}/threecx/webhook"
    teller = Teller(HttpClient("webhook", settings.timeout_s), url, secrets[0], gateway)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: STOPPING.set())
    threading.Thread(target=teller.run, args=(STOPPING,), daemon=True).start()
    with contextlib.ExitStack() as stack:
        file = sys.argv[sys.argv.index("--capture") + 1] if "--capture" in sys.argv else ""
        capture = stack.enter_context(open(file, "a", encoding="utf-8")) if file else None
        root = settings.api_base_url.rstrip("/")
        Bridge(Login(settings, http, None), http, root, teller.tell, capture=capture).run(STOPPING)
    return 0


if __name__ == "__main__":
    sys.exit(main())
