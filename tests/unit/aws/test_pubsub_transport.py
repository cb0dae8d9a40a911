"""Pub/Sub carries the structured event, its push is unwrapped, and only Google's token for us opens the door."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from pathlib import Path

import functions_framework
import pytest
from oidc_key import ACCOUNT, AUDIENCE, Key
from redis_server import running

from shared.errors import NotConfiguredError, UnreadableRequestError
from shared.events.bus import Bus
from shared.events.cloudevent import new_event, structured
from shared.events.outbox import OutboxPublisher
from shared.events.pubsub import PUSHED, PubSubTransport, from_push, message_of, publish_url, unwrapped
from shared.web import oidc
from shared.web.oidc import CertStore, is_caller

PARTY = "6b04f6cb7536b613d"
UPDATE = "vmh.beteiligte.update"
TOY = str(Path(__file__).parents[2] / "entries" / "toy_main.py")


@pytest.fixture(scope="module")
def google() -> Key:
    return Key("google-1")


@pytest.fixture(scope="module")
def forger() -> Key:
    return Key("google-1")


@pytest.fixture
def store(google) -> CertStore:
    return CertStore(lambda: {google.key_id: google.certificate})


def test_a_token_of_the_account_for_us_is_accepted(google, store):
    assert is_caller(google.token(), AUDIENCE, ACCOUNT, store)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": int(time.time()) - 60, "iat": int(time.time()) - 4000},
        {"iat": int(time.time()) + 3600, "exp": int(time.time()) + 7200},
        {"aud": "https://others.example"},
        {"email": "somebody@project.iam.gserviceaccount.com"},
        {"email_verified": False},
        {"email_verified": "true"},
        {"iss": "https://issuer.example"},
    ],
)
def test_a_token_that_is_expired_or_for_others_is_refused(google, store, claims):
    assert not is_caller(google.token(**claims), AUDIENCE, ACCOUNT, store)


def test_a_forged_token_is_refused(forger, store):
    assert not is_caller(forger.token(), AUDIENCE, ACCOUNT, store)


def unsigned(token: str) -> str:
    header = base64.urlsafe_b64encode(b'{"alg":"none","kid":"google-1"}').decode().rstrip("=")
    return ".".join([header, token.split(".")[1], ""])


@pytest.mark.parametrize("spoil", [unsigned, lambda token: token[:-4] + "AAAA", lambda _: "a.b.c", lambda _: ""])
def test_a_broken_token_is_refused(google, store, spoil):
    assert not is_caller(spoil(google.token()), AUDIENCE, ACCOUNT, store)


def stripped(token: str) -> str:
    """What a private service gets: Cloud Run has checked the token and taken its signature away."""
    return token.rpartition(".")[0] + ".SIGNATURE_REMOVED_BY_GOOGLE"


def test_a_token_that_the_platform_has_checked_counts_only_where_we_say_so(google, forger, store):
    assert is_caller(stripped(google.token()), AUDIENCE, ACCOUNT, store, by_platform=True)
    assert is_caller(google.token(), AUDIENCE, ACCOUNT, store, by_platform=True)
    assert not is_caller(stripped(google.token()), AUDIENCE, ACCOUNT, store)
    assert not is_caller(forger.token(), AUDIENCE, ACCOUNT, store, by_platform=True)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": int(time.time()) - 60},
        {"iat": int(time.time()) + 3600},
        {"aud": "https://others.example"},
        {"email": "somebody@project.iam.gserviceaccount.com"},
        {"email_verified": False},
        {"iss": "https://issuer.example"},
        {"exp": "x"},
    ],
)
def test_what_a_checked_token_says_counts_all_the_same(google, store, claims):
    assert not is_caller(stripped(google.token(**claims)), AUDIENCE, ACCOUNT, store, by_platform=True)


@pytest.mark.parametrize("token", [".SIGNATURE_REMOVED_BY_GOOGLE", "a.%.SIGNATURE_REMOVED_BY_GOOGLE", "a.e30.b"])
def test_a_broken_checked_token_is_refused(store, token):
    assert not is_caller(token, AUDIENCE, ACCOUNT, store, by_platform=True)


def test_certificates_are_fetched_once_and_not_for_every_unknown_key(google, forger):
    fetched = []
    now = [1000.0]
    store = CertStore(lambda: fetched.append(1) or {google.key_id: google.certificate}, lambda: now[0])
    for _ in range(5):
        store.certs(google.key_id)
        store.certs("unknown")
    assert len(fetched) == 1
    now[0] += 61
    store.certs("unknown")
    assert len(fetched) == 2


def test_without_certificates_nobody_is_believed_and_nothing_breaks(google):
    def fail():
        raise OSError

    assert not is_caller(google.token(), AUDIENCE, ACCOUNT, CertStore(fail))


def test_an_event_travels_as_a_message_and_comes_back_the_same():
    event = new_event(UPDATE, "toy", PARTY, {"entity_id": PARTY})
    message = message_of(event)["messages"][0]
    assert message["attributes"] == {"topic": UPDATE}
    assert from_push({"message": message, "subscription": "s"}) == event
    assert base64.b64decode(message["data"]) == structured(event)


@pytest.mark.parametrize("push", [None, {}, {"message": {}}, {"message": {"data": "%"}}, {"message": {"data": "e30="}}])
def test_a_push_without_an_event_is_unreadable(push):
    with pytest.raises(UnreadableRequestError):
        from_push(push)


def test_an_event_of_ours_is_left_alone():
    event = new_event(UPDATE, "toy", PARTY, {"entity_id": PARTY})
    assert unwrapped(event) is event
    assert PUSHED == "google.cloud.pubsub.topic.v1.messagePublished"


def test_topics_are_those_of_the_project_or_of_the_emulator(monkeypatch):
    assert publish_url("p", UPDATE) == f"https://pubsub.googleapis.com/v1/projects/p/topics/{UPDATE}:publish"
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "127.0.0.1:8085")
    assert publish_url("p", UPDATE) == f"http://127.0.0.1:8085/v1/projects/p/topics/{UPDATE}:publish"


@pytest.mark.parametrize(("status", "left"), [(200, 0), (503, 1), (None, 1)])
def test_what_pubsub_does_not_take_stays_in_the_outbox(bus, status, left):
    sent = []

    def post(url, document):
        sent.append((url, document))
        return (status, b"{}") if status else None

    publisher = OutboxPublisher("toy", bus.queue, lambda: bus.arguments, PubSubTransport("p", post))
    publisher.publish(UPDATE, PARTY)
    assert [url.rpartition("/")[2] for url, _ in sent] == [f"{UPDATE}:publish"]
    assert bus.queue("vmh:beteiligte").stats().unsent == left


def test_the_bus_publishes_over_pubsub_when_told_to(monkeypatch):
    monkeypatch.setenv("EVENT_TRANSPORT", "pubsub")
    with pytest.raises(NotConfiguredError, match="EVENT_PUBSUB_PROJECT"):
        _ = Bus("toy").publisher
    monkeypatch.setenv("EVENT_PUBSUB_PROJECT", "p")
    assert isinstance(Bus("toy")._send(), PubSubTransport)


@pytest.fixture(scope="module")
def redis_url():
    with running() as server:
        yield server.url


@pytest.fixture
def function(monkeypatch, google, store, redis_url, tmp_path) -> Callable[..., int]:
    """An event function under functions-framework, in front of which Pub/Sub pushes."""
    monkeypatch.setattr("shared.startup.set_up_log", lambda level: None)
    monkeypatch.setattr(oidc, "_google", lambda: store)
    environ = {"REDIS_URL": redis_url, "TOY_LOG": str(tmp_path / "toy.log"), "GATEWAY_SECRET": "gateway",
               "EVENT_TRANSPORT": "pubsub", "EVENT_PUBSUB_PROJECT": "p",
               "EVENT_OIDC_AUDIENCE": AUDIENCE, "EVENT_OIDC_ACCOUNT": ACCOUNT}  # fmt: skip
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    client = functions_framework.create_app("toy_event", TOY).test_client()

    def push(event: bytes, token: str | None = None, path: str = "/") -> int:
        message = {"data": base64.b64encode(event).decode(), "messageId": "1", "publishTime": "2026-01-01T00:00:00Z"}
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        body = {"message": message, "subscription": "projects/p/subscriptions/s"}
        return client.post(path, json=body, headers=headers).status_code

    return push


def lead(item: str) -> bytes:
    return structured(new_event("lead.received", "toy", item, {"lead_id": item}))


def test_a_push_with_googles_token_reaches_the_subscriber(function, google, redis_url):
    from shared.state import connection
    from shared.state.queue import LEADS, WorkQueue

    queue = WorkQueue(connection.connect(redis_url, 0), LEADS, outbox=True)
    queue.add("intake", ["lead-push"])
    assert function(lead("lead-push"), google.token()) == 204
    assert queue.stats().depth == 0
    assert function(lead("lead-push"), google.token()) == 204  # delivered twice is normal


def test_a_push_without_a_token_or_with_a_forged_or_expired_one_is_401(function, google, forger):
    assert function(lead("x")) == 401
    assert function(lead("x"), forger.token()) == 401
    assert function(lead("x"), google.token(exp=int(time.time()) - 60)) == 401


def test_a_push_of_something_else_is_400(function, google):
    assert function(b"poison", google.token()) == 400


def test_the_token_opens_no_path_of_people():
    from werkzeug.test import EnvironBuilder
    from werkzeug.wrappers import Request

    from shared.settings.common import CommonSettings
    from shared.web.common import Common

    class Believing(Common):
        def _is_platform(self, token: str) -> bool:
            return token == "good"

    common = Believing("ops", CommonSettings({"GATEWAY_SECRET": "s"}))

    def opens(path: str, token: str = "good") -> bool:  # noqa: S107
        return common.from_gateway(
            Request(EnvironBuilder(path, headers={"Authorization": f"Bearer {token}"}).get_environ())
        )

    for path in ("/events/lead.received", "/calendar/cron", "/vmh/reconcile", "/leads/maintenance", "/ops/relay", "/"):
        assert opens(path), path
        assert not opens(path, "bad"), path
    for path in (
        "/calendar/sync",
        "/advoware/x",
        "/threecx/calls",
        "/metrics",
        "/opsx",
        "/vmh/webhook/beteiligte/create",
    ):
        assert not opens(path), path
