"""Several workers, several employees, locks that are lost, runs that have to stop, triggers that come meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from calendar_checks import in_step
from calendar_wire import Crash
from calendar_world import World, private, termin, timed, world

from functions.calendar_sync.handler import Order, RunFailedError, sync_employee
from sandbox.faults import Fault
from shared.events.task import PostponeError
from shared.state.lock import LockLost


@pytest.fixture
def office(state: redis.Redis) -> Iterator[World]:
    with world(state, full=True, direct=True) as w:
        w.run("SB")
        w.run("KL")
        yield w


def at_call(w: World, place: int, what: Callable[[], Any]) -> None:
    """Do something just before one outside call of the next run."""

    def watch(number: int, _name: str) -> None:
        if number == place:
            w.wire.before = None
            what()

    w.wire.reset()
    w.wire.before = watch


def busy(w: World) -> None:
    number = w.advoware.create("SB", **termin(1, "alt"))
    other = w.advoware.create("SB", **termin(2, "weg"))
    w.settle()
    w.advoware.create("SB", **termin(3, "neu"))
    w.google.create_event(w.calendar(), timed(4, summary="aus Google"))
    w.google.edit_event(w.calendar(), w.event_of(number)["id"], summary="geändert")
    w.google.delete_event(w.calendar(), w.event_of(other)["id"])


def all_done(w: World) -> None:
    texts = sorted(row["text"] for row in w.advoware.appointments("SB"))
    assert texts == ["aus Google", "geändert", "neu"]
    in_step(w)


def unlock(w: World) -> None:
    w.state.delete("calendar_sync:lock:SB")


def test_a_second_worker_at_any_point_of_a_run_without_a_lock_harms_nothing(state: redis.Redis) -> None:
    for place in range(12):
        state.flushall()
        with world(state, full=place % 2 == 0, direct=True) as w:
            w.run()
            number = w.advoware.create("SB", **termin(1, "alt"))
            w.settle()
            w.advoware.create("SB", **termin(3, "neu"))
            w.google.create_event(w.calendar(), timed(4, summary="aus Google"))
            w.google.edit_event(w.calendar(), w.event_of(number)["id"], **timed(1, "14:00", "15:00"))

            def second() -> None:
                unlock(w)
                w.run()

            at_call(w, place, second)
            w.run()
            w.wire.reset()
            w.settle()
            assert sorted(row["text"] for row in w.advoware.appointments()) == ["alt", "aus Google", "neu"]
            assert w.advoware.get(number)["uhrzeitVon"] == "14:00:00"
            in_step(w, full=place % 2 == 0)


def test_two_threads_over_http_without_a_lock_double_nothing(state: redis.Redis) -> None:
    with world(state, full=True) as w:
        w.run()
        busy(w)
        for n in range(15):
            w.advoware.create("SB", **termin(n, f"T{n}"))
            w.google.create_event(w.calendar(), timed(n, "12:00", "13:00", summary=f"G{n}"))
        workers = [w.make() for _ in range(2)]
        for deps in workers:
            deps.locks.client = _Open()  # type: ignore[assignment]
            deps.locks.acquire = lambda kuerzel, deps=deps: _free_lock()  # type: ignore[assignment,misc]

        def work(deps: Any) -> None:
            try:
                sync_employee(Order("SB"), deps)
            except (RunFailedError, PostponeError):
                return

        threads = [threading.Thread(target=work, args=(deps,)) for deps in workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        w.make()
        w.settle()
        w.later(minutes=16)
        w.settle()
        assert len(w.advoware.appointments()) == 33
        in_step(w)


class _Open:
    """No Redis for locks."""


def _free_lock() -> Any:
    class Free:
        def clear_dirty(self) -> None:
            """Have no triggers."""

        def checkpoint(self) -> None:
            """Never be lost."""

        def release(self, *, final: bool = False) -> str:
            return "released"

    return Free()


def test_after_a_lost_lock_nothing_is_written_any_more(state: redis.Redis) -> None:
    for place in range(2, 9):
        state.flushall()
        with world(state, full=True, direct=True, CALENDAR_LOCK_SECONDS="0.3") as w:
            w.run()
            for n in range(4):
                w.advoware.create("SB", **termin(n, f"T{n}"))
                w.google.create_event(w.calendar(), timed(n, "12:00", "13:00", summary=f"G{n}"))

            def lose() -> None:
                w.state.set("calendar_sync:lock:SB", "somebody else")
                time.sleep(0.12)

            at_call(w, place, lose)
            with pytest.raises(PostponeError):
                w.order()
            later = w.wire.names[place + 1 :]
            assert [name for name in later if "GET" not in name] == [], (place, w.wire.names)
            unlock(w)
            w.wire.reset()
            w.later(minutes=16)
            w.settle()
            w.later(minutes=16)
            w.settle()
            in_step(w)
            assert len(w.advoware.appointments()) == 8


def test_a_lost_lock_leaves_the_status_to_its_successor(office: World) -> None:
    before = office.deps.memory.status("SB")
    assert before is not None

    def lost() -> None:
        raise LockLost("SB")

    office.advoware.create("SB", **termin(2, "T"))
    at_call(office, 0, lost)
    with pytest.raises(PostponeError):
        office.order()
    office.wire.reset()
    assert (office.deps.memory.status("SB") or {})["state"] == "running"
    office.settle()
    in_step(office)


def test_a_process_that_has_to_stop_keeps_what_it_wrote_and_goes_on_later(office: World) -> None:
    busy(office)
    stopping = threading.Event()
    for place in (2, 3, 3):
        stopping.clear()
        at_call(office, place, stopping.set)
        with pytest.raises(PostponeError):
            sync_employee(Order("SB", None, stopping), office.deps)
        row = office.deps.memory.status("SB") or {}
        assert (row["more"], row["state"], row["error"]) == (True, "ok", "")
        assert len(office.wire.names) <= place + 1
    office.wire.reset()
    office.later(minutes=16)
    office.settle()
    office.later(minutes=16)
    office.settle()
    all_done(office)


def test_a_run_that_meets_its_limit_goes_on_until_all_is_done(state: redis.Redis) -> None:
    with world(state, full=True, direct=True, CALENDAR_RUN_LIMIT_SECONDS="10") as w:
        for n in range(30):
            w.advoware.create("SB", **termin(n, f"T{n}"))
        clock = [0.0]

        def tick(_number: int, _name: str) -> None:
            clock[0] += 1.0

        object.__setattr__(w.deps, "monotonic", lambda: clock[0])
        w.deps.google._sender = _with_clock(w, clock)
        w.wire.after = tick
        rows = [w.run() for _ in range(6)]
        assert [row["more"] for row in rows[:2]] == [True, True]
        assert rows[-1]["more"] is False
        assert sum(row["created"] for row in rows) == 30
        in_step(w)


def _with_clock(w: World, clock: list[float]) -> Any:
    from dataclasses import replace

    return replace(w.deps.google._sender, clock=lambda: clock[0])


def test_a_trigger_during_a_run_makes_exactly_one_more(office: World) -> None:
    def trigger() -> None:
        for _ in range(3):
            with pytest.raises(PostponeError):
                sync_employee(Order("SB"), office.deps)
        office.advoware.create("SB", **termin(2, "zu spät gelesen"))

    office.forget_calls()
    at_call(office, 1, trigger)  # Advoware has been read already
    office.run()
    assert office.calls()[0] == ["GET", "GET"]
    in_step(office)
    assert len(office.events()) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", path="/appointments.*", query="kuerzel=SB", times=None, status=500),
        Fault("html", path="/appointments.*", query="kuerzel=SB", times=None),
        Fault("transform", path="/appointments.*", query="kuerzel=SB", times=None, transform=lambda rows: [[]]),
    ],
    ids=["500", "html", "garbage"],
)
def test_one_employee_failing_does_not_stop_the_other(office: World, fault: Fault) -> None:
    office.advoware.board.add(fault)
    office.advoware.create("SB", **termin(2, "SB"))
    office.advoware.create("KL", **termin(2, "KL"))
    assert (office.run("SB")["state"], office.run("KL")["state"]) == ("failed", "ok")
    in_step(office, "KL")
    office.advoware.board.clear()
    office.settle("SB")
    in_step(office, "SB")


def test_one_bad_entry_does_not_stop_the_others_of_the_same_employee(office: World) -> None:
    office.google.board.add(Fault("status", "POST", path="/events$", status=400, json={"error": {}}))
    office.advoware.board.add(Fault("status", "POST", path="^/appointments$", status=400, json={}))
    for n in range(3):
        office.advoware.create("SB", **termin(n, f"T{n}"))
        office.google.create_event(office.calendar(), timed(n, summary=f"G{n}"))
    row = office.run()
    assert (row["state"], row["failed"], row["created"]) == ("failed", 2, 4)


def test_an_appointment_moves_from_sb_to_kl(office: World) -> None:
    number = office.advoware.create("SB", **termin(2, "Verhandlung"))
    office.settle()
    office.advoware.move(number, "KL")
    office.forget_calls()
    assert office.run("SB")["deleted"] == 1
    assert office.calls() == (["GET", "GET one"], ["delta", "full", "PUT"])
    assert office.run("KL")["created"] == 1
    in_step(office, "SB")
    in_step(office, "KL")
    dead = office.google.events(office.calendar("SB"), deleted=True)
    assert [private(event)["adv_del"] for event in dead] == ["m"]


def test_an_appointment_of_everybody_is_in_every_calendar_and_belongs_to_advoware(office: World) -> None:
    number = office.advoware.create("ALLE", **termin(2, "Betriebsausflug"))
    for kuerzel in ("SB", "KL"):
        office.settle(kuerzel)
        in_step(office, kuerzel)
    office.google.edit_event(office.calendar("SB"), office.event_of(number, "SB")["id"], summary="anders")
    office.google.delete_event(office.calendar("KL"), office.event_of(number, "KL")["id"])
    for kuerzel in ("SB", "KL", "SB", "KL"):
        office.settle(kuerzel)
    assert office.advoware.get(number)["text"] == "Betriebsausflug"
    assert office.event_of(number, "SB")["summary"] == "Betriebsausflug"
    assert office.events("KL") == []


def test_somebody_who_left_keeps_a_calendar_that_nobody_touches(office: World) -> None:
    office.advoware.create("SB", **termin(2, "Verhandlung"))
    office.settle()
    office.advoware.employee("SB", aktiv=False)
    office.state.delete("calendar_sync:employees")
    office.advoware.create("SB", **termin(3, "später"))
    office.forget_calls()
    assert office.run()["error"] == "not-found"
    assert office.calls() == ([], [])
    assert len(office.events()) == 1


def test_a_firm_without_any_employee_is_not_believed(office: World) -> None:
    office.state.set("calendar_sync:employees", '{"at": 0, "people": {"SB": "", "KL": ""}}')
    office.advoware.board.add(Fault("truncate", "GET", path="^/employees$", keep=0, times=None))
    assert set(office.deps.employees.all()) == {"SB", "KL"}
    office.advoware.create("SB", **termin(2, "Verhandlung"))
    assert office.run()["state"] == "ok"


def test_two_that_make_the_same_calendar_at_once_use_one(state: redis.Redis) -> None:
    with world(state, full=True, direct=True) as w:
        w.advoware.create("SB", **termin(2, "Verhandlung"))

        def second() -> None:
            unlock(w)
            w.run()

        def watch(_number: int, name: str) -> None:
            if name == "google POST calendars":
                w.wire.before = None
                second()

        w.wire.before = watch
        w.run()
        w.settle()
        made = [e["id"] for e in w.google.calendars() if e["summary"] == "AW-SB"]
        assert len(made) == 1
        assert len(w.google.events(made[0])) == 1
        w.flush()
        w.settle()
        assert [e["id"] for e in w.google.calendars() if e["summary"] == "AW-SB"] == made


def test_a_killed_run_frees_its_lock_for_the_next(office: World) -> None:
    busy(office)
    office.wire.crash(3, done=True)
    with pytest.raises(Crash):
        office.order()
    office.wire.reset()
    office.settle()
    office.later(minutes=16)
    office.settle()
    all_done(office)
