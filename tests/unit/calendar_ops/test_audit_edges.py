"""What the audit must not take for a difference, and what it must not overlook."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from calendar_world import PLACEHOLDER, World, autumn_night, day, termin, timed, today, world

from functions.calendar_sync.audit import Audit, Difference
from functions.calendar_sync.audit_report import as_csv, as_html
from functions.calendar_sync.audit_run import audit_employee
from functions.calendar_sync.handler import Order
from functions.calendar_sync.preview import preview
from sandbox.faults import Fault
from sandbox.seed import firm as seeded
from shared.errors import NotFoundError, UpstreamError


def row(firm: World, kuerzel: str = "SB") -> dict[str, Any]:
    return audit_employee(kuerzel, firm.deps).row()


@pytest.mark.parametrize("full", [True, False], ids=["full", "anonymous"])
def test_a_seeded_firm_with_all_its_oddities_is_in_step_after_a_sync(state, full):
    with world(state, full=full, direct=True) as firm:
        people, appointments = seeded(2, 120, today=today(), shared=2, derived=2)
        firm.advoware.load(people, appointments)
        for person in people:
            firm.settle(person["kuerzel"])
            found = audit_employee(person["kuerzel"], firm.deps)
            assert found.in_sync, found.row()
            assert found.compared >= 120


def test_the_audit_changes_nothing_and_reads_advoware_once_while_all_is_well(state):
    with world(state, direct=True) as firm:
        firm.advoware.create("SB", **termin(1, "Verhandlung"))
        firm.settle()
        firm.forget_calls()
        audit_employee("SB", firm.deps)
        assert firm.calls() == (["GET"], ["full"])
        assert firm.writes() == []


def test_what_lies_outside_the_window_is_nobodys_difference(state):
    with world(state, direct=True) as firm:
        firm.advoware.create("SB", **termin(1, "drin"))
        firm.settle()
        firm.google.create_event(firm.calendar(), timed(-40, summary="vorbei"))
        firm.google.create_event(firm.calendar(), timed(400, summary="später"))
        firm.advoware.create("SB", **termin(-60, "vorbei"))
        assert row(firm)["in_sync"]


def test_what_the_list_shows_beyond_the_window_is_not_entered_and_not_missed(state, monkeypatch):
    with world(state, direct=True) as firm:
        diary = firm.advoware.diary
        monkeypatch.setattr(diary, "listing", lambda kuerzel, _window: type(diary).listing(diary, kuerzel))
        firm.advoware.create("SB", **termin(366, "zu spät", start="00:00"))
        firm.advoware.create("SB", **termin(-31, "vorbei"))
        firm.advoware.create("SB", **termin(365, "gerade noch", start="23:00", end="23:30"))
        firm.settle()
        assert [event["summary"] for event in firm.events()] == ["gerade noch"]
        assert row(firm)["in_sync"]


def test_an_event_that_was_moved_out_of_the_window_is_different_not_missing(state):
    with world(state, direct=True) as firm:
        number = firm.advoware.create("SB", **termin(1, "weg"))
        firm.settle()
        event = firm.event_of(number)
        firm.google.edit_event(firm.calendar(), event["id"], **timed(700))
        assert row(firm)["different"] == [{"frNr": number, "google_id": event["id"], "fields": ["start", "end"]}]


def test_an_appointment_that_advoware_moved_beyond_the_window_is_different(state):
    with world(state, direct=True) as firm:
        number = firm.advoware.create("SB", **termin(1, "später"))
        firm.settle()
        firm.advoware.edit(number, datum=day(500), datumBis=day(500))
        assert row(firm)["different"][0]["fields"] == ["start", "end"]


def test_both_hours_of_the_autumn_night_count_as_one(state):
    with world(state, direct=True) as firm:
        night = autumn_night()
        hours = {"uhrzeitVon": "02:30:00", "uhrzeitBis": "02:45:00"}
        number = firm.advoware.create(
            "SB", datum=f"{night}T00:00:00", datumBis=f"{night}T00:00:00", text="Nacht", **hours
        )
        firm.settle()
        second = {
            end: {"dateTime": f"{night}T02:{minute}:00+01:00", "timeZone": "Europe/Berlin"}
            for end, minute in (("start", 30), ("end", 45))
        }
        firm.google.edit_event(firm.calendar(), firm.event_of(number)["id"], **second)
        assert row(firm)["in_sync"]


def test_a_user_s_copy_is_a_new_event_and_no_duplicate(state):
    with world(state, direct=True) as firm:
        number = firm.advoware.create("SB", **termin(1, "Verhandlung"))
        firm.settle()
        copy = firm.google.copy_event(firm.calendar(), firm.event_of(number)["id"])
        found = row(firm)
        assert (found["only_in_google"], found["duplicates"], found["in_sync"]) == ([copy["id"]], [], False)


def test_a_series_that_advoware_cannot_hold_is_named_with_its_reason(state):
    with world(state, direct=True) as firm:
        rule = ["RRULE:FREQ=WEEKLY;BYDAY=MO,WE"]
        firm.advoware.create("SB", **termin(1, "Verhandlung"))
        firm.settle()
        event = firm.google.create_event(firm.calendar(), timed(2, summary="zweimal die Woche", recurrence=rule))
        firm.settle()
        found = audit_employee("SB", firm.deps)
        assert found.only_in_google == [event["id"]]
        assert found.reasons == {event["id"]: "series"}
        assert not found.in_sync


def test_a_changed_occurrence_is_counted_and_compared_with_nothing(state):
    with world(state, direct=True) as firm:
        number = firm.advoware.create("SB", **termin(1, "Jour fixe", turnus=1, turnusArt=2, datumBis=day(60)))
        firm.settle()
        master = firm.event_of(number)
        start = datetime.fromisoformat(master["start"]["dateTime"]) + timedelta(weeks=1)
        firm.google.plant_exception(firm.calendar(), master["id"], start, summary="anders")
        found = audit_employee("SB", firm.deps)
        assert found.in_sync
        assert found.exceptions == 1


def test_a_title_typed_over_the_placeholder_is_found_and_so_is_a_place(state):
    with world(state, full=False, direct=True) as firm:
        number = firm.advoware.create("SB", **termin(1, "Geheim"))
        firm.settle()
        event = firm.event_of(number)
        assert event["summary"] == PLACEHOLDER
        firm.google.edit_event(firm.calendar(), event["id"], summary="Geheim", location="AG Hannover")
        assert row(firm)["different"][0]["fields"] == ["text", "ort"]


def test_what_one_run_showed_in_full_is_in_step_but_told_where_the_setting_says_anonymous(state):
    with world(state, full=False, direct=True) as firm:
        firm.advoware.create("SB", **termin(1, "Verhandlung"))
        firm.settle(full=True)
        found = audit_employee("SB", firm.deps)
        assert (found.in_sync, found.in_full) == (True, 1)
        assert "1 zeigen ihren Inhalt, obwohl anonym eingestellt ist" in as_html([found], firm.now())
        firm.settle()
        assert audit_employee("SB", firm.deps).in_full == 0


def test_all_day_appointments_may_be_marked_by_the_other_field(state):
    with world(state, direct=True, ADVOWARE_ALL_DAY_FIELD="abwesenheit") as firm:
        absent = termin(1, "Urlaub", "00:00", "23:59", abwesenheit=1) | {"datumBis": day(3)}
        number = firm.advoware.create("SB", **absent)
        firm.advoware.create("SB", **termin(2, "Reihe", dauertermin=1, turnus=1, turnusArt=2, datumBis=day(40)))
        firm.settle()
        assert "date" in firm.event_of(number)["start"]
        assert row(firm)["in_sync"]
        firm.advoware.edit(number, abwesenheit=0)
        assert "allday" in row(firm)["different"][0]["fields"]


def test_an_event_dragged_into_another_calendar_is_only_there(state):
    with world(state, direct=True) as firm:
        number = firm.advoware.create("SB", **termin(1, "Verhandlung"))
        firm.settle()
        firm.settle("KL")
        event = firm.event_of(number)
        firm.google.move_event(firm.calendar(), event["id"], firm.calendar("KL"))
        assert row(firm)["only_in_advoware"] == [number]
        assert row(firm, "KL")["only_in_google"] == [event["id"]]


def test_a_list_that_lacks_an_appointment_says_nothing_about_it(state):
    with world(state, direct=True) as firm:
        number = firm.advoware.create("SB", **termin(1, "Verhandlung"))
        firm.settle()
        listing = firm.advoware.diary.listing
        firm.advoware.diary.listing = lambda *asked: b"[]"
        assert row(firm)["in_sync"]
        firm.advoware.diary.listing = listing
        firm.advoware.delete(number)
        assert row(firm)["only_in_google"] == [firm.event_of(number)["id"]]


def test_without_a_calendar_everything_is_only_in_advoware(state):
    with world(state, direct=True) as firm:
        number = firm.advoware.create("SB", **termin(1, "Verhandlung"))
        assert row(firm)["only_in_advoware"] == [number]
        assert not [entry for entry in firm.google.calendars() if entry["summary"] == "AW-SB"]


def test_nobody_s_kuerzel_is_not_found_and_while_advoware_is_down_nobody_knows(state):
    with world(state, direct=True) as firm:
        with pytest.raises(NotFoundError):
            audit_employee("XX", firm.deps)
        state.flushall()
        firm.advoware.board.add(Fault("status", method="GET", path="^/employees", status=503, times=9))
        with pytest.raises(UpstreamError):
            audit_employee("XX", firm.deps)


def test_the_plan_is_empty_where_the_audit_finds_nothing(state):
    with world(state, direct=True) as firm:
        for n in range(20):
            firm.advoware.create("SB", **termin(n, f"Termin {n}"))
        firm.settle()
        assert row(firm)["in_sync"]
        assert preview(Order("SB"), firm.deps)["actions"] == []


FOUND = Audit(
    "SB",
    ["4713"],
    ["7k3", "8x"],
    [Difference("4711", "adv1f4711g0", ("start", "ort"))],
    [("4712", ("a1", "a2"))],
    {"7k3": "series"},
    compared=12,
    exceptions=1,
)


def test_the_table_has_one_line_per_finding_and_opens_in_excel():
    text = as_csv([FOUND, Audit("KL")])
    assert text.startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))
    assert rows[0] == ["Kürzel", "Art", "frNr", "Google-ID", "Felder", "Hinweis"]
    assert [each[1] for each in rows[1:]] == [
        "nur in Advoware",
        "nur in Google",
        "nur in Google",
        "abweichend",
        "doppelt",
    ]
    assert rows[4] == ["SB", "abweichend", "4711", "adv1f4711g0", "Beginn, Ort", ""]


def test_the_page_says_in_german_what_is_out_of_step():
    page = as_html([FOUND, Audit("KL")], datetime(2026, 11, 24, 4, tzinfo=UTC))
    assert "Stand 24.11.2026 05:00 Uhr" in page
    assert "1 von 2 Kalendern mit Abweichungen" in page
    assert "absichtlich nur in Google" in page
    assert "http" not in page


def test_the_page_escapes_what_it_shows():
    page = as_html([replace(FOUND, only_in_google=["<script>"])], datetime(2026, 11, 24, tzinfo=UTC))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_neither_shows_content(state):
    with world(state, direct=True) as firm:
        number = firm.advoware.create("SB", **termin(1, "Meier ./. Schulz", ort="AG Hannover"))
        firm.settle()
        firm.google.edit_event(firm.calendar(), firm.event_of(number)["id"], summary="Räumung", location="LG")
        found = [audit_employee("SB", firm.deps)]
        for text in (as_csv(found), as_html(found, firm.now())):
            assert "Betreff, Ort" in text
            assert not [word for word in ("Meier", "Räumung", "Hannover", "LG") if word in text]
