"""Google's events, read and written."""

from __future__ import annotations

from datetime import date

import pytest
from builders import DAY, PLACEHOLDER, a_termin, an_appointment, an_event, at, on

from shared.domain.appointment import Frequency, Recurrence
from shared.mapping import termin
from shared.mapping.google_event import (
    UnusableEventError,
    anonymised,
    to_appointment,
    to_body,
    with_content,
)

HEARING_BODY = {
    "summary": "Verhandlung Meier ./. Schulz",
    "location": "AG Hannover, Saal 12",
    "description": "Akte 123/26",
    "start": {"dateTime": "2026-12-03T09:30:00", "timeZone": "Europe/Berlin"},
    "end": {"dateTime": "2026-12-03T11:00:00", "timeZone": "Europe/Berlin"},
}
HOLIDAY = {
    "frNr": 4712,
    "anwalt": "SB",
    "datum": "2026-12-07",
    "uhrzeitVon": None,
    "datumBis": "2026-12-09",
    "uhrzeitBis": None,
    "dauertermin": 1,
    "turnus": 0,
    "turnusArt": 0,
    "text": "Urlaub",
    "ort": "",
    "notiz": None,
}
JOUR_FIXE = HOLIDAY | {
    "frNr": 4713,
    "datum": "2026-12-01",
    "uhrzeitVon": "08:00:00",
    "datumBis": "2027-06-30",
    "uhrzeitBis": "08:30:00",
    "dauertermin": 0,
    "turnus": 1,
    "turnusArt": 2,
    "text": "Jour fixe",
    "notiz": "",
}


def wall(clock: str, day: str = "2026-12-03", zone: str = "Europe/Berlin"):
    return {"dateTime": f"{day}T{clock}", "timeZone": zone}


def test_a_hearing_is_written_like_the_example():
    assert to_body(termin.to_appointment(a_termin()), private=False) == HEARING_BODY


def test_an_anonymous_hearing_shows_times_only():
    hidden = to_body(anonymised(termin.to_appointment(a_termin()), PLACEHOLDER), private=True)
    assert hidden == {
        "summary": PLACEHOLDER,
        "visibility": "private",
        "start": HEARING_BODY["start"],
        "end": HEARING_BODY["end"],
    }


def test_a_holiday_is_written_like_the_example():
    body = to_body(termin.to_appointment(HOLIDAY), private=False)
    assert body == {"summary": "Urlaub", "start": {"date": "2026-12-07"}, "end": {"date": "2026-12-10"}}


def test_a_series_is_written_like_the_example():
    assert to_body(termin.to_appointment(JOUR_FIXE), private=False) == {
        "summary": "Jour fixe",
        "start": wall("08:00:00", "2026-12-01"),
        "end": wall("08:30:00", "2026-12-01"),
        "recurrence": ["RRULE:FREQ=WEEKLY;INTERVAL=1;UNTIL=20270629T060000Z"],
    }


@pytest.mark.parametrize("row", [a_termin(), HOLIDAY, JOUR_FIXE])
def test_what_was_written_is_read_back(row):
    mine = termin.to_appointment(row)
    assert to_appointment(to_body(mine, private=False)).canonical() == mine.canonical()


def test_an_event_is_read_in_berlin_time_wherever_it_was_made():
    abroad = an_event(start=wall("03:30:00", zone="America/New_York"), end={"dateTime": "2026-12-03T10:00:00Z"})
    assert (to_appointment(abroad).start, to_appointment(abroad).end) == (at(DAY, "09:30"), at(DAY, "11:00"))


def test_seconds_are_dropped():
    assert to_appointment(an_event(start=wall("09:30:59"))).start == at(DAY, "09:30")


def test_a_time_in_the_spring_gap_is_an_hour_later():
    night = an_event(start=wall("02:30:00", "2026-03-29"), end=wall("04:00:00", "2026-03-29"))
    assert to_appointment(night).canonical()["start"] == "2026-03-29T03:30"


def test_both_half_past_two_of_the_autumn_night_are_equal():
    first, second = (
        an_event(start={"dateTime": f"2026-10-25T02:30:00{zone}"}, end=wall("05:00:00", "2026-10-25"))
        for zone in ("+02:00", "+01:00")
    )
    assert to_appointment(first).canonical() == to_appointment(second).canonical()


def test_the_second_half_past_two_is_never_repaired():
    night = an_event(start={"dateTime": "2026-10-25T02:30:00+01:00"}, end=wall("05:00:00", "2026-10-25"))
    mine = termin.to_appointment(
        a_termin(datum="2026-10-25", datumBis="2026-10-25", uhrzeitVon="02:30:00", uhrzeitBis="05:00:00")
    )
    assert with_content(night, mine) == night


@pytest.mark.parametrize(
    "changes",
    [
        {"start": None},
        {"end": None},
        {"start": {}},
        {"start": "2026-12-03"},
        {"start": 5},
        {"start": {"dateTime": None}},
        {"start": {"dateTime": "heute"}},
        {"start": {"dateTime": 5}},
        {"start": {"date": 20261203}},
        {"start": {"date": "2026-12-32"}},
        {"start": {"date": ["2026-12-03"]}},
        {"start": wall("09:30:00", zone="Mond/Krater")},
        {"start": wall("09:30:00", zone="Europe")},
        {"start": wall("09:30:00", zone="../etc")},
        {"start": {"dateTime": "2026-12-03T09:30:00", "timeZone": 5}},
        {"start": {"dateTime": "2026-12-03T09:30:00", "timeZone": ["Europe/Berlin"]}},
        {"start": {"dateTime": "0001-01-01T00:00:00+05:00"}},
        {"end": {"dateTime": "9999-12-31T23:59:59-05:00"}},
        {"start": {"date": "0001-01-01"}},
        {"end": {"date": "2026-12-04"}},
    ],
)
def test_an_event_without_readable_times_is_unusable(changes):
    with pytest.raises(UnusableEventError):
        to_appointment(an_event(**changes))


@pytest.mark.parametrize("garbage", [5, True, ["a"], {"a": 1}, 1.5, ""])
@pytest.mark.parametrize("key", ["summary", "location", "description", "recurrence"])
def test_texts_of_another_kind_count_as_none(key, garbage):
    assert to_appointment(an_event(**{key: garbage})).canonical()[
        {"summary": "text", "location": "ort", "description": "notiz", "recurrence": "rrule"}[key]
    ] == ("")


def test_the_same_content_leaves_an_event_as_it_was():
    event = an_event(description="Akte<br>123", recurrence=["RRULE:FREQ=WEEKLY;COUNT=5;BYDAY=TH", "EXDATE:20261210"])
    assert with_content(event, to_appointment(event)) == event


def test_what_we_do_not_know_survives_a_write():
    event = an_event(attendees=[{"email": "a@b.example"}], colorId="4", conferenceData={"x": 1})
    changed = with_content(event, an_appointment(text="Neu"))
    assert changed == event | {"summary": "Neu"}


def test_a_timed_event_that_becomes_all_day_has_dates_only():
    changed = with_content(an_event(), on(DAY))
    assert (changed["start"], changed["end"]) == ({"date": "2026-12-03"}, {"date": "2026-12-04"})


def test_an_all_day_event_that_becomes_timed_has_times_only():
    changed = with_content(an_event(start={"date": "2026-12-03"}, end={"date": "2026-12-04"}), an_appointment())
    assert (changed["start"], changed["end"]) == (HEARING_BODY["start"], HEARING_BODY["end"])


def test_an_empty_text_is_left_out():
    assert "location" not in with_content(an_event(), an_appointment(place=""))


def test_cancelled_occurrences_stay_when_only_the_end_of_a_series_changes():
    series = an_event(recurrence=["RRULE:FREQ=WEEKLY", "EXDATE;TZID=Europe/Berlin:20261210T093000"])
    target = an_appointment(recurrence=Recurrence(Frequency.WEEKLY, 1, date(2027, 3, 4)))
    assert with_content(series, target)["recurrence"] == [
        "RRULE:FREQ=WEEKLY;INTERVAL=1;UNTIL=20270304T083000Z",
        "EXDATE;TZID=Europe/Berlin:20261210T093000",
    ]


def test_cancelled_occurrences_go_when_the_series_starts_at_another_time():
    series = an_event(recurrence=["RRULE:FREQ=WEEKLY", "EXDATE;TZID=Europe/Berlin:20261210T093000"])
    target = an_appointment(start=at(DAY, "08:00"), recurrence=Recurrence(Frequency.WEEKLY))
    assert with_content(series, target)["recurrence"] == ["RRULE:FREQ=WEEKLY;INTERVAL=1"]


def test_a_series_that_becomes_single_has_no_rule():
    series = an_event(recurrence=["RRULE:FREQ=WEEKLY", "EXDATE:20261210"])
    assert "recurrence" not in with_content(series, an_appointment())


def test_a_rule_that_advoware_cannot_hold_is_never_rewritten():
    rule = "RRULE:FREQ=WEEKLY;BYDAY=MO,TH"
    event = an_event(recurrence=[rule])
    moved = to_appointment(event | {"start": wall("09:00:00")})
    assert with_content(event, moved)["recurrence"] == [rule]


def test_a_series_of_another_zone_whose_hour_wanders_cannot_be_held():
    times = {"start": wall("09:30:00", zone="America/New_York"), "end": wall("10:30:00", zone="America/New_York")}
    assert not to_appointment(an_event(recurrence=["RRULE:FREQ=WEEKLY"], **times)).expressible
    assert to_appointment(an_event(**times)).expressible


def test_a_series_of_another_zone_with_the_same_hours_can_be_held():
    times = {"start": wall("09:30:00", zone="Europe/Vienna"), "end": wall("10:30:00", zone="Europe/Vienna")}
    assert to_appointment(an_event(recurrence=["RRULE:FREQ=WEEKLY"], **times)).expressible


@pytest.mark.parametrize("notes", ["a<b und c>d", "<b>fett</b> &amp; mehr", "eins\n<p>zwei", "<![x<br>", "\xa0<br>"])
def test_notes_that_look_like_html_come_back_as_they_were(notes):
    target = an_appointment(notes=notes)
    assert to_appointment(to_body(target, private=False)).canonical() == target.canonical()
    assert to_appointment(with_content(an_event(), target)).canonical() == target.canonical()


def test_plain_notes_are_written_as_they_are():
    assert to_body(an_appointment(notes="5 < 7 & 8 > 2"), private=False)["description"] == "5 < 7 & 8 > 2"


def test_a_tombstone_with_its_id_only_can_be_filled_again():
    changed = with_content({"id": "x", "status": "cancelled"}, an_appointment())
    assert changed == {"id": "x", "status": "cancelled"} | HEARING_BODY


def test_an_event_is_over_when_its_end_is_reached():
    assert to_appointment(an_event()).is_over(at(DAY, "11:00"))
    assert not to_appointment(an_event()).is_over(at(DAY, "10:59"))


def test_a_series_is_over_after_its_last_occurrence():
    series = to_appointment(an_event(recurrence=["RRULE:FREQ=DAILY;COUNT=3"]))
    assert series.is_over(at(date(2026, 12, 6), "00:00"))
    assert not series.is_over(at(date(2026, 12, 5), "23:59"))


def test_an_endless_series_is_never_over():
    assert not to_appointment(an_event(recurrence=["RRULE:FREQ=DAILY"])).is_over(at(date(2090, 1, 1), "00:00"))


def test_a_window_ends_where_the_next_day_begins():
    event = to_appointment(an_event())
    assert event.lies_outside((at(DAY, "00:00"), event.start))
    assert not event.lies_outside((at(DAY, "00:00"), event.end))
    assert event.lies_outside((event.end, at(date(2026, 12, 31), "00:00")))
