"""Functions that call each other: what is handed over, what stays, what the relay does."""

from __future__ import annotations

import json
import time

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from shared.errors import InvalidRequestError, NotConfiguredError, UnavailableError
from shared.events import http as transport
from shared.events import outbox
from shared.events.bus import Bus
from shared.events.http import HttpTransport, address
from shared.events.outbox import OutboxPublisher

PARTY, OTHER = "6b04f6cb7536b613d", "6b04f6cb7536b613e"
TOPIC = "vmh.beteiligte.update"


class Wire:
    """Answers posts as told and remembers them."""

    def __init__(self, *answers: int | None) -> None:
        self.answers = list(answers)
        self.sent: list[tuple[str, dict, dict]] = []

    def __call__(self, url, body, headers):
        self.sent.append((url, json.loads(body), dict(headers)))
        return self.answers.pop(0) if self.answers else 204


@pytest.fixture
def bus(make_bus) -> Bus:
    return make_bus(EVENT_BASE_URL="http://events.test/events/")


def publisher(bus: Bus, wire: Wire, secret: str | None = None) -> OutboxPublisher:
    return OutboxPublisher("toy", bus.queue, lambda: bus.arguments, HttpTransport(bus.events.base_url, secret, wire))


def unsent(bus: Bus) -> int:
    return bus.queue("vmh:beteiligte").stats().unsent


def test_an_event_goes_out_as_a_structured_cloudevent(bus):
    wire = Wire()
    event_id = publisher(bus, wire, "gate").publish(TOPIC, PARTY)
    url, event, headers = wire.sent[0]
    assert url == "http://events.test/events/vmh.beteiligte.update"
    assert headers["Content-Type"] == "application/cloudevents+json"
    assert headers["X-Gateway-Secret"] == "gate"
    assert (event["id"], event["type"], event["source"], event["subject"]) == (event_id, TOPIC, "/functions/toy", PARTY)
    assert event["data"]["entity_id"] == PARTY


def test_without_a_gateway_secret_none_is_sent(bus):
    wire = Wire()
    publisher(bus, wire).publish(TOPIC, PARTY)
    assert "X-Gateway-Secret" not in wire.sent[0][2]


def test_a_topic_may_have_an_address_of_its_own():
    own = {"EVENT_URL_VMH_BETEILIGTE_UPDATE": "https://f.example/sync"}
    assert address(TOPIC, "http://base", own) == "https://f.example/sync"
    assert address("lead.received", "http://base", own) == "http://base/lead.received"
    assert address("lead.received", None, {}) is None


@pytest.mark.parametrize(("answer", "left"), [(204, 0), (200, 0), (None, 1), (503, 1), (301, 1), (401, 1), (404, 1)])
def test_only_a_2xx_empties_the_outbox(bus, answer, left):
    publisher(bus, Wire(answer)).publish(TOPIC, PARTY)
    assert unsent(bus) == left


def test_without_an_address_the_entry_stays(make_bus):
    bus = make_bus()
    publisher(bus, Wire()).publish(TOPIC, PARTY)
    assert unsent(bus) == 1


def test_a_pending_item_is_not_announced_twice(bus):
    wire = Wire()
    port = publisher(bus, wire)
    published = port.publish_all(TOPIC, [PARTY, OTHER, PARTY])
    assert sorted(published.new) == [PARTY, OTHER]
    assert port.publish_all(TOPIC, [PARTY]).pending == [PARTY]
    assert len(wire.sent) == 2


def test_an_explicit_full_content_travels_and_is_kept(bus):
    wire = Wire()
    publisher(bus, wire).publish("calendar_sync_employee", "SB", {"full_content": True})
    assert wire.sent[0][1]["data"] == {"kuerzel": "SB", "full_content": True}
    assert bus.arguments.read("SB")[0] is True


def test_a_bad_name_never_reaches_redis(bus):
    with pytest.raises(InvalidRequestError):
        publisher(bus, Wire()).publish(TOPIC, "../x")
    assert bus.client(1).keys("*") == []


def test_without_redis_a_taken_event_is_enough(bus, monkeypatch):
    monkeypatch.setattr(bus.queue("vmh:beteiligte"), "add", _down)
    assert publisher(bus, Wire(204)).publish(TOPIC, PARTY)


def test_without_redis_and_without_an_answer_nothing_was_accepted(bus, monkeypatch):
    monkeypatch.setattr(bus.queue("vmh:beteiligte"), "add", _down)
    with pytest.raises(UnavailableError):
        publisher(bus, Wire(None)).publish(TOPIC, PARTY)


def _down(*args):
    raise RedisConnectionError


def test_the_relay_sends_again_what_is_old_enough(bus, monkeypatch):
    publisher(bus, Wire(None)).publish(TOPIC, PARTY)
    wire = Wire()
    port = publisher(bus, wire)
    queues = [bus.queue("vmh:beteiligte")]
    assert port.relay(queues) == {"relayed": 0, "unsent": 0}
    monkeypatch.setattr(outbox, "RELAY_AFTER_S", 0.01)
    time.sleep(0.05)
    assert port.relay(queues) == {"relayed": 1, "unsent": 0}
    assert wire.sent[0][1]["subject"] == PARTY
    assert unsent(bus) == 0


def test_the_relay_keeps_what_is_refused_again(bus, monkeypatch):
    publisher(bus, Wire(None)).publish(TOPIC, PARTY)
    monkeypatch.setattr(outbox, "RELAY_AFTER_S", 0.0)
    time.sleep(0.01)
    assert publisher(bus, Wire(503)).relay([bus.queue("vmh:beteiligte")]) == {"relayed": 0, "unsent": 1}
    assert unsent(bus) == 1


def test_a_large_batch_is_handed_over_as_far_as_two_seconds_reach(bus, monkeypatch):
    monkeypatch.setattr(outbox, "HAND_OFF_WITHIN_S", 0.1)
    ids = [f"{n:017x}" for n in range(200)]

    def slow(url, body, headers):
        time.sleep(0.02)
        return 204

    started = time.monotonic()
    published = publisher(bus, slow).publish_all(TOPIC, ids)
    assert len(published.new) == 200
    assert time.monotonic() - started < 2
    assert 0 < unsent(bus) < 200


def test_the_real_post_gives_up_after_a_second(bus):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        started = time.monotonic()
        assert transport._Poster()(f"http://127.0.0.1:{port}/", b"{}", {}) is None
        assert time.monotonic() - started < 1.5


def test_the_relay_of_a_bus_gives_back_what_a_dead_holder_had(make_bus):
    bus = make_bus(QUEUE_LEASE_SECONDS="0.05")
    queue = bus.queue("vmh:beteiligte")
    queue.add("update", [PARTY])
    queue.claim(PARTY, "dead")
    time.sleep(0.1)
    bus.relay()
    assert queue.stats().processing == 0
    assert queue.stats().depth == 1


def test_the_relay_wakes_an_employee_whose_trigger_met_a_lock_of_a_dead_holder(make_bus):
    bus = make_bus()
    bus.client(1).set("calendar_sync:dirty:SB", "1")
    bus.relay()
    assert bus.queue("calendar_sync").stats().depth == 1


def test_a_transport_that_is_not_there_is_named(make_bus):
    with pytest.raises(NotConfiguredError):
        _ = make_bus(EVENT_TRANSPORT="pubsub").publisher
