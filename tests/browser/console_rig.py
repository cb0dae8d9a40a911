"""A firm at work behind the console: doubles, a durable Redis, the app in production and one worker, as processes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis
from processes import environment, eventually, get, process
from redis_server import RedisServer, free_port, running

from sandbox.advoware import Advoware
from sandbox.espocrm import EspoCrm
from sandbox.google import Google, write_service_account
from sandbox.server import serve
from shared.state import connection
from shared.state.queue import PARTIES
from shared.webhook import sign

PASSWORD, GATE = "ein langes Passwort für den Betrieb", "gate"
PARTY = "6b04f6cb7536b613d"
NAME, NUMBER = "Erika Beispiel", "+495111234567"
SECRETS = {
    "GATEWAY_SECRET": GATE,
    "OPS_PASSWORD": PASSWORD,
    "SIGNING_KEY": "signing",
    "ESPOCRM_WEBHOOK_SECRETS": "hook:secret",
    "VERMIETERHELDEN_WEBHOOK_SECRET": "vh",
    "THREECX_WEBHOOK_SECRET": "phone",
    "LEAD_ENCRYPTION_KEY": "a2" * 21 + "a=",
}


@dataclass
class Firm:
    """Everything a test may touch."""

    advoware: Advoware
    google: Google
    espocrm: EspoCrm
    server: RedisServer
    url: str

    def state(self, db: int = 1) -> redis.Redis:
        """Open one database."""
        return connection.connect(self.server.url, db, timeout_s=5)

    def cron(self) -> None:
        """Do what the scheduler does, and wait until every run has ended."""
        before = self.ended()
        assert get(f"{self.url}/calendar/cron", {"X-Gateway-Secret": GATE}, b"")[0] == 200
        eventually(lambda: self.ended() >= before + 2 and self.idle(), within_s=60)

    def ended(self) -> int:
        """Count the runs that have ended."""
        return sum(int(each) for each in self.state().hvals("calendar_sync:ended"))

    def idle(self) -> bool:
        """Tell whether nobody runs or waits for a run."""
        state = self.state()
        return not state.scard("calendar_sync:sync_pending") and not state.zcard("calendar_sync:processing")

    def row(self, kuerzel: str = "SB") -> dict[str, Any]:
        """Give a status row."""
        return dict(json.loads(str(self.state().hget("calendar_sync:status", kuerzel) or "{}")))

    def give_up(self, item: str, error: str) -> None:
        """Make a dead letter of a party."""
        fields = {"item": item, "ops": "update", "attempts": "8", "error": error}
        self.state().xadd(f"{PARTIES.name}:dead", fields)

    def hear(self) -> None:
        """Let a lead come in and a phone ring."""
        gate = {"X-Gateway-Secret": GATE, "Content-Type": "application/json"}
        lead = {"name": NAME, "email": "erika@example.org", "nachricht": "Mein Mieter zahlt nicht", "telefon": NUMBER}
        proof = {"X-Webhook-Secret": SECRETS["VERMIETERHELDEN_WEBHOOK_SECRET"]}
        assert get(f"{self.url}/api/leads/vermieterhelden", gate | proof, json.dumps(lead).encode())[0] == 200
        now = datetime.now(UTC).isoformat()
        call = {"event": "call.started", "call_id": "c1", "direction": "inbound", "extension": "102", "timestamp": now}
        raw, stamp = json.dumps({**call, "caller": NUMBER, "callee": "+4951198760"}).encode(), int(time.time())
        proof = {"X-3CX-Timestamp": str(stamp)}
        proof["X-3CX-Signature"] = sign(raw, SECRETS["THREECX_WEBHOOK_SECRET"], stamp)
        assert get(f"{self.url}/threecx/webhook", gate | proof, raw)[0] == 200


@contextmanager
def firm(directory: Path, **more: str) -> Iterator[Firm]:
    """Run a firm for the length of a block."""
    advoware, google, espocrm, port = Advoware(), Google(quota_per_minute=None), EspoCrm(), free_port()
    for kuerzel, name in (("SB", "Berger"), ("KL", "Klein")):
        advoware.employee(kuerzel, name=name, vorname="X", email=f"{name.lower()}@kanzlei.example")
    with ExitStack() as stack:
        server = stack.enter_context(running(aof=True, settings=("--maxmemory-policy", "noeviction")))
        left, right, third = (stack.enter_context(serve(each)) for each in (advoware, google, espocrm))
        google.office.trust(write_service_account(directory / "sa.json", f"{right.url}/token"))
        upstreams = advoware.env(left.url) | espocrm.env(third.url)
        env = environment(**{**upstreams, **settings(server, right.url, directory, port), **more})
        gunicorn = ("-m", "gunicorn", "-c", "functions/gunicorn_conf.py", "functions.app:app")
        stack.enter_context(process(*gunicorn, env=env, log=directory / "app.log"))
        stack.enter_context(process("-m", "functions.worker", env=env, log=directory / "worker.log"))
        url = f"http://127.0.0.1:{port}"
        eventually(lambda: get(f"{url}/health")[0] == 200, within_s=60)
        yield Firm(advoware, google, espocrm, server, url)


def settings(server: RedisServer, google: str, directory: Path, port: int) -> Mapping[str, str]:
    """Give the settings of app and worker."""
    return {
        "ENVIRONMENT": "production",
        "REDIS_URL": server.url,
        "GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH": str(directory / "sa.json"),
        "GOOGLE_CALENDAR_API_ENDPOINT": f"{google}/calendar/v3/",
        "GOOGLE_CALENDAR_RATE_PER_MINUTE": "600000",
        "GOOGLE_CALENDAR_BURST": "1000",
        "CALENDAR_FULL_CONTENT": "true",
        "CALENDAR_MAX_DELETES": "2",
        "PORT": str(port),
        "HOST": "127.0.0.1",
        **SECRETS,
    }


def follow(page: Any, action: str) -> None:
    """Do something on the page that leads to another one, and wait until that is there."""
    page.events.clear()
    page.js("window.leaving = true")
    page.js(action)
    soon(page, "window.leaving === undefined && document.readyState === 'complete'")


def soon(page: Any, expression: str, within_s: float = 30) -> None:
    """Wait until something is true of a page, which may just be about to be another one."""
    ends = time.monotonic() + within_s
    while True:
        with suppress(AssertionError):  # between two pages nothing can be asked
            if page.js(expression):
                return
        assert time.monotonic() < ends, f"it never came true: {expression}"
        time.sleep(0.05)


def log_in(page: Any, firm: Firm, password: str = PASSWORD) -> None:
    """Give the password as a person does."""
    page.open(f"{firm.url}/ops")
    follow(page, f"document.querySelector('#password').value = {password!r}; document.querySelector('button').click()")
