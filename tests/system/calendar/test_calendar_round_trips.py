"""What a person does on one side arrives on the other, in full and in anonymous mode."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import redis
from calendar_checks import expected, in_step, shown
from calendar_world import PLACEHOLDER, World, autumn_night, day, private, termin, timed, world

MODES = pytest.mark.parametrize("full", [True, False], ids=["full", "anonymous"])


@pytest.fixture
def office(state: redis.Redis) -> Iterator[World]:
    with world(state, full=True, direct=True) as w:
        w.run()
        yield w


def the_row(w: World) -> dict[str, Any]:
    rows = w.advoware.appointments("SB")
    assert len(rows) == 1
    return rows[0]


@MODES
def test_an_appointment_of_each_kind_arrives_in_google(state: redis.Redis, full: bool) -> None:
    night = autumn_night().isoformat()
    with world(state, full=full) as w:
        w.advoware.create("SB", **termin(2, "Verhandlung", ort="Saal 12", notiz="Akte 123/26\r\nZeugen  "))
        w.advoware.create("SB", datum=day(5), datumBis=day(7), dauertermin=1, text="Urlaub")
        w.advoware.create("SB", **termin(3, "Jour fixe", turnus=2, turnusArt=2) | {"datumBis": day(100)})
        w.advoware.create("SB", **termin(3, "Für immer", turnus=1, turnusArt=1) | {"datumBis": "2037-12-31"})
        w.advoware.create("SB", datum=night, uhrzeitVon="02:30:00", datumBis=night, uhrzeitBis="03:30:00", text="Nacht")
        w.advoware.create("SB", datum=day(9), text="ohne Zeiten")
        assert w.run()["created"] == 6
        in_step(w, full=full)
        w.forget_calls()
        w.run()
        assert w.calls() == (["GET"], ["delta"])


@MODES
def test_what_ends_at_24_o_clock_comes_to_rest(state: redis.Redis, full: bool) -> None:
    until_midnight = {"uhrzeitVon": "21:00:00", "uhrzeitBis": "24:00:00"}
    with world(state, full=full, direct=True) as w:
        w.advoware.create("SB", datum=day(2), datumBis=day(2), text="Notdienst", **until_midnight)
        w.advoware.create(
            "SB", datum=day(3), datumBis=day(40), turnus=1, turnusArt=2, text="Bereitschaft", **until_midnight
        )
        assert w.run()["created"] == 2
        ends = sorted(event["end"]["dateTime"][:16] for event in w.events())
        assert ends == [f"{day(3)[:10]}T00:00", f"{day(4)[:10]}T00:00"]
        for event in w.events():
            start = {**event["start"], "dateTime": event["start"]["dateTime"].replace("T21:00", "T20:00")}
            w.google.edit_event(w.calendar(), event["id"], start=start)
        w.settle()
        w.forget_calls()
        w.run()
        assert w.calls() == (["GET"], ["delta"])
        starts = {row["text"]: (row["uhrzeitVon"], row["uhrzeitBis"]) for row in w.advoware.appointments("SB")}
        assert starts == {"Notdienst": ("20:00:00", "00:00:00"), "Bereitschaft": ("21:00:00", "24:00:00")}


@MODES
def test_every_field_that_changes_in_advoware_changes_in_google(state: redis.Redis, full: bool) -> None:
    with world(state, full=full, direct=True) as w:
        number = w.advoware.create("SB", **termin(2, "Verhandlung", ort="Saal", notiz="Akte"))
        w.run()
        changes: list[dict[str, Any]] = [
            {"text": "Termin verlegt"},
            {"ort": ""},
            {"notiz": "<b>fett</b> & Co"},
            {"uhrzeitVon": "12:00:00", "uhrzeitBis": "13:00:00"},
            {"datum": day(4), "datumBis": day(5)},
            {"dauertermin": 1},
            {"dauertermin": 0, "turnus": 1, "turnusArt": 3, "datumBis": day(200)},
            {"turnus": 0, "turnusArt": 0, "datumBis": day(4), "uhrzeitBis": None},
        ]
        for change in changes:
            w.advoware.edit(number, **change)
            w.settle()
            in_step(w, full=full)


def test_every_field_that_changes_in_google_changes_in_advoware(office: World) -> None:
    number = office.advoware.create("SB", **termin(2, "Verhandlung", ort="Saal", notiz="Akte"), farbe="rot")
    office.run()
    changes: list[dict[str, Any]] = [
        {"summary": "Termin verlegt"},
        {"location": None},
        {"description": "Akte<br>Zeugen"},
        timed(6, "15:00", "16:30"),
        {"start": {"date": day(7)[:10]}, "end": {"date": day(9)[:10]}},
        {**timed(6), "recurrence": [f"RRULE:FREQ=WEEKLY;UNTIL={day(34)[:10].replace('-', '')}T220000Z"]},
        {"recurrence": None},
    ]
    for change in changes:
        office.google.edit_event(office.calendar(), office.event_of(number)["id"], **change)
        assert office.run()["updated"] == 1
        office.settle()
        row = office.advoware.get(number)
        assert row["farbe"] == "rot"
        ignored = {"notiz": "", "rule": ""}  # spelled in other ways on both sides
        assert shown(office.event_of(number)) | ignored == expected(row, full=True) | ignored
    assert row["notiz"] == "Akte\nZeugen"


def test_in_anonymous_mode_only_times_flow_to_advoware(state: redis.Redis) -> None:
    with world(state, full=False, direct=True) as w:
        number = w.advoware.create("SB", **termin(2, "Verhandlung", ort="Saal"))
        w.run()
        event = w.event_of(number)["id"]
        w.google.edit_event(w.calendar(), event, **timed(3, "14:00", "15:00"), summary="getippt", location="hier")
        w.settle()
        row = w.advoware.get(number)
        assert (row["text"], row["ort"], row["uhrzeitVon"], row["datum"]) == ("Verhandlung", "Saal", "14:00:00", day(3))
        in_step(w, full=False)


@MODES
def test_an_event_born_in_google_is_entered_once_and_deleted_again(state: redis.Redis, full: bool) -> None:
    with world(state, full=full, direct=True) as w:
        w.run()
        event = w.google.create_event(
            w.calendar(), timed(2, summary="Besprechung", location="Büro", description="Kaffee")
        )
        w.run()
        row = the_row(w)
        assert (row["text"], row["ort"], row["notiz"].split("\n")[0]) == ("Besprechung", "Büro", "Kaffee")
        in_step(w, full=full)
        assert "[G:" not in str(w.events())
        w.settle()
        w.google.delete_event(w.calendar(), event["id"])
        assert w.run()["deleted"] == 1
        assert w.advoware.appointments() == []


@MODES
def test_a_deletion_in_advoware_removes_the_event(state: redis.Redis, full: bool) -> None:
    with world(state, full=full, direct=True) as w:
        number = w.advoware.create("SB", **termin(2, "Verhandlung"))
        w.settle()
        w.advoware.delete(number)
        assert w.run()["deleted"] == 1
        assert w.events() == []


def test_a_series_born_in_google_becomes_one_in_advoware_and_odd_ones_stay(office: World) -> None:
    office.google.create_event(office.calendar(), timed(2, summary="S", recurrence=["RRULE:FREQ=DAILY;COUNT=3"]))
    odd = timed(2, summary="odd", recurrence=["RRULE:FREQ=MONTHLY;BYDAY=2MO"])
    office.google.create_event(office.calendar(), odd)
    office.settle()
    row = the_row(office)
    assert (row["turnus"], row["turnusArt"], row["datumBis"]) == (1, 1, day(4))
    assert len(office.events()) == 2


def test_a_changed_occurrence_is_left_alone_in_full_mode(office: World) -> None:
    number = office.advoware.create("SB", **termin(2, "Jour fixe", turnus=1, turnusArt=2) | {"datumBis": day(60)})
    office.settle()
    master = office.event_of(number)
    second = datetime.fromisoformat(master["start"]["dateTime"]) + timedelta(days=7)
    office.google.plant_exception(office.calendar(), master["id"], second, summary="anders")
    office.forget_calls()
    office.settle()
    assert office.writes() == []
    assert office.advoware.get(number)["text"] == "Jour fixe"


def test_a_conflict_on_one_field_goes_to_advoware_and_is_counted(office: World) -> None:
    number = office.advoware.create("SB", **termin(2, "Verhandlung"))
    office.settle()
    office.google.edit_event(office.calendar(), office.event_of(number)["id"], summary="G", location="Saal")
    office.advoware.edit(number, text="A")
    assert office.run()["conflicts"] == 1
    office.settle()
    in_step(office)
    row = office.advoware.get(number)
    assert (row["text"], row["ort"]) == ("A", "Saal")


def test_a_copy_in_google_becomes_an_appointment_of_its_own(office: World) -> None:
    number = office.advoware.create("SB", **termin(2, "Verhandlung"))
    office.settle()
    office.google.copy_event(office.calendar(), office.event_of(number)["id"])
    office.settle()
    assert [row["text"] for row in office.advoware.appointments()] == ["Verhandlung"] * 2
    in_step(office)


def test_an_exact_twin_is_linked_instead_of_created(office: World) -> None:
    office.advoware.create("SB", **termin(2, "Verhandlung"))
    office.google.create_event(office.calendar(), timed(2, summary="Verhandlung"))
    office.settle()
    assert len(office.advoware.appointments()) == len(office.events()) == 1
    in_step(office)


def test_an_anonymous_copy_with_the_placeholder_is_never_written_to_advoware(state: redis.Redis) -> None:
    with world(state, full=False, direct=True) as w:
        number = w.advoware.create("SB", **termin(2, "Verhandlung"))
        w.settle()
        w.google.copy_event(w.calendar(), w.event_of(number)["id"])
        w.settle()
        assert [row["text"] for row in w.advoware.appointments()] == ["Verhandlung"]
        assert [event["summary"] for event in w.events()] == [PLACEHOLDER] * 2
        assert sum(bool(private(event).get("adv_fr")) for event in w.events()) >= 1


def test_a_text_that_advoware_cuts_short_stays_whole_in_google(office: World, monkeypatch: pytest.MonkeyPatch) -> None:
    long = {"summary": "Besprechung mit allen Beteiligten", "location": "Landgericht Hannover", "description": "N" * 40}
    known = office.advoware.create("SB", **termin(2, "Verhandlung"))
    office.settle()
    keep = office.advoware.diary._keep

    def cut(fr_nr: int, fields: dict[str, Any]) -> None:
        keep(fr_nr, fields | {name: str(fields[name])[:12] for name in ("text", "ort", "notiz") if name in fields})

    monkeypatch.setattr(office.advoware.diary, "_keep", cut)
    born = office.google.create_event(office.calendar(), timed(3, **long))["id"]
    linked = office.event_of(known)["id"]
    office.google.edit_event(office.calendar(), linked, **long)
    office.run()
    office.forget_calls()
    assert (office.settle()["updated"], office.writes()) == (0, [])
    assert {row["text"] for row in office.advoware.appointments("SB")} == {"Besprechung "}
    for event in (office.google.event(office.calendar(), name) for name in (born, linked)):
        assert {name: event[name] for name in long} == long


def test_a_text_that_advoware_cut_short_and_a_person_edits_there_reaches_google(
    office: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = office.advoware.diary._keep
    with monkeypatch.context() as short:
        short.setattr(
            office.advoware.diary, "_keep", lambda fr_nr, fields: keep(fr_nr, {**fields, "text": fields["text"][:12]})
        )
        office.google.create_event(office.calendar(), timed(3, summary="Besprechung mit allen", location="Büro"))
        office.settle()
    row = the_row(office)
    office.advoware.edit(row["frNr"], text="Besprechung zu zweit")
    office.google.edit_event(office.calendar(), office.event_of(row["frNr"])["id"], location="Saal")
    assert office.run()["conflicts"] == 0
    in_step(office, full=True)
    assert office.event_of(row["frNr"])["summary"] == "Besprechung zu zweit"
