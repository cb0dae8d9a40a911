"""The all-in-one: one process, every target under its own paths."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from redis_server import running
from werkzeug.test import Client

from functions.app import FOLDERS, App, subscribers_of
from shared import startup
from shared.events.cloudevent import CONTENT_TYPE
from shared.events.task import Subscriber
from shared.settings.common import CommonSettings


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with running() as server:
        yield server.url


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, redis_url: str, tmp_path: Path) -> Client:
    monkeypatch.setattr("shared.startup.set_up_log", lambda level: None)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("EVENT_TRANSPORT", "redis")
    monkeypatch.setenv("GATEWAY_SECRET", "gate")
    monkeypatch.setenv("TOY_LOG", str(tmp_path / "toy.log"))
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    module = importlib.reload(importlib.import_module("toy_main"))
    return Client(App([(module, {"/toy": "toy"})], startup.read_parts([CommonSettings])))


GATE = {"X-Gateway-Secret": "gate"}


def event(item: str, topic: str = "lead.received") -> bytes:
    return carrying({"lead_id": item}, topic)


def carrying(data: object, topic: str = "lead.received") -> bytes:
    return json.dumps({"specversion": "1.0", "id": "1", "type": topic, "source": "/x", "data": data}).encode()


def deliver(client: Client, body: bytes, topic: str = "lead.received", headers: dict[str, str] | None = None):
    return client.post(f"/events/{topic}", data=body, headers={"Content-Type": CONTENT_TYPE, **(headers or GATE)})


@pytest.mark.parametrize("path", ["/toy", "/toy?x=1"])
def test_a_target_is_found_by_its_prefix_and_sees_its_own_path(client, path):
    assert client.get(path, headers=GATE).json["path"] == "/toy"


@pytest.mark.parametrize("path", ["/toyx", "/toy/", "//toy", "/", "/nothing", "/events", "/events/"])
def test_any_other_path_is_a_404_and_never_redirected(client, path):
    answer = client.get(path, headers=GATE)
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"


def test_the_app_answers_health_ready_and_metrics_itself(client):
    assert client.get("/health").data == b'{"status":"ok"}'
    assert client.get("/ready", headers=GATE).json["status"] == "ready"
    assert client.get("/metrics", headers={"Authorization": "Bearer gate"}).status_code == 200


@pytest.mark.parametrize("path", ["/toy", "/nothing", "/ready", "/metrics", "/events/lead.received"])
def test_everything_but_health_wants_the_gateway_secret(client, path):
    assert client.open(path, method="POST").status_code == 401


def test_an_event_is_worked_off_inside_the_request(client, tmp_path):
    assert deliver(client, event("lead-7")).status_code == 204
    assert "lead-7 done" in (tmp_path / "toy.log").read_text()


@pytest.mark.parametrize(
    ("body", "topic", "status"),
    [
        (b"x", "lead.received", 400),
        (b"{}", "lead.received", 400),
        (event("lead-1"), "nothing", 404),
        (event("lead-1"), "vmh.beteiligte.update", 404),
        (event("a b"), "lead.received", 422),
        (event("lead-1", "threecx.call"), "lead.received", 422),
        (carrying("x"), "lead.received", 422),
        (carrying('{"lead_id": "lead-1"}'), "lead.received", 422),
        (carrying(["lead-1"]), "lead.received", 422),
        (carrying(7), "lead.received", 422),
        (event("bug-9"), "lead.received", 503),
    ],
)
def test_every_other_outcome_has_its_own_status(client, body, topic, status):
    answer = deliver(client, body, topic)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert ("Retry-After" in answer.headers) == (status == 503)


def test_get_is_no_way_to_deliver(client):
    answer = client.get("/events/lead.received", headers=GATE)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"


def test_every_public_path_has_a_target():
    prefixes = {prefix for folder in FOLDERS for prefix in folder.prefixes}
    assert {"/advoware", "/calendar", "/vmh", "/api/leads", "/leads/maintenance", "/threecx", "/ops"} <= prefixes


def test_a_plain_function_is_a_subscriber():
    declared = {"lead.received": print, "threecx.call": Subscriber(print, limit=3)}
    found = subscribers_of(SimpleNamespace(SUBSCRIBERS=declared))
    assert found["lead.received"] == Subscriber(print)
    assert found["threecx.call"].limit == 3
