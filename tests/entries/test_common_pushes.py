"""The all-in-one behind Pub/Sub: pushes arrive at its event paths, and only Google's token for us opens them."""

from __future__ import annotations

import base64
import importlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from oidc_key import ACCOUNT, AUDIENCE, Key
from redis_server import running
from werkzeug.test import Client, TestResponse

from functions.app import App
from shared import startup
from shared.events.cloudevent import new_event, structured
from shared.settings.common import CommonSettings
from shared.state import connection
from shared.state.queue import LEADS, WorkQueue
from shared.web import oidc
from shared.web.oidc import CertStore

LEAD = "lead.received"
Push = Callable[..., TestResponse]


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with running() as server:
        yield server.url


@pytest.fixture(scope="module")
def google() -> Key:
    return Key("google-1")


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, google: Key, redis_url: str, tmp_path: Path) -> Client:
    monkeypatch.setattr("shared.startup.set_up_log", lambda level: None)
    monkeypatch.setattr(oidc, "_google", lambda: CertStore(lambda: {google.key_id: google.certificate}))
    environ = {"REDIS_URL": redis_url, "TOY_LOG": str(tmp_path / "toy.log"), "GATEWAY_SECRET": "gate",
               "EVENT_TRANSPORT": "pubsub", "EVENT_PUBSUB_PROJECT": "p",
               "EVENT_OIDC_AUDIENCE": AUDIENCE, "EVENT_OIDC_ACCOUNT": ACCOUNT}  # fmt: skip
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    module = importlib.reload(importlib.import_module("toy_main"))
    return Client(App([(module, {"/toy": "toy"})], startup.read_parts([CommonSettings])))


@pytest.fixture
def push(client: Client) -> Push:
    def send(event: bytes, token: str | None = None, topic: str = LEAD) -> TestResponse:
        message = {"data": base64.b64encode(event).decode(), "messageId": "1", "publishTime": "2026-01-01T00:00:00Z"}
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        body = {"message": message, "subscription": "projects/p/subscriptions/s"}
        return client.post(f"/events/{topic}", json=body, headers=headers)

    return send


def event(item: str, topic: str = LEAD) -> bytes:
    return structured(new_event(topic, "leads", item, {"lead_id": item}))


def test_a_push_is_unwrapped_and_worked_off_inside_the_request(push, google, redis_url, tmp_path):
    queue = WorkQueue(connection.connect(redis_url, 0), LEADS, outbox=True)
    queue.add("intake", ["lead-1"])
    assert push(event("lead-1"), google.token()).status_code == 204
    assert "lead-1 done" in (tmp_path / "toy.log").read_text()
    assert queue.stats().depth == 0
    assert push(event("lead-1"), google.token()).status_code == 204  # delivered twice is normal
    assert (tmp_path / "toy.log").read_text().count("lead-1 done") == 1


BINARY = {"ce-specversion": "1.0", "ce-id": "1", "ce-type": LEAD, "ce-source": "/x", "Content-Type": "application/json"}


def pushed(client: Client, google: Key, message: dict[str, Any]) -> TestResponse:
    headers = {"Authorization": f"Bearer {google.token()}"}
    return client.post(f"/events/{LEAD}", json={"message": message, "subscription": "s"}, headers=headers)


def test_a_push_may_carry_the_event_in_its_attributes(client, google, redis_url, tmp_path):
    WorkQueue(connection.connect(redis_url, 0), LEADS, outbox=True).add("intake", ["lead-2"])
    data = base64.b64encode(b'{"lead_id":"lead-2"}').decode()
    answer = pushed(client, google, {"data": data, "attributes": BINARY | {"traceparent": "a\nb"}})
    assert answer.status_code == 204
    assert "lead-2 done" in (tmp_path / "toy.log").read_text()


def test_attributes_without_data_carry_an_empty_object(client, google):
    assert pushed(client, google, {"attributes": BINARY}).status_code == 422


def test_attributes_of_another_version_are_no_event(client, google):
    assert pushed(client, google, {"data": "e30=", "attributes": BINARY | {"ce-specversion": "0.3"}}).status_code == 400


def test_what_has_to_wait_is_a_503_so_that_it_is_pushed_again(push, google, redis_url):
    WorkQueue(connection.connect(redis_url, 0), LEADS, outbox=True).add("intake", ["bug-1"])
    answer = push(event("bug-1"), google.token())
    assert answer.status_code == 503
    assert answer.headers["Retry-After"].isdigit()


def test_without_a_token_or_with_a_forged_or_expired_one_it_is_401(push, google):
    tokens = [None, "", "x", Key(google.key_id).token(), google.token(exp=int(time.time()) - 60),
              google.token(aud="https://others.example"), google.token(email="somebody@example.com")]  # fmt: skip
    assert [push(event("x"), token).status_code for token in tokens] == [401] * len(tokens)


@pytest.mark.parametrize("body", [b"poison", b"{}", b"[]"])
def test_a_push_of_something_else_is_400(push, google, body):
    assert push(body, google.token()).status_code == 400


def test_a_push_of_another_topic_is_422(push, google):
    assert push(event("x", "threecx.call"), google.token()).status_code == 422


@pytest.mark.parametrize("document", [{"message": None}, {"message": {"attributes": {}}}, {"message": {"data": "%"}}])
def test_a_push_without_a_message_is_400(client, google, document: dict[str, Any]):
    headers = {"Authorization": f"Bearer {google.token()}"}
    answer = client.post(f"/events/{LEAD}", json=document, headers=headers)
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")


def test_a_bare_cloudevent_is_still_taken(client, google, redis_url):
    headers = {"Authorization": f"Bearer {google.token()}", "Content-Type": "application/cloudevents+json"}
    assert client.post(f"/events/{LEAD}", data=event("unknown"), headers=headers).status_code == 204


def test_behind_cloud_runs_own_check_the_signature_is_gone_and_the_push_still_counts(push, google, monkeypatch):
    stripped = google.token().rpartition(".")[0] + ".SIGNATURE_REMOVED_BY_GOOGLE"
    assert push(event("unknown"), stripped).status_code == 401
    monkeypatch.setenv("EVENT_OIDC_CHECKED_BY", "platform")
    assert push(event("unknown"), stripped).status_code == 401
    monkeypatch.setenv("K_SERVICE", "lead-intake")
    assert push(event("unknown"), stripped).status_code == 204
