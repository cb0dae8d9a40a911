"""The whole system as processes of its own, with a fault proxy in every wire that leads out of it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
import requests
from processes import environment, eventually, get, process
from proxy import FaultProxy
from redis_server import RedisServer, free_port

from sandbox.advoware import Advoware
from sandbox.espocrm import EspoCrm
from sandbox.google import Google, write_service_account
from sandbox.server import serve
from sandbox.threecx import ThreeCx
from shared.webhook import sign

SECRET, TEMPLATE_KEY, LEAD_SECRET = "phone-secret", "template-key", "geheim-123"
ENTITY = "CBeteiligte"
GUNICORN = ("-m", "gunicorn", "-c", "functions/gunicorn_conf.py", "functions.app:app")
SETTINGS = {
    "VERMIETERHELDEN_WEBHOOK_SECRET": LEAD_SECRET,
    "LEAD_ENCRYPTION_KEY": "S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2U=",
    "ESPOCRM_DEFAULT_USER_ID": "1",
    "THREECX_WEBHOOK_SECRET": SECRET,
    "THREECX_TEMPLATE_KEY": TEMPLATE_KEY,
    "THREECX_EXTENSIONS": "102=user-berger",
    "THREECX_RATE_PER_MINUTE": "6000",
    "PUBLIC_BASE_URL": "https://api.example",
    "ADVOWARE_TIMEOUT_SECONDS": "1",
    "ESPOCRM_TIMEOUT_SECONDS": "1",
    "THREECX_TIMEOUT_SECONDS": "1",
    "QUEUE_LEASE_SECONDS": "3",
    "QUEUE_REAP_SECONDS": "0.2",
    "RETRY_BASE_SECONDS": "0.05",
    "RETRY_CAP_SECONDS": "0.5",
    "RETRY_ATTEMPTS": "100000",
    "CALENDAR_FULL_CONTENT": "true",
    "CALENDAR_INTENT_GRACE_SECONDS": "2",
    "CALENDAR_LOCK_SECONDS": "6",
    "GOOGLE_CALENDAR_RATE_PER_MINUTE": "60000",
    "THREADS": "24",
}


@dataclass(frozen=True)
class Answer:
    """What a caller saw: the status (0: no answer that could be read to its end), the body, and how long it took."""

    status: int
    body: bytes
    seconds: float

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Wired:
    """What a test may touch."""

    server: RedisServer
    espocrm: EspoCrm
    advoware: Advoware
    google: Google
    pbx: ThreeCx
    wires: dict[str, FaultProxy]
    directory: Path
    env: dict[str, str] = field(default_factory=dict, repr=False)
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def state(self, db: int = 0) -> redis.Redis:
        """Look into Redis past the proxy."""
        return redis.Redis(port=self.server.port, db=db, decode_responses=True, socket_timeout=10)

    @contextmanager
    def app(self, **more: str) -> Iterator[Any]:
        """Serve the all-in-one."""
        env = environment(**{**self.env, "PORT": str(self.port), "HOST": "127.0.0.1", **more})
        with process(*GUNICORN, env=env, log=self.directory / "app.log") as running:
            eventually(lambda: get(f"{self.url}/health")[0] == 200, 60)
            yield running

    @contextmanager
    def worker(self, **more: str) -> Iterator[Any]:
        """Run a worker."""
        with process("-m", "functions.worker", env=environment(**{**self.env, **more}), log=self.log) as running:
            yield running

    @property
    def log(self) -> Path:
        return self.directory / "worker.log"

    def call(self, method: str, path: str, **how: Any) -> Answer:
        """Call the app over a connection of its own, as a patient caller."""
        started = time.monotonic()
        try:
            answer = requests.request(method, self.url + path, timeout=40, **how)
            return Answer(answer.status_code, answer.content, time.monotonic() - started)
        except requests.RequestException:
            return Answer(0, b"", time.monotonic() - started)

    def webhook(self, record_id: str, action: str = "update") -> Answer:
        """Tell of a record as EspoCRM does."""
        return self.call("POST", f"/vmh/webhook/beteiligte/{action}", json=[{"id": record_id}])

    def lead(self, number: int) -> Answer:
        """Send a lead as the plugin does, under a key of its own."""
        headers = {"X-Webhook-Secret": LEAD_SECRET, "Idempotency-Key": f"lead-number-{number:06}"}
        form = {"typ": "vermieter", "nachname": f"Person{number}", "email": f"person{number}@example.org"}
        form |= {"nachricht": f"Anliegen Nummer {number}", "thema": "kaution"}
        return self.call("POST", "/api/leads/vermieterhelden", json=form, headers=headers)

    def ended_call(self, call_id: str, caller: str, at: str) -> Answer:
        """Tell of a call as 3CX does when it has ended."""
        body = {"event": "call.ended", "call_id": call_id, "direction": "inbound", "caller": caller, "timestamp": at}
        body |= {"callee": "+4951198760", "extension": "102", "answered": True, "duration_s": 30}
        raw, stamp = json.dumps(body).encode(), int(time.time())
        headers = {"X-3CX-Timestamp": str(stamp), "X-3CX-Signature": sign(raw, SECRET, stamp)}
        headers["Content-Type"] = "application/json"
        return self.call("POST", "/threecx/webhook", data=raw, headers=headers)

    def lookup(self, number: str) -> Answer:
        """Ask who has a number, as a ringing phone does."""
        headers = {"X-API-Key": TEMPLATE_KEY}
        return self.call("GET", "/threecx/lookup", params={"number": number}, headers=headers)

    def idle(self) -> bool:
        """Tell whether no queue has anything to do."""
        queues = ((1, "vmh:beteiligte", ("create", "update", "delete")), (0, "lead", ("intake",)))
        queues += ((0, "threecx", ("journal",)), (1, "calendar_sync", ("sync",)))
        return not any(self._held(*queue) for queue in queues)

    def _held(self, db: int, name: str, ops: tuple[str, ...]) -> int:
        """Count what a queue holds at one moment: read one after the other, an entry on its way would be missed."""
        look = self.state(db).pipeline(transaction=True)
        for kind in ("processing", "delayed"):
            look.zcard(f"{name}:{kind}")
        for op in ops:
            look.scard(f"{name}:{op}_pending")
        return sum(look.execute())


@contextmanager
def wired(server: RedisServer, directory: Path, **more: str) -> Iterator[Wired]:
    """Open a firm with one employee; nothing of ours runs yet."""
    with ExitStack() as stack:
        doubles = {"espocrm": EspoCrm(), "advoware": Advoware(), "google": Google(None), "threecx": ThreeCx()}
        ports = {name: stack.enter_context(serve(double)).port for name, double in doubles.items()}
        wires = {name: stack.enter_context(FaultProxy(port)) for name, port in ports.items()}
        wires["redis"] = stack.enter_context(FaultProxy(server.port))
        firm = Wired(
            server, doubles["espocrm"], doubles["advoware"], doubles["google"], doubles["threecx"], wires, directory
        )
        key = directory / "sa.json"
        firm.google.office.trust(write_service_account(key, f"{wires['google'].url}/token"))
        firm.advoware.employee("SB", name="Berger", vorname="Sabine")
        firm.env = {
            **SETTINGS,
            **firm.espocrm.env(wires["espocrm"].url),
            **firm.advoware.env(wires["advoware"].url),
            **firm.pbx.env(wires["threecx"].url),
            "GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH": str(key),
            "GOOGLE_CALENDAR_API_ENDPOINT": f"{wires['google'].url}/calendar/v3/",
            "REDIS_URL": f"redis://127.0.0.1:{wires['redis'].port}",
            **more,
        }
        yield firm
