"""Every bad answer at every call: nothing is deleted, doubled or stopped that should not be; a clean run converges."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import redis
from calendar_checks import in_step
from calendar_world import World, day, termin, timed, world

from sandbox.faults import Fault


def google_says(status: int, reason: str, **more: Any) -> dict[str, Any]:
    body = {"error": {"code": status, "message": "x", "errors": [{"reason": reason, "domain": "calendar"}]}}
    return {"kind": "status", "status": status, "json": body, **more}


GOOGLE: dict[str, dict[str, Any]] = {
    "403 rateLimitExceeded": google_says(403, "rateLimitExceeded"),
    "403 userRateLimitExceeded": google_says(403, "userRateLimitExceeded"),
    "403 quotaExceeded": google_says(403, "quotaExceeded"),
    "403 forbidden": google_says(403, "forbidden"),
    "404": google_says(404, "notFound"),
    "404 html": {"kind": "status", "status": 404, "text": "<html>"},
    "409": google_says(409, "duplicate"),
    "410": google_says(410, "fullSyncRequired"),
    "412": google_says(412, "conditionNotMet"),
    "429": google_says(429, "rateLimitExceeded"),
    "429 with Retry-After": google_says(429, "rateLimitExceeded", headers={"Retry-After": "7"}),
    "429 with a strange Retry-After": google_says(429, "rateLimitExceeded", headers={"Retry-After": "-1e9"}),
    "400": google_says(400, "invalid"),
    "401": google_says(401, "authError"),
    "500": google_says(500, "backendError"),
    "503 html": {"kind": "status", "status": 503, "text": "<html>"},
    "503 although done": google_says(503, "backendError", processed=True),
    "html": {"kind": "html"},
    "hung up before": {"kind": "drop_before"},
    "hung up after": {"kind": "drop_after"},
    "cut": {"kind": "cut"},
    "done twice": {"kind": "duplicate"},
}
ADVOWARE: dict[str, dict[str, Any]] = {
    "400": {"kind": "status", "status": 400, "json": {"error": "no"}},
    "401": {"kind": "status", "status": 401, "json": {}},
    "403": {"kind": "status", "status": 403, "json": {}},
    "404": {"kind": "status", "status": 404, "text": "<html>"},
    "409": {"kind": "status", "status": 409, "json": {}},
    "429": {"kind": "status", "status": 429, "headers": {"Retry-After": "3"}},
    "500": {"kind": "status", "status": 500, "text": "<html>"},
    "503 with Retry-After": {"kind": "status", "status": 503, "headers": {"Retry-After": "70"}},
    "503 although done": {"kind": "status", "status": 503, "processed": True},
    "302": {"kind": "status", "status": 302, "headers": {"Location": "http://elsewhere.test/login"}},
    "html": {"kind": "html"},
    "hung up before": {"kind": "drop_before"},
    "hung up after": {"kind": "drop_after"},
    "cut": {"kind": "cut"},
    "null": {"kind": "transform", "transform": lambda answer: None},
    "a list in a list": {"kind": "transform", "transform": lambda answer: [answer]},
}
GOOGLE_CALLS = {"list": ("GET", "/events$"), "insert": ("POST", "/events$"), "update": ("PUT", "/events/")}
ADVOWARE_CALLS = {
    "list": ("GET", "^/appointments$"),
    "get": ("GET", "^/appointments/"),
    "post": ("POST", "^/appointments$"),
    "put": ("PUT", "^/appointments/"),
    "delete": ("DELETE", "^/appointments/"),
}
CALLS = [*(("google", call) for call in GOOGLE_CALLS), *(("advoware", call) for call in ADVOWARE_CALLS)]


def busy(w: World) -> None:
    """Leave one piece of work of every kind."""
    numbers = [w.advoware.create("SB", **termin(n, f"T{n}")) for n in range(5)]
    w.settle()
    w.advoware.create("SB", **termin(6, "A neu"))
    w.google.create_event(w.calendar(), timed(7, summary="G neu"))
    w.advoware.edit(numbers[0], text="A geändert")
    w.google.edit_event(w.calendar(), w.event_of(numbers[1])["id"], summary="G geändert")
    w.advoware.delete(numbers[2])
    w.google.delete_event(w.calendar(), w.event_of(numbers[3])["id"])


ONCE = {"401", "404", "410", "412", "503 although done", "hung up after", "cut", "html", "409", "done twice"}
WANTED = sorted(["A geändert", "G geändert", "T4", "A neu", "G neu"])


@pytest.mark.parametrize("times", [1, None], ids=["once", "throughout the run"])
@pytest.mark.parametrize(("upstream", "call"), CALLS)
def test_a_bad_answer_harms_nothing(state: redis.Redis, upstream: str, call: str, times: int | None) -> None:
    calls, answers = (GOOGLE_CALLS, GOOGLE) if upstream == "google" else (ADVOWARE_CALLS, ADVOWARE)
    method, path = calls[call]
    for name in answers if times is None else answers.keys() & ONCE:
        state.flushall()
        with world(state, full=True, direct=True) as w:
            busy(w)
            board = (w.google if upstream == "google" else w.advoware).board
            board.add(Fault(**copy.deepcopy(answers[name]), method=method, path=path, times=times))
            w.run()
            texts = {row["text"] for row in w.advoware.appointments()}
            assert texts >= {"T4", "A neu"}, (call, name)
            board.clear()
            _converge(w, f"{upstream} {call}: {name}")


def _converge(w: World, case: str) -> None:
    w.state.delete("-", *w.state.keys("*token*"))  # and with them the pause after a refused login
    if "401" in case:
        w.make()
    for _ in range(2):
        w.settle()
        w.later(minutes=16)
    w.settle()
    assert sorted(row["text"] for row in w.advoware.appointments()) == WANTED, case
    in_step(w)
    w.forget_calls()
    w.run()
    assert w.calls() == (["GET"], ["delta"]), case


def test_a_post_that_arrives_late_is_found_and_not_repeated(state: redis.Redis) -> None:
    with world(state, full=True, direct=True) as w:
        w.run()
        w.google.create_event(w.calendar(), timed(2, summary="spät"))
        pending: list[Callable[[], Any]] = []
        calls = ["GET appointments", "GET events delta", "GET events", "PUT event", "POST appointments"]
        w.wire.reset()
        w.wire.late = (len(calls) - 1, pending)
        w.run()
        w.wire.reset()
        assert len(pending) == 1
        w.later(minutes=10)
        assert w.run()["skipped"] == 1
        assert w.advoware.appointments() == []
        pending[0]()
        w.later(minutes=4)
        w.settle()
        assert len(w.advoware.appointments()) == len(w.events()) == 1
        in_step(w)


def test_a_post_that_never_arrived_is_made_after_the_grace(state: redis.Redis) -> None:
    with world(state, full=True, direct=True) as w:
        w.run()
        w.google.create_event(w.calendar(), timed(2, summary="verloren"))
        w.advoware.board.add(Fault("drop_before", "POST", path="^/appointments$"))
        w.run()
        w.later(minutes=14)
        w.run()
        assert w.advoware.appointments() == []
        w.later(minutes=2)
        w.settle()
        assert len(w.advoware.appointments()) == 1
        in_step(w)


def test_a_refused_creation_is_tried_again_after_the_grace_whatever_happened_meanwhile(state: redis.Redis) -> None:
    with world(state, full=True, direct=True) as w:
        number = w.advoware.create("SB", **termin(3, "T"))
        w.run()
        w.google.create_event(w.calendar(), timed(2, summary="abgelehnt"))
        w.advoware.board.add(Fault("status", "POST", path="^/appointments$", status=422, json={}))
        assert w.run()["state"] == "failed"
        w.settle()
        w.google.edit_event(w.calendar(), w.event_of(number)["id"], colorId="5")
        w.forget_calls()
        w.run()
        assert w.calls() == (["GET"], ["delta"])
        w.later(minutes=16)
        w.settle()
        assert sorted(row["text"] for row in w.advoware.appointments()) == ["T", "abgelehnt"]
        in_step(w)


@pytest.mark.parametrize("where", ["KL", "another year"])
def test_what_a_lost_post_made_is_found_wherever_it_went(state: redis.Redis, where: str) -> None:
    with world(state, full=True, direct=True) as w:
        w.run("KL")
        w.run()
        w.google.create_event(w.calendar(), timed(2, summary="gewandert"))
        w.advoware.board.add(Fault("drop_after", "POST", path="^/appointments$"))
        w.run()
        number = w.advoware.appointments()[0]["frNr"]
        if where == "KL":
            w.advoware.move(number, "KL")
        else:
            w.advoware.edit(number, datum=day(900), datumBis=day(900))
        w.later(minutes=16)
        for _ in range(3):
            w.settle()
            w.settle("KL")
        assert [row["frNr"] for row in w.advoware.appointments()] == [number]
        assert len(w.events()) == (0 if where == "KL" else 1)
        in_step(w, "KL" if where == "KL" else "SB")


def test_without_markers_what_a_lost_post_made_is_found_by_its_content(state: redis.Redis) -> None:
    with world(state, full=True, direct=True, CALENDAR_MARKER="false") as w:
        w.run()
        w.google.create_event(w.calendar(), timed(2, summary="ohne"))
        w.advoware.board.add(Fault("drop_after", "POST", path="^/appointments$"))
        w.run()
        w.settle()
        assert len(w.advoware.appointments()) == len(w.events()) == 1
        assert "[G:" not in str(w.advoware.appointments())
        in_step(w)


@pytest.mark.parametrize("since", ["nothing", "edited", "overlooked"])
def test_what_a_lost_post_without_a_marker_made_is_found_when_markers_are_on_again(
    state: redis.Redis, since: str
) -> None:
    with world(state, full=True, direct=True, CALENDAR_MARKER="false") as w:
        w.run()
        event = w.google.create_event(w.calendar(), timed(2, summary="ohne"))
        w.advoware.board.add(Fault("drop_after", "POST", path="^/appointments$"))
        w.run()
        w.make(CALENDAR_MARKER="true")
        if since == "edited":
            w.google.edit_event(w.calendar(), event["id"], summary="anders")
        if since == "overlooked":  # by the list: the wide search finds it
            w.advoware.board.add(Fault("transform", "GET", path="^/appointments$", transform=lambda _: [], times=1))
        w.later(minutes=16)
        for _ in range(3):
            w.settle()
        assert len(w.advoware.appointments()) == len(w.events()) == 1
        in_step(w)


def test_rows_that_no_form_would_let_through_stop_nobody(state: redis.Redis) -> None:
    odd: list[dict[str, Any]] = [
        {"datum": None},
        {"datum": "31.12.2026"},
        {"uhrzeitVon": "25:00:00"},
        {"turnus": "zwei", "turnusArt": None},
        {"text": None, "ort": None, "notiz": 17},
        {"uhrzeitVon": None, "uhrzeitBis": None, "datumBis": None},
        {"datumBis": "1899-12-30"},
        {"uhrzeitVon": "15:00:00", "uhrzeitBis": "14:00:00"},
        {"farbe": {"tief": [1, 2, {"x": None}]}, "anwalt": "SB"},
        {"zuletztGeaendertAm": None},
    ]
    with world(state, full=True, direct=True) as w:
        numbers = [w.advoware.create("SB", **termin(n, f"T{n}")) for n in range(len(odd) + 1)]
        w.settle()

        def spoil(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return [{**row, **(odd[place] if place < len(odd) else {})} for place, row in enumerate(rows)]

        w.advoware.board.add(Fault("transform", "GET", path="^/appointments$", transform=spoil, times=None))
        w.advoware.edit(numbers[-1], text="neu")
        row = w.run()
        assert (row["state"], row["deleted"]) == ("ok", 0)
        assert w.event_of(numbers[-1])["summary"] == "neu"
        assert len(w.events()) == len(numbers)
        w.run()
        w.advoware.board.clear()
        w.settle()
        in_step(w)


@pytest.mark.parametrize("row", [{}, {"frNr": None}, {"frNr": True}, {"frNr": ""}, "Termin", None, 7])
def test_a_row_without_a_number_stops_the_run_and_deletes_nothing(state: redis.Redis, row: Any) -> None:
    with world(state, full=True, direct=True) as w:
        for n in range(6):
            w.advoware.create("SB", **termin(n, "T"))
        w.settle()
        w.advoware.board.add(Fault("transform", "GET", path="^/appointments$", transform=lambda rows: [row, *rows[:2]]))
        assert (w.run()["state"], len(w.events())) == ("failed", 6)


def test_end_before_start_and_missing_times_never_flow_back(state: redis.Redis) -> None:
    with world(state, full=True, direct=True) as w:
        number = w.advoware.create("SB", **termin(2, "Vertippt", "15:00", "14:00"))
        other = w.advoware.create("SB", datum=day(3), text="ohne Zeiten")
        w.settle()
        w.google.edit_event(w.calendar(), w.event_of(number)["id"], summary="Vertippt!")
        w.google.edit_event(w.calendar(), w.event_of(other)["id"], location="Saal")
        w.settle()
        row = w.advoware.get(number)
        assert (row["text"], row["uhrzeitVon"], row["uhrzeitBis"]) == ("Vertippt!", "15:00:00", "14:00:00")
        assert (w.advoware.get(other)["ort"], w.advoware.get(other)["uhrzeitVon"]) == ("Saal", None)
        in_step(w)


def test_a_used_up_quota_ends_the_run_at_once_and_keeps_what_was_written(state: redis.Redis) -> None:
    with world(state, full=True, direct=True) as w:
        for n in range(6):
            w.advoware.create("SB", **termin(n, "T"))
        w.google.board.add(
            Fault(**google_says(403, "quotaExceeded"), method="POST", path="/events$", skip=2, times=None)
        )
        row = w.run()
        assert (row["state"], row["error"], row["created"]) == ("failed", "google-quota-exhausted", 2)
        assert sum(call.method == "POST" and "/events" in call.path for call in w.google.board.calls) == 3
        w.google.board.clear()
        w.settle()
        in_step(w)


def test_google_losing_our_properties_doubles_nothing(state: redis.Redis) -> None:
    with world(state, full=True, direct=True) as w:
        number = w.advoware.create("SB", **termin(2, "T"))
        w.settle()
        event = w.event_of(number)["id"]
        gone = dict.fromkeys(("adv_v", "adv_id", "adv_fr", "adv_a", "adv_g", "adv_m", "adv_o"))
        w.google.edit_event(w.calendar(), event, extendedProperties={"private": gone})
        w.settle()
        assert len(w.advoware.appointments()) == len(w.events()) == 1
        in_step(w)
