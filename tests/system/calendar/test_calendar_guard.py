"""The brake on mass deletions, in both directions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from calendar_checks import in_step
from calendar_world import World, termin, timed, world

from functions.calendar_sync.handler import Order, sync_employee
from functions.calendar_sync.preview import preview
from sandbox.faults import Fault
from shared.events.task import PostponeError

ROWS = "^/appointments$"


@pytest.fixture
def office(state: redis.Redis) -> Iterator[World]:
    with world(state, full=True, direct=True) as w:
        yield w


def fill(w: World, count: int) -> list[int]:
    numbers = [w.advoware.create("SB", **termin(n % 20, f"T{n}")) for n in range(count)]
    w.settle()
    return numbers


def held(row: dict[str, Any]) -> list[tuple[str, int]]:
    return [(hold["direction"], hold["count"]) for hold in row["held"] or ()]


def test_many_deletions_in_advoware_are_held_and_everything_else_goes_on(office: World) -> None:
    numbers = fill(office, 60)
    for number in numbers[:25]:
        office.advoware.delete(number)
    office.advoware.edit(numbers[30], text="neu")
    office.advoware.create("SB", **termin(3, "noch einer"))
    office.google.create_event(office.calendar(), timed(4, summary="aus Google"))
    row = office.run()
    assert (row["state"], held(row), row["deleted"]) == ("held", [("to_google", 25)], 0)
    assert (row["created"], row["updated"]) == (2, 1)
    assert len(office.events()) == 62
    assert held(office.run()) == [("to_google", 25)]


@pytest.mark.parametrize("side", ["advoware", "google"])
def test_a_hold_keeps_its_hash_and_its_release_works_once(office: World, side: str) -> None:
    numbers = fill(office, 30)
    for number in numbers[:25]:
        if side == "advoware":
            office.advoware.delete(number)
        else:
            office.google.delete_event(office.calendar(), office.event_of(number)["id"])
    marks = {office.run()["held"][0]["hash"] for _ in range(3)}
    assert len(marks) == 1
    mark = marks.pop()
    assert [hold["hash"] for hold in preview(Order("SB"), office.deps)["held"]] == [mark]
    assert not office.deps.memory.release("SB", "0" * 16)
    assert len(office.advoware.appointments()) == (5 if side == "advoware" else 30)
    assert office.deps.memory.release("SB", mark)
    row = office.run()
    assert (row["state"], row["deleted"], row["held"]) == ("ok", 25, None)
    assert not office.deps.memory.release("SB", mark)
    office.settle()
    assert len(office.advoware.appointments()) == 5
    in_step(office)


def test_a_release_does_not_let_a_different_plan_through(office: World) -> None:
    numbers = fill(office, 60)
    for number in numbers[:25]:
        office.google.delete_event(office.calendar(), office.event_of(number)["id"])
    mark = office.run()["held"][0]["hash"]
    assert office.deps.memory.release("SB", mark)
    office.google.delete_event(office.calendar(), office.event_of(numbers[40])["id"])
    row = office.run()
    assert (held(row), len(office.advoware.appointments())) == ([("to_advoware", 26)], 60)


def stopped_after(w: World, left: int) -> None:
    """Run, and let the process be asked to end as soon as so few appointments are left."""
    stopping = threading.Event()

    def look() -> None:
        if len(w.advoware.appointments()) <= left:
            stopping.set()

    with pytest.raises(PostponeError):
        sync_employee(Order("SB", None, stopping, look), w.deps)


@pytest.mark.parametrize("how", ["stopped", "failed"])
def test_what_an_interruption_leaves_of_a_released_plan_needs_no_second_word(office: World, how: str) -> None:
    numbers = fill(office, 60)
    for number in numbers[:40]:
        office.google.delete_event(office.calendar(), office.event_of(number)["id"])
    assert office.deps.memory.release("SB", office.run()["held"][0]["hash"])
    if how == "stopped":
        stopped_after(office, 55)
    else:
        office.advoware.board.add(Fault("status", "DELETE", path="^/appointments/", status=500, times=3))
        assert office.run()["state"] == "failed"
    assert len(office.advoware.appointments()) > 50
    row = office.run()
    assert (row["state"], row["held"], len(office.advoware.appointments())) == ("ok", None, 20)
    assert office.deps.memory.released("SB") == frozenset()


def test_the_two_directions_are_held_apart(office: World) -> None:
    numbers = fill(office, 80)
    for number in numbers[:25]:
        office.advoware.delete(number)
    for number in numbers[30:53]:
        office.google.delete_event(office.calendar(), office.event_of(number)["id"])
    assert sorted(held(office.run())) == [("to_advoware", 23), ("to_google", 25)]


def test_small_numbers_pass_in_both_directions(office: World) -> None:
    numbers = fill(office, 50)
    for number in numbers[:20]:
        office.advoware.delete(number)
    for number in numbers[20:40]:
        office.google.delete_event(office.calendar(), office.event_of(number)["id"])
    assert office.run()["deleted"] == 40
    in_step(office)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("truncate", "GET", path=ROWS, times=None, keep=0),
        Fault("truncate", "GET", path=ROWS, times=None, keep=0.4),
        Fault("transform", "GET", path=ROWS, times=None, transform=lambda rows: {"items": rows}),
        Fault("transform", "GET", path=ROWS, times=None, transform=lambda rows: None),
        Fault("transform", "GET", path=ROWS, times=None, transform=lambda rows: rows + rows[:1]),
        Fault("html", "GET", path=ROWS, times=None),
        Fault("cut", "GET", path=ROWS, times=None),
        Fault("status", "GET", path=ROWS, times=None, status=404, json={"error": "no"}),
        Fault("status", "GET", path=ROWS, times=None, status=200, text=""),
    ],
    ids=["empty", "short", "object", "null", "repeated", "html", "cut", "404", "nothing"],
)
@pytest.mark.parametrize("forgotten", [False, True], ids=["", "after a flush"])
def test_a_list_that_cannot_be_true_deletes_nothing(office: World, fault: Fault, forgotten: bool) -> None:
    fill(office, 6)
    if forgotten:
        office.flush()
    office.advoware.board.add(fault)
    for _ in range(3):
        row = office.run()
        assert row["state"] in {"held", "failed"}
        assert row["deleted"] == 0
    office.advoware.board.clear()
    assert len(office.events()) == 6
    office.settle()
    office.forget_calls()
    office.run()
    assert office.calls() == (["GET"], ["delta"])
    in_step(office)


def test_a_list_slightly_short_is_asked_for_singly_and_deletes_nothing(office: World) -> None:
    fill(office, 10)
    office.advoware.board.add(Fault("truncate", "GET", path=ROWS, keep=7))
    office.advoware.create("SB", **termin(3, "neu"))
    row = office.run()
    assert (row["state"], row["deleted"], row["advoware_calls"]) == ("ok", 0, 4)
    office.settle()
    in_step(office)


def test_an_empty_list_is_believed_when_it_was_released(office: World) -> None:
    for number in fill(office, 6):
        office.advoware.delete(number)
    row = office.run()
    assert held(row) == [("to_google", 6)]
    assert office.deps.memory.release("SB", row["held"][0]["hash"])
    assert office.run()["deleted"] == 6
    assert office.events() == []


def test_an_empty_list_with_few_linked_is_confirmed_one_by_one(office: World) -> None:
    numbers = fill(office, 4)
    office.advoware.board.add(Fault("truncate", "GET", path=ROWS, keep=0))
    office.advoware.delete(numbers[0])
    assert office.run()["deleted"] == 1
    assert len(office.events()) == 3


def test_a_failing_question_is_no_answer(office: World) -> None:
    numbers = fill(office, 6)
    office.advoware.delete(numbers[0])
    for fault in (
        Fault("status", "GET", path="^/appointments/", times=3, status=503),
        Fault("status", "GET", path="^/appointments/", status=403, json={}),
        Fault(
            "status", "GET", path="^/appointments/", status=404, text="<html>", headers={"Content-Type": "text/html"}
        ),
        Fault("html", "GET", path="^/appointments/"),
        Fault(
            "status", "GET", path="^/appointments/", status=200, text="[]", headers={"Content-Type": "application/json"}
        ),
    ):
        office.advoware.board.add(fault)
        row = office.run()
        assert (row["state"], row["deleted"]) == ("failed", 0), fault
        office.advoware.board.clear()
    assert office.run()["deleted"] == 1


def test_deletions_found_only_when_inserting_are_held_too(office: World) -> None:
    """An id in use may turn out to be a tombstone that the list did not show."""
    numbers = fill(office, 25)
    for number in numbers:
        office.google.delete_event(office.calendar(), office.event_of(number)["id"])
    office.flush()
    office.google.board.add(Fault("transform", "GET", path="/events$", transform=lambda page: {**page, "items": []}))
    row = office.run()
    assert (held(row), row["deleted"]) == ([("to_advoware", 25)], 0)
    assert len(office.advoware.appointments()) == 25


def test_a_missing_calendar_is_no_deletion(office: World) -> None:
    fill(office, 6)
    for status, reason in ((404, "notFound"), (403, "forbidden")):
        body = {"error": {"code": status, "errors": [{"reason": reason}]}}
        office.google.board.add(Fault("status", "GET", path="/events$", times=2, status=status, json=body))
        assert office.run()["state"] == "failed"
        office.google.board.clear()
        office.settle()
    assert len(office.advoware.appointments()) == 6
    in_step(office)
