"""Start one target in a process of its own, let it answer its first real call, and tell what it has loaded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Redis
from redis_server import running
from werkzeug.wrappers import Request, Response

from sandbox.advoware import Advoware
from sandbox.espocrm import EspoCrm
from sandbox.google import Google, write_service_account
from sandbox.server import Double, serve
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

    def first(self, target: str, call: Call, told_by: Mapping[str, Call]) -> Loaded:
        """Start a target and make its first call; an event is brought about first."""
        Redis.from_url(self.env["REDIS_URL"]).flushall()
        if call.path:
            body = call.body.replace("RECORD", self.record_id)
            return self._run(target, call, call.path, body, "application/json", EVENT_TRANSPORT="redis")
        event = call.body or self._event(call.told_by, told_by[call.told_by])
        return self._run(target, call, "/", event, EVENTS, EVENT_TRANSPORT="redis")

    def _event(self, target: str, call: Call) -> str:
        body = call.body.replace("RECORD", self.record_id)
        base = {"EVENT_TRANSPORT": "http", "EVENT_BASE_URL": self.ear_url}
        before = len(self.ear.events)
        self._run(target, call, call.path, body, "application/json", **base)
        assert len(self.ear.events) == before + 1, f"{target} told {len(self.ear.events) - before} events"
        return json.dumps(self.ear.events[-1])

    def _run(self, target: str, call: Call, path: str, body: str, kind: str, **more: str) -> Loaded:
        arguments = [target, f"functions/{call.folder}/main.py", call.method, path, body, kind]
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
