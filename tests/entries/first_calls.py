"""Start one target in a process of its own, let it answer its first real call, and tell what it has loaded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Redis
from redis_server import running
from werkzeug.wrappers import Request, Response

from sandbox.advoware import Advoware
from sandbox.double import Double
from sandbox.espocrm import EspoCrm
from sandbox.google import Google, write_service_account
from sandbox.server import serve
from sandbox.threecx import ThreeCx

ROOT = Path(__file__).parents[2]
PROGRAM = """
import json, sys
import functions_framework
import flask.testing, werkzeug.test
hello = set(sys.modules)
target, source, method, path, body, kind = sys.argv[1:]
signature = "cloudevent" if kind.startswith("application/cloudevents") else "http"
client = functions_framework.create_app(target, source, signature).test_client()
started = set(sys.modules)
status = client.open(path, method=method, data=body or None, content_type=kind).status_code
print(json.dumps([status, sorted(started - hello), sorted(set(sys.modules) - hello)]))
"""
KEY = "S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2U="
EVENTS = "application/cloudevents+json"


@dataclass(frozen=True)
class Call:
    """One call of a target; without a path it is an event, which the call `told_by` another target brings about."""

    folder: str
    method: str = "POST"
    path: str = ""
    body: str = ""
    told_by: str = ""


STARTED = (
    '{"event":"call.ended","call_id":"c-1","direction":"inbound","caller":"+49511123456","callee":"12",'
    '"timestamp":"2026-11-24T08:00:00Z","answered":true,"duration_s":12}'
)
FORM = (
    '{"typ":"vermieter","vorname":"Änne","nachname":"Groß","email":"anna@example.org","telefon":"0511 1234567",'
    '"nachricht":"Mein Mieter hat gekündigt.","datenschutz":"1"}'
)


def event(topic: str, **data: object) -> str:
    return json.dumps({"specversion": "1.0", "id": "e1", "type": topic, "source": "/tests", "data": data})


TELLING = {
    "vmh_webhooks": Call("vmh_webhooks", path="/vmh/webhook/beteiligte/update", body='[{"id":"RECORD"}]'),
    "leads": Call("leads", path="/api/leads/vermieterhelden", body=FORM),
    "threecx": Call("threecx", path="/threecx/webhook", body=STARTED),
}
CALLS = {
    "vmh_webhooks": TELLING["vmh_webhooks"],
    "beteiligte_sync": Call("vmh_webhooks", told_by="vmh_webhooks"),
    "advoware_proxy": Call("advoware_proxy", "GET", "/advoware/employees"),
    "leads": TELLING["leads"],
    "lead_intake": Call("leads", told_by="leads"),
    "leads_maintenance": Call("leads", path="/leads/maintenance"),
    "threecx": Call("threecx", "GET", "/threecx/lookup?number=0511123456"),
    "call_journal": Call("threecx", told_by="threecx"),
    "calendar_sync_api": Call("calendar_sync", "GET", "/calendar/status"),
    "calendar_sync_cron": Call("calendar_sync", path="/calendar/cron"),
    "calendar_push": Call("calendar_sync", path="/calendar/push"),
    "calendar_sync_all": Call("calendar_sync", body=event("calendar_sync_all")),
    "calendar_sync_employee": Call("calendar_sync", body=event("calendar_sync_employee", kuerzel="SB")),
    "ops": Call("ops", path="/ops/relay"),
}


@dataclass(frozen=True)
class Loaded:
    """What came of it: the status, the modules after the start, and those after the answer."""

    status: int
    at_start: list[str]
    in_all: list[str]


class Ear(Double):
    """Takes every event."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[dict[str, Any]] = []

    def handle(self, request: Request) -> Response:
        self.events.append(json.loads(request.get_data()))
        return Response(status=204)


@dataclass
class House:
    """Everything around a target."""

    env: dict[str, str]
    record_id: str
    ear: Ear
    ear_url: str

    def first(self, target: str) -> Loaded:
        """Start a target and make its first call."""
        return self._run(target, *self.ready(target), EVENT_TRANSPORT="redis")

    def ready(self, target: str) -> tuple[str, str, str, str]:
        """Empty the Redis and bring about what a call presumes; gives method, path, body and content type."""
        Redis.from_url(self.env["REDIS_URL"]).flushall()
        call = CALLS[target]
        if call.path:
            return self._http(call)
        return "POST", "/", call.body or self._event(call.told_by), EVENTS

    def _http(self, call: Call) -> tuple[str, str, str, str]:
        return call.method, call.path, call.body.replace("RECORD", self.record_id), "application/json"

    def _event(self, target: str) -> str:
        before = len(self.ear.events)
        self._run(target, *self._http(TELLING[target]), EVENT_TRANSPORT="http", EVENT_BASE_URL=self.ear_url)
        assert len(self.ear.events) == before + 1, f"{target} told {len(self.ear.events) - before} events"
        return json.dumps(self.ear.events[-1])

    def _run(self, target: str, *request: str, **more: str) -> Loaded:
        arguments = [target, f"functions/{CALLS[target].folder}/main.py", *request]
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM, *arguments],
            cwd=ROOT,
            env={**self.env, **more},
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert ran.returncode == 0, ran.stderr
        return Loaded(*json.loads(ran.stdout.splitlines()[-1]))


@contextmanager
def house(directory: Path) -> Iterator[House]:
    """Stand up a Redis, doubles of all upstreams, a party that EspoCRM knows, and an employee with an appointment."""
    advoware, espocrm, threecx, google, ear = Advoware(), EspoCrm(), ThreeCx(), Google(quota_per_minute=None), Ear()
    advoware.employee("SB")
    record_id = espocrm.add("CBeteiligte", firstName="Anna", lastName="Groß", emailAddress="a@example.org")
    with ExitStack() as stack:
        redis = stack.enter_context(running())
        urls = [stack.enter_context(serve(each)).url for each in (advoware, espocrm, threecx, google, ear)]
        google.office.trust(write_service_account(directory / "account.json", f"{urls[3]}/token"))
        env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "REDIS_URL": redis.url,
            **advoware.env(urls[0]),
            **espocrm.env(urls[1]),
            **threecx.env(urls[2]),
            "GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH": str(directory / "account.json"),
            "GOOGLE_CALENDAR_API_ENDPOINT": f"{urls[3]}/calendar/v3/",
            "ESPOCRM_DEFAULT_USER_ID": "1",
            "LEAD_ENCRYPTION_KEY": KEY,
            "LOG_LEVEL": "ERROR",
        }
        yield House(env, record_id, ear, urls[4])
