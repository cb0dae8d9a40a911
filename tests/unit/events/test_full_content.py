"""`full_content` is an argument of one run, however triggers and runs interleave."""

from __future__ import annotations

import pytest

from shared.events.bus import Bus
from shared.events.task import PostponeError, Subscriber, Task


class Script:
    """A subscriber that fails as told, then succeeds."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.tasks: list[Task] = []

    def __call__(self, task: Task) -> None:
        self.tasks.append(task)
        if self.failures:
            raise self.failures.pop(0)


@pytest.fixture
def bus(make_bus) -> Bus:
    return make_bus(EVENT_TRANSPORT="redis")


def run(bus: Bus, handle: Script) -> None:
    runner = bus.runner("calendar_sync", {"calendar_sync_employee": Subscriber(handle)})
    runner.run("SB")


def values(handle: Script) -> list[object]:
    return [task.data["full_content"] for task in handle.tasks]


def test_the_last_explicit_value_wins_when_triggers_coalesce(bus):
    handle = Script()
    for value in (False, True, None):
        bus.publisher.publish("calendar_sync_employee", "SB", {} if value is None else {"full_content": value})
    run(bus, handle)
    assert values(handle) == [True]


def test_the_next_run_is_a_default_one_again(bus):
    handle = Script()
    bus.publisher.publish("calendar_sync_employee", "SB", {"full_content": True})
    run(bus, handle)
    bus.publisher.publish("calendar_sync_employee", "SB")
    run(bus, handle)
    assert values(handle) == [True, None]
    assert bus.client(1).hlen("calendar_sync:args") == 0


def test_a_failed_or_postponed_run_keeps_it(bus):
    handle = Script(PostponeError(1), RuntimeError())
    bus.publisher.publish("calendar_sync_employee", "SB", {"full_content": True})
    for _ in range(3):
        run(bus, handle)
    assert values(handle) == [True, True, True]


def test_the_same_wish_during_the_run_holds_for_the_next_run_too(bus):
    handle = Script()

    def again(task: Task) -> None:
        handle(task)
        if len(handle.tasks) == 1:
            bus.publisher.publish("calendar_sync_employee", "SB", {"full_content": True})

    runner = bus.runner("calendar_sync", {"calendar_sync_employee": Subscriber(again)})
    bus.publisher.publish("calendar_sync_employee", "SB", {"full_content": True})
    runner.run("SB")
    runner.run("SB")
    assert values(handle) == [True, True]
