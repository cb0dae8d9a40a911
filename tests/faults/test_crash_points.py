"""Every call of the webhooks, the party sync, the leads and the call journal is once an accident, in three ways.

The calls are found by watching the flow without accidents, so a new one is tried by itself; their number is
asserted, so that it is also noticed. After the accident the process starts again, the sender tells again what was
not taken, leases end, and then every thing is there exactly once and nothing is left pending.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import redis
from calendar_wire import Crash
from points import KINDS, Points, WatchedRedis, carry_to
from redis_server import running
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from sandbox.advoware import Advoware
from sandbox.double import Double
from sandbox.espocrm import EspoCrm
from sandbox.threecx import ThreeCx
from shared.errors import UnavailableError
from shared.events import bus as bus_module
from shared.events import topics
from shared.events.care import care
from shared.events.cloudevent import from_message
from shared.events.consumer import Consumer
from shared.state import connection
from shared.webhook import sign

ENTITY = "CBeteiligte"
SENDERS_TRIES = 4
READS = frozenset("GET get hget hgetall hscan scan sscan pttl time zscore zrangebyscore".split())  # dead is dead, here
READS |= {"token_read", "queue_stats", "queue_unsent"}
SHORT_LIVED = ("threecx:journal-lock:*", "lead:held:*", "espocrm:paused", "*:refresh", "*:failed", "vmh:*:naming:*")
SETTINGS = {
    "ADVOWARE_TIMEOUT_SECONDS": "0.02",
    "ESPOCRM_TIMEOUT_SECONDS": "0.02",
    "ESPOCRM_DEFAULT_USER_ID": "1",
    "VERMIETERHELDEN_WEBHOOK_SECRET": "geheim-123",
    "LEAD_ENCRYPTION_KEY": "S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2U=",
    "THREECX_WEBHOOK_SECRET": "phone-secret",
    "THREECX_EXTENSIONS": "102=user-berger",
    "PUBLIC_BASE_URL": "https://api.example",
    "RETRY_ATTEMPTS": "1000",
    "RETRY_BASE_SECONDS": "0.001",
    "RETRY_CAP_SECONDS": "0.001",
}


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with running() as server:
        yield server.url


class Events(Double):
    """The way from function to function: hands an event to the subscribers of the same process."""

    def __init__(self, firm: Firm) -> None:
        super().__init__()
        self._firm = firm

    def handle(self, request: Request) -> Response:
        """Work one event off inside the request."""
        main = self._firm.main
        try:
            main.BUS.deliver(main.SUBSCRIBERS, from_message(request.headers, request.get_data()))
        except UnavailableError:
            return Response(status=503)
        return Response(status=204)


class Firm:
    """One process of ours that can die and start again, and the doubles around it."""

    def __init__(self, redis_url: str, monkeypatch: pytest.MonkeyPatch, transport: str) -> None:
        self.transport = transport
        self.points, self.monkeypatch = Points(), monkeypatch
        self.espocrm, self.advoware, self.pbx = EspoCrm(), Advoware(), ThreeCx()
        self.plain = {db: connection.connect(redis_url, db, timeout_s=5) for db in (0, 1, 2)}
        self.plain[0].flushall()
        watched = {db: WatchedRedis.of(self.points, client) for db, client in self.plain.items()}
        settings = {
            **SETTINGS,
            "REDIS_URL": redis_url,
            "EVENT_TRANSPORT": transport,
            "EVENT_BASE_URL": "http://events.test/events",
            **self.espocrm.env("http://espocrm.test"),
            **self.advoware.env("http://advoware.test"),
            **self.pbx.env("http://threecx.test"),
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        doubles = {"espocrm": self.espocrm, "advoware": self.advoware, "threecx": self.pbx, "events": Events(self)}
        monkeypatch.setattr("shared.whole.WholeAnswers.send", carry_to(self.points, doubles))
        monkeypatch.setattr("shared.http.random", types.SimpleNamespace(uniform=lambda _low, _high: 0.0))
        monkeypatch.setattr(bus_module, "_client", lambda _url, db: watched[db])
        monkeypatch.setattr("shared.events.outbox.RELAY_AFTER_S", 0.0)
        monkeypatch.setattr("functions.leads.journey.BROKEN_SETTLE_S", 0.02)
        deps = importlib.import_module("functions.vmh_webhooks.deps")
        monkeypatch.setattr(deps, "make_deps", partial(deps.make_deps, settle_s=0.0))
        self.module, self.queue_name = "", ""

    def start(self, module: str, queue_name: str) -> None:
        """Start the process, for the first time or again."""
        self.module, self.queue_name = module, queue_name
        sys.modules.pop(module, None)
        self.main = importlib.import_module(module)
        self.main.BUS.evidence._clock = lambda: 0.0  # it notes answers at most once a second: here, once
        entries = [getattr(self.main, name) for name in ("_API", "_LEADS") if hasattr(self.main, name)]
        entry = entries[0]
        self.http = Client(lambda environ, start: entry(Request(environ))(environ, start))

    def restart(self) -> None:
        """Come up again after a death."""
        self.start(self.module, self.queue_name)

    def work(self) -> None:
        """Do what a worker does in one turn, or where nobody reads a stream, the scheduler's relay."""
        if self.transport != "redis":
            with contextlib.suppress(redis.RedisError):
                self.main.BUS.relay()
            return
        queue = self.main.BUS.queue(self.queue_name)
        subscribers = self.main.SUBSCRIBERS
        consumer = Consumer(
            self.main.BUS, self.queue_name, subscribers, name="w", parallel=1, stopping=threading.Event()
        )
        with contextlib.suppress(redis.RedisError):  # the consumer goes on after a pause
            for message in [*queue.steal("w", 0), *queue.read("w", count=10, block_ms=0)]:
                consumer._work(queue, message)

    def time_passes(self) -> None:
        """Let leases and short locks end, and delays be over."""
        for db in (0, 1):
            client = self.plain[db]
            for key in [key for pattern in SHORT_LIVED for key in client.scan_iter(match=pattern)]:
                client.delete(key)
        queue = self.main.BUS.queue(self.queue_name)
        for kind in ("processing", "delayed"):
            key = queue._named[kind]
            for item in queue._client.zrange(key, 0, -1):
                queue._client.zadd(key, {item: 1})
        care(queue, self.main.BUS.client(1), sweep=True)

    def rest(self) -> None:
        """Go on until nothing is left to do."""
        queue = self.main.BUS.queue(self.queue_name)
        ends = time.monotonic() + 20
        while True:
            self.time_passes()
            self.work()
            stats = queue.stats()
            if stats.depth + stats.processing + stats.delayed + stats.unsent == 0:
                break
            assert time.monotonic() < ends, stats
        assert queue.stats().dead == 0, queue.dead(count=9)
        assert self.plain[0].xlen(queue._named["queue"]) == 0


Tell = Callable[[Firm], int]


@dataclass(frozen=True)
class Scene:
    """What is there before, what senders tell, and what has to be true in the end."""

    calls: int
    flow: tuple[str, str]
    given: Callable[[Firm], Any]
    tell: Callable[[Firm, Any], list[Tell]]
    then: Callable[[Firm, Any], None]
    transport: str = "redis"


def play(firm: Firm, tell: list[Tell]) -> None:
    """Let every sender tell its thing until it is taken, and the worker work once; a death ends the process."""
    for say in tell:
        for _ in range(SENDERS_TRIES):
            with contextlib.suppress(Crash):
                if say(firm) == 200:
                    break
            if firm.points.at < len(firm.points.names):
                firm.restart()
        else:
            raise AssertionError("never taken")
    try:
        firm.work()
    except Crash:
        firm.restart()


def webhook(action: str) -> Callable[[Firm, str], list[Tell]]:
    def tell(_firm: Firm, record: str) -> list[Tell]:
        return [lambda f: f.http.post(f"/vmh/webhook/beteiligte/{action}", json=[{"id": record}]).status_code]

    return tell


ANNA = {"firstName": "Anna", "lastName": "Groß", "emailAddress": "anna@example.org", "addressCity": "Hannover"}


def newcomer(firm: Firm) -> str:
    return firm.espocrm.add(ENTITY, **ANNA)


def namesake(firm: Firm) -> str:
    firm.advoware.registry.create_party(name="Groß", vorname="Anna", email="anna@example.org")
    return newcomer(firm)


def known(firm: Firm) -> str:
    record = newcomer(firm)
    play(firm, webhook("create")(firm, record))
    firm.espocrm.edit(ENTITY, record, silent=True, addressCity="Celle")
    return record


def departed(firm: Firm) -> str:
    record = known(firm)
    firm.espocrm.remove(ENTITY, record, silent=True)
    return record


def one_party(firm: Firm, record: str) -> None:
    [party] = firm.advoware.registry.parties()
    stored = firm.espocrm.get(ENTITY, record)
    assert (party["ort"], party["betNr"]) == (stored["addressCity"], stored["betnr"])


def inactive(firm: Firm, _record: str) -> None:
    [party] = firm.advoware.registry.parties()
    assert party["aktiv"] is False


def lead(number: int, **more: str) -> Tell:
    form = {"typ": "vermieter", "nachname": "Groß", "email": "anna@example.org", "thema": "kaution"}
    form |= {"nachricht": f"Anliegen Nummer {number}", **more}

    def tell(firm: Firm) -> int:
        headers = {"X-Webhook-Secret": "geheim-123", "Idempotency-Key": f"lead-{number:08}"}
        return firm.http.post("/api/leads/vermieterhelden", json=form, headers=headers).status_code

    return tell


def one_lead(firm: Firm, _: Any) -> None:
    [row] = firm.espocrm.records.all("Lead")
    [task] = firm.espocrm.records.all("Task")
    assert task["parentId"] == row["id"]
    _nothing_personal_left(firm)


def on_the_contact(firm: Firm, contact: str) -> None:
    assert firm.espocrm.records.all("Lead") == []
    [task], [note] = firm.espocrm.records.all("Task"), firm.espocrm.records.all("Note")
    assert (task["parentId"], note["parentId"]) == (contact, contact)
    _nothing_personal_left(firm)


def one_lead_with_a_note(firm: Firm, _: Any) -> None:
    [row] = firm.espocrm.records.all("Lead")
    assert len(firm.espocrm.records.all("Task")) == 1
    notes = [note for note in firm.espocrm.records.all("Note") if "Anliegen Nummer 2" in str(note["post"])]
    assert [note["parentId"] for note in notes] == [row["id"]]
    _nothing_personal_left(firm)


def _nothing_personal_left(firm: Firm) -> None:
    records = list(firm.plain[0].scan_iter("lead:record:*"))
    assert records
    assert not any(firm.plain[0].hexists(each, "payload") for each in records)


def call(event: str, call_id: str = "c-77", **more: Any) -> Tell:
    body = {"event": event, "call_id": call_id, "direction": "inbound", "caller": "+495111234567", "extension": "102"}
    body |= {"callee": "+4951198760", "timestamp": "2026-11-24T08:00:00Z", **more}

    def tell(firm: Firm) -> int:
        raw, stamp = json.dumps(body).encode(), int(time.time())
        headers = {"X-3CX-Timestamp": str(stamp), "X-3CX-Signature": sign(raw, "phone-secret", stamp)}
        return firm.http.post(
            "/threecx/webhook", data=raw, headers=headers, content_type="application/json"
        ).status_code

    return tell


def answered_call(_firm: Firm, _: Any) -> list[Tell]:
    moved = call("call.transferred", transferred_to="102", timestamp="2026-11-24T08:00:10Z")
    return [moved, call("call.ended", answered=True, duration_s=30, timestamp="2026-11-24T08:00:40Z")]


def one_call(firm: Firm, _: Any) -> None:
    [row] = firm.espocrm.records.all("Call")
    assert (row["status"], row["dateEnd"]) == ("Held", "2026-11-24 08:00:40")
    assert firm.plain[0].zcard("threecx:open") == 0


def missed_call(firm: Firm, _: Any) -> None:
    [row], [task] = firm.espocrm.records.all("Call"), firm.espocrm.records.all("Task")
    assert row["status"] == "Not Held"
    assert task["status"] != "Completed"


def nothing(_firm: Firm) -> None:
    return None


def contact(firm: Firm) -> str:
    return firm.espocrm.add("Contact", firstName="Anna", lastName="Groß", emailAddress="anna@example.org")


def earlier_lead(firm: Firm) -> None:
    play(firm, [lead(1)])
    firm.rest()


PARTIES = ("functions.vmh_webhooks.main", topics.PARTIES_QUEUE)
LEADS = ("functions.leads.main", topics.LEADS_QUEUE)
CALLS = ("functions.threecx.main", topics.CALLS_QUEUE)
SCENES = {
    "a party is created": Scene(40, PARTIES, newcomer, webhook("create"), one_party),
    "a party is found": Scene(36, PARTIES, namesake, webhook("create"), one_party),
    "a party is changed": Scene(19, PARTIES, known, webhook("update"), one_party),
    "a party ends": Scene(18, PARTIES, departed, webhook("delete"), inactive),
    "a party by the outbox": Scene(57, PARTIES, newcomer, webhook("create"), one_party, "http"),
    "a lead by the outbox": Scene(68, LEADS, nothing, lambda f, _: [lead(1)], one_lead, "http"),
    "a lead is created": Scene(51, LEADS, nothing, lambda f, _: [lead(1)], one_lead),
    "a lead of a contact": Scene(41, LEADS, contact, lambda f, _: [lead(1)], on_the_contact),
    "a lead once more": Scene(38, LEADS, earlier_lead, lambda f, _: [lead(2)], one_lead_with_a_note),
    "a call that was answered": Scene(43, CALLS, nothing, answered_call, one_call),
    "a call that was missed": Scene(43, CALLS, nothing, lambda f, _: [call("call.ended", answered=False)], missed_call),
}


def staged(redis_url: str, monkeypatch: pytest.MonkeyPatch, scene: Scene) -> tuple[Firm, Any]:
    firm = Firm(redis_url, monkeypatch, scene.transport)
    firm.start(*scene.flow)
    given = scene.given(firm)
    firm.restart()
    return firm, given


@pytest.mark.parametrize("name", SCENES)
def test_no_accident_at_any_call_loses_or_doubles_anything(
    redis_url: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    scene = SCENES[name]
    for _ in range(2):  # the second time all scripts are known
        firm, given = staged(redis_url, monkeypatch, scene)
        firm.points.arm(-1, "")
        play(firm, scene.tell(firm, given))
        calls = list(firm.points.names)
        firm.rest()
        scene.then(firm, given)
    assert len(calls) == scene.calls, f"other calls than those tried so far: {calls}"
    for place, what in enumerate(calls):
        for kind in KINDS if what.split()[1] not in READS else KINDS[:2]:
            firm, given = staged(redis_url, monkeypatch, scene)
            firm.points.arm(place, kind)
            try:
                play(firm, scene.tell(firm, given))
                firm.points.arm(-1, "")
                firm.rest()
                scene.then(firm, given)
            except Exception as error:
                raise AssertionError(f"{kind} at call {place}, {what}: {error!r}") from error
