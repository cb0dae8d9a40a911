"""The audit's own reading and that of the sync agree on what is equal and what is not, though they share no line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from property.calendar_strategies import appointments

from functions.calendar_sync.audit import differences
from functions.calendar_sync.audit_reading import read_event, read_row
from functions.calendar_sync.audit_series import BERLIN, of_event, of_row
from sandbox.google.events import created
from shared.domain.appointment import Appointment
from shared.mapping.google_event import to_appointment as of_google
from shared.mapping.google_event import to_body
from shared.mapping.recurrence import from_rrule
from shared.mapping.termin import UnusableTerminError, new_row
from shared.mapping.termin import to_appointment as of_advoware

MARKER = "abcdefghijklmnopqrstuv"
fields = st.sampled_from(["dauertermin", "abwesenheit"])
markers = st.none() | st.just(MARKER)


def event_of(appointment: Appointment) -> dict[str, Any]:
    """Write an event as Google stores it."""
    return created(to_body(appointment, private=False), "Europe/Berlin")


@settings(max_examples=300, deadline=None)
@given(appointments, fields, markers)
def test_the_same_appointment_on_both_sides_is_no_difference(appointment, all_day_field, marker):
    row = new_row(appointment, "SB", marker, all_day_field)
    assert differences(read_row(row, all_day_field), read_event(event_of(appointment))) == ()


@settings(max_examples=300, deadline=None)
@given(appointments, appointments, fields)
def test_two_appointments_differ_in_the_fields_in_which_the_sync_sees_them_differ(left, right, all_day_field):
    row, event = new_row(left, "SB", None, all_day_field), event_of(right)
    ours, theirs = of_advoware(row, all_day_field).canonical(), of_google(event).canonical()
    found = set(differences(read_row(row, all_day_field), read_event(event)))
    wanted = {name for name, value in ours.items() if theirs[name] != value}
    if ours["allday"] != theirs["allday"]:
        assert "allday" in found
        found, wanted = found - {"start", "end"}, wanted - {"start", "end"}
    if "<" in event.get("description", ""):
        found, wanted = found - {"notiz"}, wanted - {"notiz"}
    assert found == wanted


RULES = [
    "FREQ=DAILY",
    "FREQ=WEEKLY;INTERVAL=2;UNTIL=20270629T060000Z",
    "FREQ=WEEKLY;UNTIL=20270629T055959Z",
    "FREQ=WEEKLY;UNTIL=20270629",
    "FREQ=WEEKLY;COUNT=5",
    "FREQ=WEEKLY;BYDAY=TU;WKST=SU",
    "FREQ=WEEKLY;BYDAY=MO,TU",
    "FREQ=MONTHLY;BYMONTHDAY=1;COUNT=13",
    "FREQ=MONTHLY;BYDAY=1TU",
    "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=1",
    "FREQ=YEARLY;BYMONTHDAY=1",
    "FREQ=YEARLY;UNTIL=20371231T000000Z",
    "FREQ=YEARLY;UNTIL=99991231T000000Z",
    "FREQ=HOURLY",
    "FREQ=DAILY;INTERVAL=0",
    "FREQ=DAILY;COUNT=x",
    "",
]


@pytest.mark.parametrize("rule", RULES)
def test_rules_of_google_are_read_as_the_sync_reads_them(rule):
    start = {"dateTime": "2026-12-01T08:00:00+01:00", "timeZone": "Europe/Berlin"}
    event = {"start": start, "end": {**start, "dateTime": "2026-12-01T09:00:00+01:00"}, "recurrence": [f"RRULE:{rule}"]}
    read = read_event(event).fields["rrule"]
    theirs = from_rrule(event["recurrence"], of_google(event).start)
    assert theirs is not None
    last = theirs.until.isoformat() if theirs.until else ""
    assert read == (f"!RRULE:{rule}" if theirs.foreign else f"{theirs.frequency}/{theirs.interval}/{last}")


def test_a_series_in_a_zone_with_another_summer_cannot_be_held():
    start = {"dateTime": "2026-12-01T08:00:00-05:00", "timeZone": "America/New_York"}
    event = {"start": start, "end": start, "recurrence": ["RRULE:FREQ=WEEKLY"]}
    assert read_event(event).fields["rrule"] == "!RRULE:FREQ=WEEKLY"


def test_a_month_without_that_day_is_left_out_and_2037_is_for_ever():
    from datetime import date

    assert of_row(1, 3, date(2027, 1, 31), date(2027, 4, 30)) == "MONTHLY/1/2027-03-31"
    assert of_row(1, 2, date(2027, 1, 4), date(2037, 12, 31)) == "WEEKLY/1/"
    assert of_row(0, 2, date(2027, 1, 4), date(2037, 12, 31)) == ""
    assert of_event([], date(2027, 1, 4), BERLIN) == ""


@pytest.mark.parametrize("broken", [{}, {"start": {}, "end": {}}, {"start": {"date": "x"}, "end": {"date": "y"}}])
def test_an_event_whose_times_cannot_be_read_differs_from_everything(broken):
    row = {"datum": "2026-12-03", "uhrzeitVon": "09:00:00", "uhrzeitBis": "10:00:00", "text": ""}
    assert differences(read_row(row, "dauertermin"), read_event(broken))[:2] == ("start", "end")


def test_a_row_whose_times_cannot_be_read_differs_from_everything():
    event = {"start": {"date": "2026-12-03"}, "end": {"date": "2026-12-04"}}
    for row in ({"datum": "irgendwann"}, {"datum": "2026-12-03", "uhrzeitVon": "neun"}, {"datum": None}):
        assert "start" in differences(read_row(row, "dauertermin"), read_event(event))


CLOCKS = [
    None,
    "",
    "00:00:00",
    "09:30",
    "9:30",
    "23:59:59",
    "24:00",
    "24:00:00",
    "1899-12-30T24:00:00",
    "24:00:01",
    "24:01",
]
CLOCKS += ["25:00", "10:60", "0930", "neun", "1:2:3:4", 9, True]


@pytest.mark.parametrize("opening", CLOCKS)
@pytest.mark.parametrize("closing", CLOCKS)
@pytest.mark.parametrize(
    "more", [{}, {"datumBis": "2026-12-10"}, {"datumBis": "2026-12-20", "turnus": 1, "turnusArt": 1}]
)
@pytest.mark.parametrize("all_day", [0, 1])
def test_odd_times_of_a_row_are_read_as_the_sync_reads_them(opening, closing, more, all_day):
    row = {"datum": "2026-12-03", "uhrzeitVon": opening, "uhrzeitBis": closing, "dauertermin": all_day, **more}
    read = read_row(row, "dauertermin")
    try:
        shown = event_of(of_advoware(row, "dauertermin"))
    except UnusableTerminError:
        assert read.span is None
    else:
        assert differences(read, read_event(shown)) == ()


def test_html_of_google_s_editor_is_compared_by_its_words():
    row = {"datum": "2026-12-03", "dauertermin": 1, "notiz": "Eins & zwei\r\nDrei"}
    event = {"start": {"date": "2026-12-03"}, "end": {"date": "2026-12-04"}}
    for dressed in (
        "<p>Eins &amp; zwei</p><p>Drei</p>",
        "Eins &amp; zwei<br>Drei",
        "<b>Eins</b> &amp; zwei<div>Drei</div>",
    ):
        assert differences(read_row(row, "dauertermin"), read_event({**event, "description": dressed})) == ()
    assert differences(read_row(row, "dauertermin"), read_event({**event, "description": "<p>Eins</p>"})) == ("notiz",)
