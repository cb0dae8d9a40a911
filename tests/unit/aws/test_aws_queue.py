"""A batch of SQS messages is worked off one by one; only what has to come again is named."""

from __future__ import annotations

import json

import pytest
import redis

from shared.aws.queue import QueueHandler
from shared.errors import UpstreamUnavailableError
from shared.events.cloudevent import new_event, structured
from shared.events.task import PostponeError, Subscriber

PARTY, OTHER = "6b04f6cb7536b613d", "7b04f6cb7536b613d"
UPDATE = "vmh.beteiligte.update"


class Lambda:
    """The context of an invocation with so much time left."""

    def __init__(self, *left_ms: int) -> None:
        self._left = list(left_ms)

    def get_remaining_time_in_millis(self) -> int:
        return self._left.pop(0) if self._left else 300_000


def body_of(item: str, topic: str = UPDATE) -> str:
    data = {"entity_id": item} if topic == UPDATE else {"kuerzel": item, "full_content": True}
    return structured(new_event(topic, "toy", item, data)).decode()


def batch(*bodies: str) -> dict:
    return {"Records": [{"messageId": f"m{n}", "body": body} for n, body in enumerate(bodies)]}


def failures(answer: dict) -> list[str]:
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


@pytest.fixture
def seen() -> list[str]:
    return []


@pytest.fixture
def handler(bus, seen):
    def handle(task):
        seen.append(task.item)

    return QueueHandler(bus, {UPDATE: Subscriber(handle)})


def raising(bus, *errors: Exception, topic: str = UPDATE) -> QueueHandler:
    left = list(errors)

    def handle(_task):
        if left:
            raise left.pop(0)

    return QueueHandler(bus, {topic: Subscriber(handle)})


def test_a_pending_item_is_worked_off(bus, handler, seen):
    bus.queue("vmh:beteiligte").add("update", [PARTY])
    assert handler(batch(body_of(PARTY)), Lambda()) == {"batchItemFailures": []}
    assert seen == [PARTY]


def test_an_id_that_nobody_knows_any_more_is_done(handler, seen):
    assert failures(handler(batch(body_of(PARTY)), Lambda())) == []
    assert seen == []


@pytest.mark.parametrize(
    "poison",
    ["no json", "{}", body_of(PARTY).replace(UPDATE, "unknown.topic"), body_of("not/an/id"), "[1]", '"x"'],
)
def test_an_unreadable_message_comes_again_and_nine_others_pass(bus, handler, seen, poison):
    ids = [f"{n}b04f6cb7536b613d" for n in range(9)]
    bus.queue("vmh:beteiligte").add("update", ids)
    bodies = [body_of(each) for each in ids]
    bodies.insert(4, poison)
    assert failures(handler(batch(*bodies), Lambda())) == ["m4"]
    assert seen == ids


def test_work_that_failed_for_now_is_taken_and_announced_by_a_message_of_its_own(bus, sent):
    bus.queue("vmh:beteiligte").add("update", [PARTY])
    answer = raising(bus, UpstreamUnavailableError("espocrm"))(batch(body_of(PARTY)), Lambda())
    assert failures(answer) == []
    ((url, body, delay_s),) = sent
    assert url == "https://sqs/update"
    assert json.loads(body)["subject"] == PARTY
    assert delay_s >= 1


def test_the_announced_message_finds_its_work(bus, sent):
    bus.queue("vmh:beteiligte").add("update", [PARTY])
    handler = raising(bus, UpstreamUnavailableError("espocrm"))
    handler(batch(body_of(PARTY)), Lambda())
    handler(batch(sent[0][1]), Lambda())
    assert bus.queue("vmh:beteiligte").stats().depth == 0


def test_a_held_lock_delays_by_what_it_says_and_keeps_full_content(bus, sent):
    topic = "calendar_sync_employee"
    answer = raising(bus, PostponeError(17.2), topic=topic)(batch(body_of("SB", topic)), Lambda())
    assert failures(answer) == []
    ((url, body, delay_s),) = sent
    assert (url, delay_s) == ("https://sqs/employee", 18)
    assert json.loads(body)["data"] == {"kuerzel": "SB", "full_content": True}


def test_what_was_asked_for_during_the_run_goes_out_as_a_new_message_at_once(bus, sent):
    queue = bus.queue("vmh:beteiligte")
    queue.add("update", [PARTY])
    handler = QueueHandler(bus, {UPDATE: Subscriber(lambda task: queue.add("update", [task.item]) and None)})
    handler(batch(body_of(PARTY)), Lambda())
    assert [(url, delay_s) for url, _, delay_s in sent] == [("https://sqs/update", 0)]
    assert queue.stats().unsent == 0
    assert queue.stats().depth == 1


def test_what_does_not_fit_into_the_time_left_comes_again(bus, handler, seen):
    bus.queue("vmh:beteiligte").add("update", [PARTY, OTHER])
    answer = handler(batch(body_of(PARTY), body_of(OTHER)), Lambda(20_000))
    assert failures(answer) == ["m1"]
    assert seen == [PARTY]


def test_without_a_store_everything_comes_again(bus, handler, monkeypatch):
    def refuse(*_args, **_more):
        raise redis.ConnectionError

    monkeypatch.setattr(bus.queue("vmh:beteiligte"), "claim", refuse)
    assert failures(handler(batch(body_of(PARTY), body_of(OTHER)), Lambda())) == ["m0", "m1"]
