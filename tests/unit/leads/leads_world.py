"""The leads function over stores in memory and an EspoCRM of our own, driven as its callers drive it."""

from __future__ import annotations

import hashlib
import hmac
import importlib
import json
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import fakeredis
from werkzeug.test import Client, TestResponse
from werkzeug.wrappers import Request

from sandbox.advoware import Advoware
from sandbox.espocrm import EspoCrm
from sandbox.server import serve
from shared.events import bus as bus_module
from shared.events import topics
from shared.events.runner import Runner
from shared.settings.common import QueueSettings

SECRET, KEY = "geheim-123", "S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2U="
PATH = "/api/leads/vermieterhelden"
FORM = {
    "typ": "vermieter",
    "anrede": "Frau",
    "vorname": "Änne",
    "nachname": "Groß",
    "email": "anna@example.org",
    "telefon": "0511 1234567",
    "nachricht": "Mein Mieter hat gekündigt. Was nun?",
    "thema": "kuendigung",
    "datenschutz": "1",
}


class World:
    """One process of leads with everything around it."""

    def __init__(self, monkeypatch: Any, *, advoware: bool = False, redis: Any = None, **environ: str) -> None:
        self.stack = ExitStack()
        self.espocrm = EspoCrm()
        self.crm_server = self.stack.enter_context(serve(self.espocrm))
        given = {
            "VERMIETERHELDEN_WEBHOOK_SECRET": SECRET,
            "LEAD_ENCRYPTION_KEY": KEY,
            "ESPOCRM_DEFAULT_USER_ID": "1",
            "EVENT_TRANSPORT": "redis",
            "ESPOCRM_TIMEOUT_SECONDS": "2",
            **self.espocrm.env(self.crm_server.url),
        }
        if advoware:
            self.advoware = Advoware()
            server = self.stack.enter_context(serve(self.advoware))
            given |= self.advoware.env(server.url)
        for name, value in {**given, **environ}.items():
            monkeypatch.setenv(name, value)
        store = fakeredis.FakeServer()
        self.redis = redis or {db: fakeredis.FakeRedis(server=store, db=db, decode_responses=True) for db in (0, 1, 2)}
        monkeypatch.setattr(bus_module, "_client", lambda _url, db: self.redis[db])
        sys.modules.pop("functions.leads.main", None)
        self.main = importlib.import_module("functions.leads.main")
        self.client = Client(self._application)

    def _application(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        function = self.main.leads_maintenance if request.path.startswith("/leads") else self.main.leads
        return function(request)(environ, start_response)

    def close(self) -> None:
        self.stack.close()
        sys.modules.pop("functions.leads.main", None)

    def set_clock(self, moment: float) -> None:
        object.__setattr__(self.main._RECEIVER, "clock", lambda: datetime.fromtimestamp(moment, UTC))

    def post(self, body: Any, *, path: str = PATH, secret: str | None = SECRET, **headers: str) -> TestResponse:
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named.setdefault("Content-Type", "application/json")
        if secret:
            named["X-Webhook-Secret"] = secret
        return self.client.post(path, data=raw, headers=named)

    def signed(self, body: Any, *, at: int | None = None, secret: str = SECRET, **headers: str) -> TestResponse:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        stamp = str(int(time.time()) if at is None else at)
        digest = hmac.new(secret.encode(), stamp.encode() + b"." + raw, hashlib.sha256).hexdigest()
        return self.post(raw, secret=None, X_VH_Timestamp=stamp, X_VH_Signature=f"sha256={digest}", **headers)

    def runner(self) -> Runner:
        return self.main.BUS.runner(topics.LEADS_QUEUE, {topics.LEAD_RECEIVED: self.main.SUBSCRIBERS["lead.received"]})

    def work(self, rounds: int = 3) -> list[str]:
        """Work off everything that waits; gives how the runs ended."""
        ended = []
        for _ in range(rounds):
            waiting = sorted(self.redis[0].smembers("lead:intake_pending"))
            if not waiting:
                break
            runner = self.runner()
            ended += [runner.run(item).kind for item in waiting]
        return ended

    def rows(self, entity: str) -> list[dict[str, Any]]:
        return self.espocrm.records.all(entity)

    def record(self, lead_id: str) -> dict[str, str]:
        return self.redis[0].hgetall(f"lead:record:{lead_id}")

    def everything_in_redis(self) -> str:
        return "\n".join(part for db in (0, 1, 2) for part in _dump(self.redis[db]))


def _dump(client: Any) -> list[str]:
    found = []
    for key in client.scan_iter():
        match client.type(key):
            case "string":
                value = client.get(key)
            case "hash":
                value = client.hgetall(key)
            case "set":
                value = client.smembers(key)
            case "zset":
                value = client.zrange(key, 0, -1, withscores=True)
            case "list":
                value = client.lrange(key, 0, -1)
            case _:
                value = client.xrange(key)
        found.append(f"{key} {value!r}")
    return found


def lines_of(text: str) -> dict[str, str]:
    head = text.partition("\n\n")[0]
    return dict(line.partition(": ")[::2] for line in head.splitlines())


__all__ = ["FORM", "PATH", "SECRET", "QueueSettings", "World", "lines_of"]
