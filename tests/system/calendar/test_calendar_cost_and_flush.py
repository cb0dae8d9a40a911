"""What a run costs, and that losing all of Redis costs speed only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from calendar_checks import in_step
from calendar_world import World, termin, timed, world


@pytest.fixture
def office(state: redis.Redis) -> Iterator[World]:
    """Three appointments, all in step."""
    with world(state, full=True, direct=True) as w:
        w.numbers = [w.advoware.create("SB", **termin(ahead, f"T{ahead}")) for ahead in (1, 2, 3)]  # type: ignore[attr-defined]
        w.run()
        w.run()
        w.forget_calls()
        yield w


def cost(w: World) -> tuple[list[str], list[str]]:
    w.forget_calls()
    w.run()
    return w.calls()


def first(w: World) -> str:
    return str(w.event_of(w.numbers[0])["id"])  # type: ignore[attr-defined]


def test_nothing_changed_costs_one_list_on_each_side(office: World) -> None:
    assert cost(office) == (["GET"], ["delta"])
    row = office.deps.memory.status("SB") or {}
    assert (row["advoware_calls"], row["google_calls"]) == (1, 1)


def test_the_run_after_the_first_one_writes_nothing(state: redis.Redis) -> None:
    with world(state, full=True) as w:
        for ahead in range(5):
            w.advoware.create("SB", **termin(ahead, "T"))
        assert cost(w) == (["GET"], ["full", *["POST"] * 5])
        assert cost(w) == (["GET"], ["delta"])


def test_a_change_in_advoware_costs_a_full_list_and_one_write(office: World) -> None:
    office.advoware.edit(office.numbers[0], text="neu")  # type: ignore[attr-defined]
    assert cost(office) == (["GET"], ["delta", "full", "PUT"])
    assert cost(office) == (["GET"], ["delta"])


def test_a_change_in_google_costs_a_reading_and_two_writes(office: World) -> None:
    office.google.edit_event(office.calendar(), first(office), summary="neu")
    assert cost(office) == (["GET", "GET one", "PUT one"], ["delta", "PUT"])
    assert cost(office) == (["GET"], ["delta", "full"])
    assert cost(office) == (["GET"], ["delta"])


def test_a_creation_in_google_costs_a_post_and_two_writes(office: World) -> None:
    office.google.create_event(office.calendar(), timed(2, summary="neu"))
    assert cost(office) == (["GET", "POST"], ["delta", "full", "PUT", "PUT"])
    assert cost(office) == (["GET"], ["delta", "full"])
    assert cost(office) == (["GET"], ["delta"])


def test_a_deletion_in_google_costs_a_reading_and_a_deletion(office: World) -> None:
    office.google.delete_event(office.calendar(), first(office))
    assert cost(office) == (["GET", "GET one", "DELETE one"], ["delta"])
    assert cost(office) == (["GET"], ["delta", "full"])
    assert cost(office) == (["GET"], ["delta"])


def test_a_deletion_in_advoware_is_asked_for_singly(office: World) -> None:
    office.advoware.delete(office.numbers[0])  # type: ignore[attr-defined]
    assert cost(office) == (["GET", "GET one"], ["delta", "full", "PUT"])
    assert cost(office) == (["GET"], ["delta"])


def test_after_a_flush_one_full_list_and_no_write(office: World) -> None:
    office.flush()
    assert cost(office) == (["GET"], ["full"])
    assert cost(office) == (["GET"], ["delta"])


ACTS: dict[str, Callable[[World], Any]] = {
    "A creates": lambda w: w.advoware.create("SB", **termin(5, "neu")),
    "A edits": lambda w: w.advoware.edit(w.numbers[0], text="neu"),  # type: ignore[attr-defined]
    "A deletes": lambda w: w.advoware.delete(w.numbers[0]),  # type: ignore[attr-defined]
    "G creates": lambda w: w.google.create_event(w.calendar(), timed(2, summary="neu")),
    "G edits": lambda w: w.google.edit_event(w.calendar(), first(w), summary="neu"),
    "G deletes": lambda w: w.google.delete_event(w.calendar(), first(w)),
}
LEFT = {"A creates": 4, "A deletes": 2, "G creates": 4, "G deletes": 2}


@pytest.mark.parametrize("name", ACTS)
def test_a_flush_before_or_after_any_run_loses_and_doubles_nothing(office: World, name: str) -> None:
    ACTS[name](office)
    for _ in range(3):
        office.flush()
        office.run()
        in_step(office)
    assert len(office.advoware.appointments()) == LEFT.get(name, 3)
    office.flush()
    asked = ["GET one"] if name == "G deletes" else []  # a person's deletion: did Advoware hear of it?
    assert cost(office) == (["GET", *asked], ["full"])
    assert cost(office) == (["GET"], ["delta"])


def test_pages_short_empty_and_many_are_read_to_the_end(state: redis.Redis) -> None:
    with world(state, full=True, direct=True) as w:
        w.google.manners.page_cap, w.google.manners.empty_first_page = 3, True
        numbers = [w.advoware.create("SB", **termin(ahead, "T")) for ahead in range(10)]
        w.settle()
        w.google.delete_event(w.calendar(), w.event_of(numbers[9])["id"])
        for ahead in range(5):
            w.google.create_event(w.calendar(), timed(ahead, summary="neu"))
        w.settle()
        w.flush()
        w.settle()
        assert len(w.advoware.appointments()) == 14
        in_step(w)


def test_lists_that_lag_behind_double_nothing(state: redis.Redis) -> None:
    with world(state, full=True, direct=True) as w:
        w.run()
        w.google.manners.list_lag_s = 120
        w.advoware.create("SB", **termin(2, "A"))
        w.google.create_event(w.calendar(), timed(3, summary="G"))
        for _ in range(12):
            w.run()
            w.later(seconds=45)
        w.settle()
        assert sorted(row["text"] for row in w.advoware.appointments()) == ["A", "G"]
        in_step(w)
