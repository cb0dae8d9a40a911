"""The phone functions in this process, with real doubles of everything around them and a real Redis."""

from __future__ import annotations

import importlib
import io
import json
import logging
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import redis
from redis_server import running
from werkzeug.test import Client, TestResponse
from werkzeug.wrappers import Request

from sandbox.advoware import Advoware
from sandbox.espocrm import EspoCrm
from sandbox.server import serve
from sandbox.threecx import ThreeCx
from shared.log import JsonLines
from shared.webhook import sign

SECRET, KEY = "phone-secret", "template-key"
OWNER, FALLBACK = "user-berger", "user-fallback"
Json = dict[str, Any]


class Rig:
    """Everything a test needs: the doubles, the entry, and a hand that works the queue off."""

    def __init__(self, env: Mapping[str, str], parts: Mapping[str, Any], monkeypatch: Any) -> None:
        self.espocrm: EspoCrm = parts["espocrm"]
        self.advoware: Advoware = parts["advoware"]
        self.pbx: ThreeCx = parts["pbx"]
        self.redis: redis.Redis = parts["redis"]
        self.monkeypatch, self.env = monkeypatch, dict(env)
        self.lines = io.StringIO()
        self.restart()

    def restart(self, **more: str) -> None:
        """Start the function anew, with other settings if wished."""
        self.env |= more
        for name, value in self.env.items():
            self.monkeypatch.setenv(name, value)
        sys.modules.pop("functions.threecx.main", None)
        self.main = importlib.import_module("functions.threecx.main")
        handler = logging.StreamHandler(self.lines)
        handler.setFormatter(JsonLines())
        logging.getLogger().handlers.append(handler)
        self.deps = self.main.deps()
        entry = self.main._API
        self.wsgi = lambda environ, start: entry(Request(environ))(environ, start)
        self.http = Client(self.wsgi)

    def event(self, event: str, call_id: str = "c-77", *, sign_it: bool = True, **fields: Any) -> TestResponse:
        """Send a webhook."""
        body = {"event": event, "call_id": call_id, "direction": "inbound", "callee": "+4951198760", **fields}
        body = {"timestamp": "2026-11-24T08:00:00Z", "caller": "+495111234567", **body}
        raw, stamp = json.dumps(body).encode(), int(time.time())
        signed = {"X-3CX-Timestamp": str(stamp), "X-3CX-Signature": sign(raw, SECRET, stamp)} if sign_it else {}
        return self.http.post("/threecx/webhook", data=raw, headers={"Content-Type": "application/json", **signed})

    def report(self, **fields: Any) -> TestResponse:
        """Send what the CRM template sends."""
        body = {
            "call_type": "Inbound",
            "number": "00495111234567",
            "agent": "102",
            "agent_email": "",
            "queue": "",
            "duration": "00:03:02",
            "started_at": "2026-11-24T08:00:05Z",
            "ended_at": "2026-11-24T08:03:07Z",
            "entity_id": "",
            "entity_type": "",
            "recording_url": "[RecordingUrl]",
        } | fields
        return self.http.post("/threecx/report-call", json=body, headers={"X-API-Key": KEY})

    def lookup(self, number: str) -> TestResponse:
        """Ask who has a number."""
        return self.http.get("/threecx/lookup", query_string={"number": number}, headers={"X-API-Key": KEY})

    def work(self) -> list[str]:
        """Work off what is queued; give how each ended."""
        from shared.events.topics import CALLS_QUEUE

        queue, ended = self.main.BUS.queue(CALLS_QUEUE), []
        while messages := queue.read("test", count=100, block_ms=0):
            for message in messages:
                ended.append(self.main.BUS.runner(CALLS_QUEUE, self.subscribers()).run(message.item).kind)
                queue.ack(message.stream_id)
        return ended

    def subscribers(self) -> Any:
        """Give the subscribers as the app finds them."""
        return self.main.SUBSCRIBERS

    def journalled(self) -> list[Json]:
        """List the calls in EspoCRM."""
        return self.espocrm.records.all("Call")

    def tasks(self) -> list[Json]:
        """List the tasks in EspoCRM."""
        return self.espocrm.records.all("Task")

    def logged(self) -> str:
        """Give everything that was logged."""
        return self.lines.getvalue()

    def in_redis(self) -> str:
        """Give every key and value that is in Redis."""
        text = []
        for db in (0, 1, 2):
            client = redis.Redis.from_url(self.env["REDIS_URL"], db=db)
            for key in client.keys("*"):
                text += [repr(key), repr(client.dump(key))]
        return "\n".join(text)


@contextmanager
def world(monkeypatch: Any, redis_url: str, **more: str) -> Iterator[Rig]:
    """Start the doubles and the function."""
    with ExitStack() as stack:
        espocrm, advoware, pbx = EspoCrm(), Advoware(), ThreeCx()
        urls = [stack.enter_context(serve(each)).url for each in (espocrm, advoware, pbx)]
        client = redis.Redis.from_url(redis_url, decode_responses=True)
        client.flushall()
        env = {
            "REDIS_URL": redis_url,
            "EVENT_TRANSPORT": "redis",
            "PUBLIC_BASE_URL": "https://api.example",
            "THREECX_WEBHOOK_SECRET": SECRET,
            "THREECX_TEMPLATE_KEY": KEY,
            "THREECX_EXTENSIONS": f"102={OWNER},105=user-meier",
            "ESPOCRM_DEFAULT_USER_ID": FALLBACK,
            **espocrm.env(urls[0]),
            **advoware.env(urls[1]),
            **pbx.env(urls[2]),
            **more,
        }
        yield Rig(env, {"espocrm": espocrm, "advoware": advoware, "pbx": pbx, "redis": client}, monkeypatch)


__all__ = ["FALLBACK", "KEY", "OWNER", "SECRET", "Rig", "running", "world"]
