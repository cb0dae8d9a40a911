"""Every outside call of a run goes wrong in three ways: not sent, done but the answer lost, done and then dead.

The calls are found by watching a run, so a new one is tried by itself; their number is asserted, so that it is also
noticed. After each accident runs go on until nothing changes, and then both sides agree and nothing is lost,
doubled, or shown.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from calendar_checks import in_step
from calendar_wire import Crash
from calendar_world import World, private, termin, timed, world

from shared.errors import IntegrationError

CANARY = "Mandantin Zipfel"
KINDS = ("not sent", "answer lost", "done, then dead")
Act = Callable[[World], Any]
Check = Callable[[World, Any], None]


class Scene:
    """What is there before, what a person does then, and what has to be true in the end."""

    def __init__(
        self, calls: int | tuple[int, int], given: Act, when: Callable[[World, Any], Any], then: Check
    ) -> None:
        self.calls = calls if isinstance(calls, tuple) else (calls, calls)  # in full mode, in anonymous mode
        self.given, self.when, self.then = given, when, then
        self.people = ("SB", "KL") if when in {moved, moved_and_edited} else ("SB",)


def ours(w: World) -> int:
    return w.advoware.create("SB", **termin(3, CANARY, ort="Saal", notiz="Akte"))


def theirs(w: World) -> str:
    return str(w.google.create_event(w.calendar(), timed(4, summary=CANARY, location="Saal"))["id"])


def rows(w: World) -> list[dict[str, Any]]:
    return w.advoware.appointments()


def one_row(w: World, text: str = CANARY, hour: str = "10:00:00") -> dict[str, Any]:
    found = rows(w)
    assert [(row["text"], row["uhrzeitVon"]) for row in found] == [(text, hour)]
    return found[0]


def gone(w: World, _: Any) -> None:
    assert rows(w) == []
    assert w.events("SB") == []


def at(hour: str) -> dict[str, Any]:
    return {"start": timed(3, hour)["start"], "end": timed(3, hour, "18:00")["end"]}


def linked_theirs(w: World) -> int:
    theirs(w)
    w.settle()
    return int(rows(w)[0]["frNr"])


def edit_google(w: World, fr_nr: int, **changes: Any) -> None:
    w.google.edit_event(w.calendar(), w.event_of(fr_nr)["id"], **changes)


def delete_google(w: World, fr_nr: int) -> None:
    w.google.delete_event(w.calendar(), w.event_of(fr_nr)["id"])


def conflict(w: World, fr_nr: int) -> None:
    edit_google(w, fr_nr, **at("14:00"))
    w.advoware.edit(fr_nr, uhrzeitVon="12:00:00", text="Neu")


def restored(w: World, fr_nr: int) -> None:
    delete_google(w, fr_nr)
    w.advoware.edit(fr_nr, text="Neu")


def refuse_restoring(w: World, fr_nr: int) -> None:
    w.google.restore_allowed = False
    restored(w, fr_nr)


def refuse_cancelling(w: World, fr_nr: int) -> None:
    w.google.cancel_allowed = False
    w.advoware.delete(fr_nr)


def moved(w: World, fr_nr: int) -> None:
    w.advoware.move(fr_nr, "KL")


def moved_and_edited(w: World, fr_nr: int) -> None:
    edit_google(w, fr_nr, **at("14:00"))
    w.advoware.move(fr_nr, "KL")


def after_moving(hour: str) -> Check:
    def check(w: World, _: Any) -> None:
        assert one_row(w, hour=hour)["anwalt"] == "KL"
        assert w.events("SB") == []

    return check


def switched(w: World, fr_nr: int) -> None:
    full = w.env["CALENDAR_FULL_CONTENT"] == "true"
    w.make(CALENDAR_FULL_CONTENT=str(not full).lower())


def forgotten(w: World, fr_nr: int) -> None:
    w.flush()
    w.advoware.edit(fr_nr, text="Neu")


SCENES = {
    "A creates": Scene(4, lambda w: None, lambda w, _: ours(w), lambda w, _: one_row(w)),
    "A edits": Scene(
        4, ours, lambda w, n: w.advoware.edit(n, uhrzeitVon="09:00:00"), lambda w, _: one_row(w, hour="09:00:00")
    ),
    "A deletes": Scene(5, ours, lambda w, n: w.advoware.delete(n), gone),
    "A deletes, Google refuses to cancel": Scene(7, ours, refuse_cancelling, gone),
    "G creates": Scene(6, lambda w: None, lambda w, _: theirs(w), lambda w, _: one_row(w)),
    "G edits": Scene(5, ours, lambda w, n: edit_google(w, n, **at("14:00")), lambda w, _: one_row(w, hour="14:00:00")),
    "G deletes": Scene(4, ours, delete_google, gone),
    "G deletes its own": Scene(4, linked_theirs, delete_google, gone),
    "conflict": Scene(4, ours, conflict, lambda w, _: one_row(w, "Neu", "12:00:00")),
    "restored": Scene(4, ours, restored, lambda w, _: one_row(w, "Neu")),
    "restoring refused": Scene(5, ours, refuse_restoring, lambda w, _: one_row(w, "Neu")),
    "restoring refused, born in Google": Scene(6, linked_theirs, refuse_restoring, lambda w, _: one_row(w, "Neu")),
    "moved": Scene(5, ours, moved, after_moving("10:00:00")),
    "moved and edited": Scene(7, ours, moved_and_edited, after_moving("14:00:00")),
    "mode switched": Scene((3, 4), ours, switched, lambda w, _: one_row(w)),
    "everything forgotten": Scene(9, ours, forgotten, lambda w, _: one_row(w, "Neu")),
}


@contextlib.contextmanager
def scene(state: redis.Redis, full: bool, chosen: Scene) -> Iterator[tuple[World, Any]]:
    state.flushall()
    with world(state, full=full, direct=True) as w:
        for kuerzel in chosen.people:
            w.run(kuerzel)
        given = chosen.given(w)
        w.settle("SB")
        w.wire.reset()
        chosen.when(w, given)
        yield w, given


def run_once(w: World) -> None:
    with contextlib.suppress(IntegrationError, Crash):
        w.order("SB")


def come_to_rest(w: World, people: tuple[str, ...]) -> None:
    """Further runs, the last of them after every grace."""
    w.wire.reset()
    for wait in (0, 16):
        w.later(minutes=wait)
        for kuerzel in people:
            w.settle(kuerzel)
    w.forget_calls()
    for kuerzel in people:
        row = w.run(kuerzel)
        assert row["state"] == "ok", row
    assert w.calls() == (["GET"] * len(people), ["delta"] * len(people))


def reckon(w: World, chosen: Scene, given: Any) -> None:
    full = w.env["CALENDAR_FULL_CONTENT"] == "true"
    for kuerzel in chosen.people:
        in_step(w, kuerzel, full=full)
    chosen.then(w, given)
    living = [event for kuerzel in chosen.people for event in w.events(kuerzel)]
    if not full:
        assert CANARY not in str(living)
        ours = [e for k in chosen.people for e in w.google.events(w.calendar(k), deleted=True)]
        assert CANARY not in str([event for event in ours if private(event).get("adv_m") == "a"])


@pytest.mark.parametrize("full", [True, False], ids=["full", "anonymous"])
@pytest.mark.parametrize("name", SCENES)
def test_no_accident_at_any_call_loses_doubles_or_shows_anything(state: redis.Redis, name: str, full: bool) -> None:
    chosen = SCENES[name]
    with scene(state, full, chosen) as (w, given):
        run_once(w)
        calls = list(w.wire.names)
        come_to_rest(w, chosen.people)
        reckon(w, chosen, given)
    assert len(calls) == chosen.calls[not full], f"other calls than those tried so far: {calls}"
    for place in range(len(calls)):
        for kind in KINDS:
            with scene(state, full, chosen) as (w, given):
                if kind == "answer lost":
                    w.wire.lose(place)
                else:
                    w.wire.crash(place, done=kind != "not sent")
                run_once(w)
                come_to_rest(w, chosen.people)
                try:
                    reckon(w, chosen, given)
                except AssertionError as error:
                    raise AssertionError(f"{kind} at call {place}, {calls[place]}: {error}") from error
