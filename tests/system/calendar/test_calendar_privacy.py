"""What a client is called never leaves Advoware in anonymous mode, nor does it ever reach Redis or a log."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import redis
from calendar_checks import in_step
from calendar_wire import Crash
from calendar_world import PLACEHOLDER, World, day, private, termin, timed, world

from functions.calendar_sync.handler import Order, make_run
from functions.calendar_sync.report import Report
from functions.calendar_sync.run import Limit
from functions.calendar_sync.writes import PlaceholderError, post_row, put_row
from sandbox.faults import Fault
from shared.log import JsonLines

CANARY = "Mandantin Zipfelmütze"
TEXTS: dict[str, Any] = {"ort": f"bei {CANARY}", "notiz": f"Akte {CANARY}"}


def everything_in_google(w: World, kuerzel: str = "SB") -> str:
    return str(w.google.events(w.calendar(kuerzel), deleted=True))


def everything_in_redis(url: str) -> bytes:
    """Read every key and every value; small values are not compressed in a dump."""
    found = []
    for number in range(3):
        with redis.Redis.from_url(f"{url}/{number}") as client:
            for key in client.scan_iter(count=500):
                found += [key, client.dump(key)]
    assert found
    return b"\n".join(found)


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Everything that would be printed at the lowest level, the libraries' lines too."""
    stream, root = io.StringIO(), logging.getLogger()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    level, _ = root.level, root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def test_no_text_reaches_google_redis_or_a_log(state: redis.Redis, redis_url: str, lines: io.StringIO) -> None:
    with world(state, full=False) as w:
        number = w.advoware.create("SB", **termin(2, CANARY, **TEXTS))
        w.advoware.create("SB", **termin(3, CANARY, **TEXTS, turnus=1, turnusArt=2) | {"datumBis": day(50)})
        w.run()
        w.advoware.edit(number, text=f"{CANARY} neu", uhrzeitVon="09:00:00")
        w.settle()
        w.advoware.delete(number)
        w.settle()
        w.google.create_event(w.calendar(), timed(2, summary=f"G {CANARY}", location=CANARY, description=CANARY))
        w.settle()
        assert CANARY not in everything_in_google(w)
        in_step(w, full=False)
        assert "run_ended" in lines.getvalue()
        for needle in (CANARY, "Zipfel", "berger@", "Berger", "Sabine"):
            assert needle.encode() not in everything_in_redis(redis_url)
            assert needle not in lines.getvalue()


def test_a_failing_run_tells_no_text_either(state: redis.Redis, redis_url: str, lines: io.StringIO) -> None:
    with world(state, full=True) as w:
        w.run()
        w.google.create_event(w.calendar(), timed(2, summary=CANARY))
        w.advoware.create("SB", **termin(2, CANARY, **TEXTS))
        for double in (w.advoware, w.google):
            double.board.add(Fault("status", "POST", status=400, times=None, json={"error": {"message": CANARY}}))
        assert w.run()["state"] == "failed"
        assert "Zipfel" not in lines.getvalue()
        assert b"Zipfel" not in everything_in_redis(redis_url)
        assert CANARY not in str(w.deps.memory.statuses())


def test_switching_to_anonymous_hides_past_events_deleted_series_and_single_occurrences(state: redis.Redis) -> None:
    with world(state, full=True, direct=True) as w:
        w.advoware.create("SB", **termin(-20, CANARY, **TEXTS))
        series = termin(1, CANARY, **TEXTS, turnus=1, turnusArt=2) | {"datumBis": day(60)}
        number = w.advoware.create("SB", **series)
        w.settle()
        master = w.event_of(number)
        second = datetime.fromisoformat(master["start"]["dateTime"]) + timedelta(days=7)
        w.google.plant_exception(w.calendar(), master["id"], second, location=f"{CANARY} anders")
        w.settle()
        w.later(days=20)  # the first one is older than the window now
        w.settle()
        w.make(CALENDAR_FULL_CONTENT="false")
        w.settle()
        assert CANARY not in everything_in_google(w)
        assert all(event["visibility"] == "private" for event in w.events())
        w.forget_calls()
        w.run()
        assert w.calls() == (["GET"], ["delta"])


def test_the_sweep_of_past_events_survives_a_crash_and_a_flush(state: redis.Redis) -> None:
    for accident in range(6):
        state.flushall()
        with world(state, full=True, direct=True) as w:
            w.advoware.create("SB", **termin(-29, CANARY))
            w.advoware.create("SB", **termin(3, CANARY))
            w.settle()
            w.later(days=10)
            w.settle()
            w.make(CALENDAR_FULL_CONTENT="false")
            w.wire.crash(accident, done=True)
            try:
                w.run()
            except Crash:
                w.flush()
            w.wire.reset()
            w.settle()
            assert CANARY not in everything_in_google(w)


def test_one_run_in_full_and_the_next_by_default_hides_everything_again(state: redis.Redis) -> None:
    with world(state, full=False, direct=True) as w:
        number = w.advoware.create("SB", **termin(2, CANARY, **TEXTS))
        w.run()
        w.run(full=True)
        assert w.event_of(number)["summary"] == CANARY
        w.run()
        assert CANARY not in everything_in_google(w)
        in_step(w, full=False)


def test_a_full_run_that_dies_leaves_nothing_shown_after_the_next(state: redis.Redis) -> None:
    for accident in range(1, 5):
        state.flushall()
        with world(state, full=False, direct=True) as w:
            for ahead in range(-25, 20, 15):
                w.advoware.create("SB", **termin(ahead, CANARY))
            w.settle()
            w.wire.crash(accident, done=True)
            with pytest.raises(Crash):
                w.run(full=True)
            w.wire.reset()
            w.later(days=10)  # what was shown may be older than the window by now
            w.settle()
            assert CANARY not in everything_in_google(w)


def test_what_is_typed_over_the_placeholder_is_hidden_again_and_never_reaches_advoware(state: redis.Redis) -> None:
    with world(state, full=False, direct=True) as w:
        number = w.advoware.create("SB", **termin(2, "Verhandlung"))
        w.settle()
        typed = {"summary": CANARY, "location": CANARY, "description": CANARY, "visibility": "public"}
        w.google.edit_event(w.calendar(), w.event_of(number)["id"], **typed)
        w.settle()
        assert CANARY not in everything_in_google(w)
        assert w.event_of(number)["visibility"] == "private"
        assert CANARY not in str(w.advoware.appointments())


def test_what_was_born_in_google_is_hidden_only_after_advoware_has_it(state: redis.Redis) -> None:
    for accident in range(7):
        state.flushall()
        with world(state, full=False, direct=True) as w:
            w.run()
            event = w.google.create_event(w.calendar(), timed(2, summary=CANARY, location=CANARY))
            w.wire.crash(accident, done=True)
            try:
                w.run()
            except Crash:
                shown = w.google.event(w.calendar(), event["id"])
                assert shown["summary"] == CANARY or w.advoware.appointments()[0]["text"] == CANARY
            w.wire.reset()
            w.settle()
            w.later(minutes=16)
            w.settle()
            assert [row["text"] for row in w.advoware.appointments()] == [CANARY]
            assert CANARY not in everything_in_google(w)


def test_an_edit_between_posting_and_linking_reaches_advoware_before_it_is_hidden(state: redis.Redis) -> None:
    with world(state, full=False, direct=True) as w:
        w.run()
        event = w.google.create_event(w.calendar(), timed(2, summary="Erstfassung"))

        def edit(_number: int, name: str) -> None:
            if name == "advoware POST appointments":
                w.wire.after = None
                w.google.edit_event(w.calendar(), event["id"], summary=CANARY)

        w.wire.after = edit
        w.run()
        w.settle()
        assert [row["text"] for row in w.advoware.appointments()] == [CANARY]
        assert CANARY not in everything_in_google(w)


def test_going_back_to_full_content_shows_what_advoware_holds(state: redis.Redis) -> None:
    with world(state, full=False, direct=True) as w:
        number = w.advoware.create("SB", **termin(2, CANARY, **TEXTS))
        w.settle()
        w.google.edit_event(w.calendar(), w.event_of(number)["id"], summary=f"{PLACEHOLDER} ")
        w.make(CALENDAR_FULL_CONTENT="true")
        w.settle()
        in_step(w)
        assert w.advoware.get(number)["text"] == CANARY
        assert "visibility" not in w.event_of(number)


def test_every_placeholder_ever_used_is_kept_out_of_advoware(state: redis.Redis) -> None:
    with world(state, full=True, direct=True, CALENDAR_PLACEHOLDERS="Belegt,Termin (Advoware)") as w:
        number = w.advoware.create("SB", **termin(2, CANARY))
        w.settle()
        for typed in ("Termin (Advoware)", "termin  (ADVOWARE)", "Termin (Advoware)", "belegt"):
            w.google.edit_event(w.calendar(), w.event_of(number)["id"], summary=typed)
            w.settle()
            assert w.advoware.get(number)["text"] == CANARY
            assert w.event_of(number)["summary"] == CANARY
        w.google.create_event(w.calendar(), timed(3, summary="BELEGT"))
        w.settle()
        assert len(w.advoware.appointments()) == 1
        w.make(CALENDAR_PLACEHOLDERS="Termin (Advoware)")  # what was set aside for its title is looked at again
        w.settle()
        assert [row["text"] for row in w.advoware.appointments()] == [CANARY, "BELEGT"]


def test_what_is_deleted_while_the_mode_is_switched_shows_no_text_in_the_bin(state: redis.Redis) -> None:
    with world(state, full=True, direct=True) as w:
        number = w.advoware.create("SB", **termin(2, CANARY, **TEXTS))
        w.settle()
        w.advoware.delete(number)
        w.make(CALENDAR_FULL_CONTENT="false")
        w.settle()
        assert w.events() == []
        assert CANARY not in everything_in_google(w)


def test_the_functions_that_write_to_advoware_refuse_a_placeholder_by_themselves(state: redis.Redis) -> None:
    """The second barrier holds even where the rules failed."""
    with world(state, full=True, direct=True) as w:
        number = w.advoware.create("SB", **termin(2, "Verhandlung"))
        w.run()
        limit = Limit(60)
        run = make_run(Order("SB"), w.deps, Report(), limit)
        before = w.advoware.get(number)
        for typed in ("Termin (Advoware)", " TERMIN\u00a0(advoware) "):
            with pytest.raises(PlaceholderError):
                put_row(run, str(number), {**before, "text": typed}, before)
            with pytest.raises(PlaceholderError):
                post_row(run, {**before, "text": typed})
        assert w.advoware.appointments() == [before]


def test_properties_hold_hashes_only(state: redis.Redis) -> None:
    with world(state, full=True, direct=True) as w:
        number = w.advoware.create("SB", **termin(2, CANARY, **TEXTS))
        w.run()
        w.google.create_event(w.calendar(), timed(3, summary=CANARY))
        w.settle()
        assert CANARY not in str([private(event) for event in w.events()])
        assert private(w.event_of(number))["adv_o"] == "a"
