"""How one item is worked off, and how each ending is noted."""

from __future__ import annotations

import threading
import time

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from werkzeug.wrappers import Request, Response

from sandbox.double import Double, json_response
from sandbox.server import serve
from shared import errors
from shared.events.bus import Bus
from shared.events.runner import Runner
from shared.events.task import LeaseLostError, PostponeError, SetAsideError, Subscriber, Task
from shared.http import HttpClient
from shared.state.queue import WorkQueue

PARTY = "6b04f6cb7536b613d"
TOPIC = "vmh.beteiligte.update"


class Upstream(Double):
    """Takes whatever comes."""

    def handle(self, request: Request) -> Response:
        return json_response({})


class Script:
    """A subscriber that fails as told, then succeeds."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.tasks: list[Task] = []

    def __call__(self, task: Task) -> None:
        self.tasks.append(task)
        if self.failures:
            raise self.failures.pop(0)


def party_runner(bus: Bus, handle, **limits) -> Runner:
    return bus.runner("vmh:beteiligte", {TOPIC: Subscriber(handle, **limits)})


@pytest.fixture
def bus(make_bus) -> Bus:
    return make_bus(EVENT_TRANSPORT="redis", RETRY_BASE_SECONDS="1", RETRY_CAP_SECONDS="60", RETRY_ATTEMPTS="3")


def add(bus: Bus) -> None:
    bus.publisher.publish(TOPIC, PARTY)


def test_a_task_carries_what_its_topic_promises(bus):
    add(bus)
    handle = Script()
    assert party_runner(bus, handle).run(PARTY).kind == "done"
    task = handle.tasks[0]
    assert (task.topic, task.item, task.ops, task.attempts) == (TOPIC, PARTY, frozenset({"update"}), 0)
    assert task.data["entity_id"] == PARTY
    assert task.data["action"] == "update"
    assert task.run_id


def test_a_second_delivery_is_a_duplicate(bus):
    add(bus)
    handle = Script()
    runner = party_runner(bus, handle)
    assert [runner.run(PARTY).kind, runner.run(PARTY).kind] == ["done", "duplicate"]
    assert len(handle.tasks) == 1


def test_who_has_lost_the_claim_sends_no_write_any_more(bus, monkeypatch):
    add(bus)
    monkeypatch.setattr(WorkQueue, "renew", lambda _queue, _claim: False)

    def handle(task: Task) -> None:
        client.send("POST", server.url)
        with pytest.raises(LeaseLostError):
            task.confirm()
        client.send("GET", server.url)
        client.send("POST", server.url)

    double = Upstream()
    with serve(double) as server:
        client = HttpClient("advoware", 2)
        assert party_runner(bus, handle).run(PARTY).kind == "lost"
        client.send("PUT", server.url)  # by somebody else, who has no claim to lose
        assert [call.method for call in double.board.calls] == ["POST", "GET", "PUT"]


def test_a_delivery_during_the_run_is_held(bus):
    add(bus)
    kinds = []
    runner = party_runner(bus, lambda task: kinds.append(runner.run(PARTY).kind))
    runner.run(PARTY)
    assert kinds == ["held"]


def test_work_that_arrives_during_the_run_is_not_swallowed(bus):
    add(bus)
    runner = party_runner(bus, lambda task: add(bus))
    assert runner.run(PARTY).kind == "done"
    assert bus.queue("vmh:beteiligte").stats().depth == 1


def test_a_forced_op_runs_what_nobody_noted(bus):
    assert party_runner(bus, Script()).run(PARTY, force_op="update").kind == "done"


def test_a_failure_comes_again_after_a_while(bus):
    add(bus)
    runner = party_runner(bus, Script(errors.UpstreamRejectedError("advoware")))
    outcome = runner.run(PARTY)
    assert outcome.kind == "delayed"
    assert 1 <= outcome.delay_s <= 2
    assert runner.run(PARTY).kind == "done"


def test_the_pause_doubles_up_to_the_cap(bus):
    runner = bus.runner("vmh:beteiligte", {})
    highest = Runner(runner.queue, {}, bus.queue_settings, jitter=lambda low, high: high)
    assert [highest._delay_s(n, True, None, ValueError()) for n in (0, 1, 2, 4, 9, 100_000)] == [2, 4, 8, 32, 60, 60]


@pytest.mark.parametrize(
    ("error", "slug"),
    [
        (RuntimeError("Anna Groß"), "internal"),
        (errors.UpstreamRejectedError("advoware"), "upstream-rejected"),
        (errors.ConflictError(), "conflict"),
    ],
)
def test_a_poison_item_dies_after_the_limit_with_its_slug(bus, error, slug):
    add(bus)
    runner = party_runner(bus, Script(*[error] * 9))
    kinds = [runner.run(PARTY).kind for _ in range(4)]
    assert kinds == ["delayed", "delayed", "dead", "duplicate"]
    letter = bus.queue("vmh:beteiligte").dead(count=9)[0]
    assert (letter.error, letter.attempts, letter.item) == (slug, 3, PARTY)


@pytest.mark.parametrize(
    "error",
    [
        errors.UpstreamUnavailableError("advoware"),
        errors.UpstreamTimeoutError("advoware"),
        errors.UpstreamAuthenticationError("advoware"),
        errors.NotConfiguredError("ADVOWARE_API_KEY"),
        RedisConnectionError(),
    ],
)
def test_an_outage_kills_nothing(bus, error):
    add(bus)
    runner = party_runner(bus, Script(*[error] * 20))
    assert {runner.run(PARTY).kind for _ in range(20)} == {"delayed"}
    assert bus.queue("vmh:beteiligte").dead(count=9) == []
    assert runner.run(PARTY).kind == "done"


def test_an_attempt_counts_when_the_upstream_answered_others_meanwhile(bus):
    add(bus)
    handle = Script(*[errors.UpstreamUnavailableError("advoware")] * 9)
    runner = party_runner(bus, handle)
    kinds = []
    for _ in range(3):
        time.sleep(0.005)
        bus.client(1).hset("upstream:answered", "advoware", int(time.time() * 1000) + 1000)
        kinds.append(runner.run(PARTY).kind)
        bus.client(1).hset("vmh:beteiligte:attempts", PARTY, _aged(bus)) if kinds[-1] == "delayed" else None
    assert kinds == ["delayed", "delayed", "dead"]


def _aged(bus: Bus) -> str:
    count, first, last = bus.client(1).hget("vmh:beteiligte:attempts", PARTY).split("|")
    return f"{count}|{first}|{int(last) - 5}"


def test_in_an_outage_the_pause_grows_with_the_time_since_the_last_attempt(bus):
    runner = Runner(bus.queue("vmh:beteiligte"), {}, bus.queue_settings, jitter=lambda low, high: low)
    before = (time.time() - 10) * 1000
    assert 14 < runner._delay_s(0, False, int(before), ValueError()) < 16
    assert runner._delay_s(0, False, 1, ValueError()) == 30


def test_a_longer_wish_of_the_upstream_is_respected_up_to_the_cap(bus):
    runner = Runner(bus.queue("vmh:beteiligte"), {}, bus.queue_settings)
    wish = errors.UpstreamUnavailableError("google", retry_after_s=40)
    assert runner._delay_s(0, True, None, wish) == 40


def test_postponed_work_has_not_failed(bus):
    add(bus)
    handle = Script(*[PostponeError(7.0)] * 9)
    runner = party_runner(bus, handle)
    outcomes = [runner.run(PARTY) for _ in range(9)]
    assert {(outcome.kind, outcome.delay_s) for outcome in outcomes} == {("postponed", 7.0)}
    runner.run(PARTY)
    assert handle.tasks[-1].attempts == 0


def test_what_no_repeat_can_help_is_set_aside_at_once(bus):
    add(bus)
    assert party_runner(bus, Script(SetAsideError("party-ambiguous"))).run(PARTY).kind == "dead"
    assert bus.queue("vmh:beteiligte").dead(count=1)[0].error == "party-ambiguous"


def test_a_subscriber_may_drop_what_failed_often_enough(bus):
    add(bus)
    runner = party_runner(bus, Script(*[RuntimeError()] * 9), limit=2, exhausted="drop")
    assert [runner.run(PARTY).kind for _ in range(3)] == ["delayed", "dropped", "duplicate"]
    assert bus.queue("vmh:beteiligte").dead(count=9) == []


def test_towards_a_limit_of_its_own_every_failure_counts(bus):
    add(bus)
    runner = party_runner(bus, Script(*[errors.UpstreamUnavailableError("advoware")] * 9), limit=3, exhausted="drop")
    assert [runner.run(PARTY).kind for _ in range(3)] == ["delayed", "delayed", "dropped"]


def test_a_long_run_keeps_its_lease(make_bus):
    bus = make_bus(EVENT_TRANSPORT="redis", QUEUE_LEASE_SECONDS="0.3")
    add(bus)

    def slow(task: Task) -> None:
        time.sleep(0.8)
        task.checkpoint()

    assert party_runner(bus, slow).run(PARTY).kind == "done"


def test_a_lost_lease_stops_the_run_before_its_next_write(make_bus):
    bus = make_bus(EVENT_TRANSPORT="redis", QUEUE_LEASE_SECONDS="0.3")
    add(bus)
    wrote = []

    def robbed(task: Task) -> None:
        bus.client(1).hset("vmh:beteiligte:owner", PARTY, "other|99|update")
        time.sleep(0.5)
        task.checkpoint()
        wrote.append(task.item)

    assert party_runner(bus, robbed).run(PARTY).kind == "lost"
    assert wrote == []


def test_without_redis_the_local_clock_ends_the_lease(make_bus, monkeypatch):
    bus = make_bus(EVENT_TRANSPORT="redis", QUEUE_LEASE_SECONDS="0.3")
    add(bus)
    seen = []

    def cut_off(task: Task) -> None:
        monkeypatch.setattr(bus.queue("vmh:beteiligte"), "renew", lambda claim: _raise())
        time.sleep(0.5)
        try:
            task.checkpoint()
        except LeaseLostError:
            seen.append("lost")
            raise

    party_runner(bus, cut_off).run(PARTY)
    assert seen == ["lost"]


def _raise() -> bool:
    raise RedisConnectionError


def test_a_stopping_process_tells_its_runs(bus):
    add(bus)
    events: list[threading.Event] = []
    party_runner(bus, lambda task: events.append(task.stopping)).run(PARTY)
    assert not events[0].is_set()
