"""Events go to one queue per topic; what is not taken waits in the outbox for the relay."""

from __future__ import annotations

import json

from shared.events import sqs
from shared.events.topics import find

PARTY, OTHER = "6b04f6cb7536b613d", "7b04f6cb7536b613d"
UPDATE = "vmh.beteiligte.update"


def test_an_event_is_the_structured_cloudevent_in_its_topics_queue(bus, sent):
    event_id = bus.publisher.publish(UPDATE, PARTY)
    ((url, body, delay_s),) = sent
    assert (url, delay_s) == ("https://sqs/update", 0)
    document = json.loads(body)
    assert document["id"] == event_id
    assert document["type"] == UPDATE
    assert document["subject"] == document["data"]["entity_id"] == PARTY
    assert bus.queue("vmh:beteiligte").stats().unsent == 0


def test_what_the_queue_does_not_take_waits_and_is_sent_by_the_relay(bus, sent, monkeypatch):
    monkeypatch.setattr("shared.events.outbox.RELAY_AFTER_S", 0)
    sent.takes = False
    bus.publisher.publish(UPDATE, PARTY)
    assert bus.queue("vmh:beteiligte").stats().unsent == 1
    sent.takes = True
    assert bus.relay() == {"relayed": 1, "unsent": 0}
    assert [url for url, _, _ in sent] == ["https://sqs/update"]


def test_a_topic_without_a_queue_keeps_its_events_in_the_outbox(bus, sent, monkeypatch):
    monkeypatch.delenv("EVENT_SQS_URL_VMH_BETEILIGTE_UPDATE")
    bus.publisher.publish(UPDATE, PARTY)
    assert sent == []
    assert bus.queue("vmh:beteiligte").stats().unsent == 1


def test_a_batch_is_sent_item_by_item(bus, sent):
    bus.publisher.publish_all(UPDATE, [PARTY, OTHER])
    assert {json.loads(body)["subject"] for _, body, _ in sent} == {PARTY, OTHER}


def test_a_delay_beyond_what_sqs_takes_is_cut(bus, sent):
    bus.publisher.send_later(find(UPDATE), PARTY, 5000)
    assert sent[0][2] == 900


def test_a_refusal_of_sqs_is_an_answer_and_no_exception(monkeypatch):
    from botocore.exceptions import EndpointConnectionError

    class Broken:
        def send_message(self, **_):
            raise EndpointConnectionError(endpoint_url="https://sqs")

    monkeypatch.setattr(sqs, "client", Broken)
    assert sqs.send_message("https://sqs/x", "{}", 0) is None


def test_the_relay_shows_how_full_the_queues_are(bus, sent):
    from shared import metrics

    sent.takes = False
    bus.publisher.publish(UPDATE, PARTY)
    bus.relay()
    assert metrics.QUEUE_DEPTH.labels("vmh:beteiligte")._value.get() == 1
