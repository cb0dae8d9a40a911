"""An event that arrives by HTTP is worked off inside the request."""

from __future__ import annotations

import pytest

from shared.errors import InvalidRequestError, NotFoundError, UnavailableError
from shared.events.bus import Bus
from shared.events.cloudevent import Event
from shared.events.task import PostponeError, SetAsideError, Subscriber, Task

PARTY = "6b04f6cb7536b613d"
TOPIC = "vmh.beteiligte.update"


class Recorder:
    """A subscriber that remembers its tasks and fails as told."""

    def __init__(self, *failures: Exception) -> None:
        self.failures, self.tasks = list(failures), []

    def __call__(self, task: Task) -> None:
        self.tasks.append(task)
        if self.failures:
            raise self.failures.pop(0)


def party_event(**data) -> Event:
    return Event(TOPIC, "/x", PARTY, {"entity_id": PARTY, "action": "update"} | data, request_id="req-1")


def calendar_event(**data) -> Event:
    return Event("calendar_sync_employee", "/x", "SB", {"kuerzel": "SB"} | data)


def subscribers(handle) -> dict[str, Subscriber]:
    return {TOPIC: Subscriber(handle), "calendar_sync_employee": Subscriber(handle)}


@pytest.mark.parametrize("transport", ["http", "redis"])
def test_an_http_delivery_runs_even_without_a_pending_entry(make_bus, transport):
    handle = Recorder()
    make_bus(EVENT_TRANSPORT=transport).deliver(subscribers(handle), party_event())
    assert [task.item for task in handle.tasks] == [PARTY]


@pytest.mark.parametrize("transport", ["sqs", "pubsub"])
def test_a_redelivery_of_an_id_that_nobody_knows_is_done(make_bus, transport):
    handle = Recorder()
    make_bus(EVENT_TRANSPORT=transport).deliver(subscribers(handle), party_event())
    assert handle.tasks == []


@pytest.mark.parametrize("transport", ["sqs", "pubsub", "http", "redis"])
def test_a_calendar_event_always_runs(make_bus, transport):
    handle = Recorder()
    make_bus(EVENT_TRANSPORT=transport).deliver(subscribers(handle), calendar_event(full_content=True))
    assert [task.data["full_content"] for task in handle.tasks] == [True]


def test_a_newer_explicit_wish_beats_the_one_that_travelled(make_bus):
    bus, handle = make_bus(EVENT_TRANSPORT="redis"), Recorder()
    bus.publisher.publish("calendar_sync_employee", "SB", {"full_content": False})
    bus.deliver(subscribers(handle), calendar_event(full_content=True))
    assert [task.data["full_content"] for task in handle.tasks] == [False]


def test_a_repeat_during_the_run_is_a_duplicate(make_bus):
    bus: Bus = make_bus()
    tasks = []

    def handle(task: Task) -> None:
        tasks.append(task)
        bus.deliver(subscribers(handle), party_event())

    bus.deliver(subscribers(handle), party_event())
    assert len(tasks) == 1


@pytest.mark.parametrize(("failure", "least"), [(RuntimeError(), 1), (PostponeError(12.4), 13)])
def test_what_has_to_wait_is_a_503_with_a_pause(make_bus, failure, least):
    with pytest.raises(UnavailableError) as refused:
        make_bus().deliver(subscribers(Recorder(failure)), party_event())
    assert refused.value.retry_after_s >= least


def test_a_dead_letter_counts_as_delivered(make_bus):
    bus = make_bus()
    bus.deliver(subscribers(Recorder(SetAsideError("party-ambiguous"))), party_event())
    assert len(bus.queue("vmh:beteiligte").dead(count=9)) == 1


def test_bad_data_is_a_422(make_bus):
    with pytest.raises(InvalidRequestError):
        make_bus().deliver(subscribers(Recorder()), party_event(entity_id="nobody"))


def test_a_topic_without_a_subscriber_here_is_a_404(make_bus):
    with pytest.raises(NotFoundError):
        make_bus().deliver({}, party_event())


def test_the_path_and_the_event_must_agree(make_bus):
    with pytest.raises(InvalidRequestError):
        make_bus().deliver(subscribers(Recorder()), party_event(), "calendar_sync_employee")
    with pytest.raises(NotFoundError):
        make_bus().deliver(subscribers(Recorder()), party_event(), "nothing")
