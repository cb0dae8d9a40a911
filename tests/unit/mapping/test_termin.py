"""Advoware's rows, read and written."""

from __future__ import annotations

from datetime import date

import pytest
from builders import DAY, TOKEN, a_termin, an_appointment, at, on

from shared.domain.appointment import FIELDS, Frequency, Recurrence
from shared.mapping import termin
from shared.mapping.termin import UnusableTerminError, new_row, to_appointment, with_fields

BOTH = pytest.mark.parametrize("all_day_field", ["dauertermin", "abwesenheit"])
NOTHING: list[object] = [None, "", "kein Datum", [], {}, 5, True, 3.5, "0001-01-01T00:00:00", "2026-13-01"]


def canonical(row, field="dauertermin"):
    return to_appointment(row, field).canonical()


def test_a_hearing_is_read():
    assert to_appointment(a_termin()) == an_appointment()


def test_an_all_day_termin_ends_after_its_last_day():
    holiday = a_termin(datum="2026-12-07", datumBis="2026-12-09", uhrzeitVon=None, uhrzeitBis=None, dauertermin=1)
    assert (to_appointment(holiday).start.day, to_appointment(holiday).end.day) == (7, 10)
    assert canonical(holiday)["end"] == "2026-12-09"


def test_an_all_day_termin_that_ends_a_minute_before_midnight_lasts_the_same_days():
    short = a_termin(datumBis="2026-12-04", uhrzeitVon="00:00:00", uhrzeitBis="23:59:00", dauertermin=1)
    assert canonical(short) == canonical(short | {"uhrzeitVon": None, "uhrzeitBis": None})


def test_a_timed_termin_that_ends_a_minute_before_midnight_keeps_that_minute():
    assert canonical(a_termin(uhrzeitBis="23:59:00"))["end"] == "2026-12-03T23:59"


@pytest.mark.parametrize("flag", [1, True, "1", "true"])
def test_every_spelling_of_yes_is_all_day(flag):
    assert to_appointment(a_termin(dauertermin=flag)).all_day


@pytest.mark.parametrize("flag", [0, False, None, "", "0", 2, [], "ja"])
def test_everything_else_is_timed(flag):
    assert not to_appointment(a_termin(dauertermin=flag)).all_day


def test_a_missing_start_is_nine_and_a_missing_end_an_hour_later():
    assert canonical(a_termin(uhrzeitVon=None, uhrzeitBis=None, datumBis=None)) | {"text": ""} == canonical(
        a_termin(uhrzeitVon="09:00:00", uhrzeitBis="10:00:00", text="")
    )


def test_a_missing_end_time_of_several_days_is_an_hour_after_the_start_time_on_the_last():
    assert canonical(a_termin(datumBis="2026-12-05", uhrzeitBis=None))["end"] == "2026-12-05T10:30"


@pytest.mark.parametrize("end", ["09:30:00", "08:00:00"])
def test_an_end_that_is_not_later_becomes_an_hour(end):
    assert canonical(a_termin(uhrzeitBis=end))["end"] == "2026-12-03T10:30"


def test_an_all_day_end_before_its_start_is_one_day():
    assert canonical(a_termin(datumBis="2026-11-01", dauertermin=1))["end"] == "2026-12-03"


def test_a_time_in_the_spring_gap_is_an_hour_later():
    assert canonical(a_termin(datum="2026-03-29", datumBis="2026-03-29", uhrzeitVon="02:30:00", uhrzeitBis="05:00:00"))[
        "start"
    ] == ("2026-03-29T03:30")


@pytest.mark.parametrize("end", [None, "01:00:00"])
def test_a_default_end_never_falls_into_the_spring_gap(end):
    night = a_termin(datum="2026-03-29", datumBis="2026-03-29", uhrzeitVon="01:30:00", uhrzeitBis=end)
    assert canonical(night)["end"] == "2026-03-29T03:30"


def test_a_missing_end_in_the_autumn_night_is_an_hour_on_the_wall():
    night = a_termin(datum="2026-10-25", datumBis="2026-10-25", uhrzeitVon="02:30:00", uhrzeitBis=None)
    assert canonical(night)["end"] == "2026-10-25T03:30"


def test_a_default_hour_may_end_on_the_next_day():
    assert canonical(a_termin(uhrzeitVon="23:30:00", uhrzeitBis=None))["end"] == "2026-12-04T00:30"


def test_a_series_ends_every_occurrence_on_its_own_day():
    weekly = a_termin(datum="2026-12-01", datumBis="2027-06-30", turnus=1, turnusArt=2)
    read = to_appointment(weekly)
    assert read.end == at(date(2026, 12, 1), "11:00")
    assert read.recurrence == Recurrence(Frequency.WEEKLY, 1, date(2027, 6, 29))


@pytest.mark.parametrize("last", ["2037-01-01", "2037-12-31T00:00:00", "9999-12-31"])
def test_a_series_up_to_2037_is_endless(last):
    assert to_appointment(a_termin(datumBis=last, turnus=1, turnusArt=1)).recurrence == Recurrence(Frequency.DAILY)


@pytest.mark.parametrize(("turnus", "art"), [(0, 2), (1, 0), (None, None), (1, 5), (-1, 2), ("x", "y"), (True, True)])
def test_a_turnus_that_says_nothing_is_a_single_appointment(turnus, art):
    assert to_appointment(a_termin(turnus=turnus, turnusArt=art)).recurrence is None


def test_with_abwesenheit_the_dauertermin_marks_the_series():
    weekly = a_termin(turnus=1, turnusArt=2, datumBis="2026-12-31", abwesenheit=0)
    assert to_appointment(weekly, "abwesenheit").recurrence is None
    read = to_appointment(weekly | {"dauertermin": 1}, "abwesenheit")
    assert (read.all_day, read.recurrence) == (False, Recurrence(Frequency.WEEKLY, 1, date(2026, 12, 31)))


def test_with_abwesenheit_an_absence_is_all_day_and_stored_up_to_its_last_minute():
    row = new_row(on(DAY, 2, text="Urlaub"), "SB", None, "abwesenheit")
    assert (row["abwesenheit"], row["dauertermin"], row["uhrzeitVon"], row["uhrzeitBis"]) == (
        1,
        0,
        "00:00:00",
        "23:59:00",
    )
    assert row["datumBis"] == "2026-12-04T00:00:00"


@pytest.mark.parametrize("value", NOTHING)
def test_a_row_without_a_date_is_unusable(value):
    with pytest.raises(UnusableTerminError):
        to_appointment(a_termin(datum=value))


@pytest.mark.parametrize("value", NOTHING)
def test_an_end_without_a_date_is_the_same_day(value):
    assert canonical(a_termin(datumBis=value)) == canonical(a_termin())


@pytest.mark.parametrize("name", ["uhrzeitVon", "uhrzeitBis"])
@pytest.mark.parametrize("value", ["25:99", "24:00:01", "24:01", "10:60", "1:2:3:4", True, [9], {"h": 9}, 9, "neun"])
def test_an_unreadable_time_makes_a_row_unusable(name, value):
    with pytest.raises(UnusableTerminError):
        to_appointment(a_termin(**{name: value}))


MIDNIGHT = ["24:00:00", "24:00"]
AUTUMN, SPRING = "2026-10-24", "2026-03-28"


@pytest.mark.parametrize("midnight", MIDNIGHT)
@pytest.mark.parametrize(
    ("day", "next_day"), [("2026-12-31", "2027-01-01"), (AUTUMN, "2026-10-25"), (SPRING, "2026-03-29")]
)
def test_an_end_at_24_o_clock_is_the_midnight_that_ends_the_day(midnight, day, next_day):
    row = a_termin(datum=day, datumBis=day, uhrzeitBis=midnight)
    assert canonical(row)["end"] == f"{next_day}T00:00"
    assert canonical(a_termin(datum=day, datumBis=next_day, uhrzeitBis="00:00:00")) == canonical(row)


def test_a_start_at_24_o_clock_is_the_next_day():
    late = canonical(a_termin(uhrzeitVon="24:00:00", datumBis="2026-12-04", uhrzeitBis="02:00:00"))
    assert (late["start"], late["end"]) == ("2026-12-04T00:00", "2026-12-04T02:00")
    alone = canonical(a_termin(uhrzeitVon="24:00:00", uhrzeitBis=None))
    assert (alone["start"], alone["end"]) == ("2026-12-04T00:00", "2026-12-04T01:00")


@pytest.mark.parametrize("midnight", MIDNIGHT)
def test_every_occurrence_of_a_series_may_end_at_24_o_clock(midnight):
    read = to_appointment(
        a_termin(datum="2026-12-01", datumBis="2027-06-30", uhrzeitBis=midnight, turnus=1, turnusArt=2)
    )
    assert read.end == at(date(2026, 12, 2), "00:00")
    assert read.recurrence == Recurrence(Frequency.WEEKLY, 1, date(2027, 6, 29))


def test_a_series_that_begins_at_24_o_clock_falls_on_the_next_days():
    row = a_termin(
        datum="2026-12-01", datumBis="2026-12-15", uhrzeitVon="24:00", uhrzeitBis="01:00", turnus=1, turnusArt=2
    )
    read = to_appointment(row)
    assert (read.start, read.end) == (at(date(2026, 12, 2), "00:00"), at(date(2026, 12, 2), "01:00"))
    assert read.recurrence == Recurrence(Frequency.WEEKLY, 1, date(2026, 12, 16))


def test_an_end_at_24_o_clock_stays_as_it_is_spelled_where_only_a_text_changes():
    row = a_termin(uhrzeitBis="24:00:00")
    assert with_fields(row, an_appointment(text="neu"), {"text"}, "dauertermin") == row | {"text": "neu"}


def test_an_end_at_24_o_clock_is_written_as_the_next_day_and_read_as_the_same():
    row = a_termin(uhrzeitBis="24:00:00")
    read = to_appointment(row)
    written = with_fields(row, read, {"start"}, "dauertermin")
    assert (written["datumBis"][:10], written["uhrzeitBis"]) == ("2026-12-04", "00:00:00")
    assert to_appointment(written) == read


@pytest.mark.parametrize(
    ("start", "end"), [("09:30", "11:00"), ("9:30", "11:00"), ("9:30:00", "11:00:00.0000000"), ("09:30:59", "11:00:01")]
)
def test_seconds_may_be_missing_and_never_count(start, end):
    assert canonical(a_termin(uhrzeitVon=start, uhrzeitBis=end)) == canonical(a_termin())


def test_a_time_may_stand_after_a_date():
    assert canonical(a_termin(uhrzeitVon="1899-12-30T09:30:00")) == canonical(a_termin())


@pytest.mark.parametrize("day", ["1900-01-01", "9000-12-31", "9999-12-31"])
@pytest.mark.parametrize("flag", [0, 1])
def test_the_ends_of_time_can_be_read(day, flag):
    assert canonical(a_termin(datum=day, datumBis=day, dauertermin=flag, uhrzeitBis="00:00:00"))


def test_unknown_fields_and_untouched_ones_survive_a_write():
    row = a_termin(text=" lang  ", farbe=[1, {"a": None}])
    changed = with_fields(row, an_appointment(place="Saal 3"), {"ort"}, "dauertermin")
    assert changed == row | {"ort": "Saal 3"}


def test_writing_leaves_the_row_it_was_given_alone():
    row = a_termin()
    with_fields(row, an_appointment(text="x"), FIELDS, "dauertermin")
    assert row == a_termin()


def test_times_change_together():
    target = an_appointment(start=at(DAY, "08:00"), end=at(DAY, "08:30"))
    changed = with_fields(a_termin(), target, {"start"}, "dauertermin")
    assert (changed["uhrzeitVon"], changed["uhrzeitBis"]) == ("08:00:00", "08:30:00")


def test_a_date_is_written_as_the_row_spells_it():
    later = an_appointment(start=at(date(2026, 12, 4), "09:30"), end=at(date(2026, 12, 4), "11:00"))
    plain = with_fields(a_termin(datum="2026-12-03", datumBis=None), later, {"start"}, "dauertermin")
    assert (plain["datum"], plain["datumBis"]) == ("2026-12-04", "2026-12-04T00:00:00")


@BOTH
def test_an_endless_series_is_written_up_to_2037(all_day_field):
    endless = an_appointment(recurrence=Recurrence(Frequency.YEARLY))
    row = new_row(endless, "SB", None, all_day_field)
    assert row["datumBis"][:4] == "2037"
    assert to_appointment(row, all_day_field) == endless


@BOTH
def test_all_day_and_timed_change_into_each_other(all_day_field):
    timed = new_row(an_appointment(), "SB", None, all_day_field)
    whole = with_fields(timed, on(DAY, 2), FIELDS, all_day_field)
    assert to_appointment(whole, all_day_field) == on(DAY, 2)
    again = with_fields(whole, an_appointment(), FIELDS, all_day_field)
    assert to_appointment(again, all_day_field) == an_appointment()


def test_an_all_day_row_keeps_its_own_clock_times():
    row = a_termin(dauertermin=1, uhrzeitVon="00:00:00", uhrzeitBis="23:59:00")
    changed = with_fields(row, on(DAY, 3), {"end"}, "dauertermin")
    assert (changed["uhrzeitVon"], changed["uhrzeitBis"]) == ("00:00:00", "23:59:00")


@pytest.mark.parametrize("notes", ["", "Akte 123/26", "zwei\nZeilen"])
def test_a_marker_is_the_last_line_and_never_part_of_the_notes(notes):
    row = new_row(an_appointment(notes=notes), "SB", TOKEN, "dauertermin")
    assert row["notiz"].split("\n")[-1] == f"[G:{TOKEN}]"
    assert termin.marker_of(row["notiz"]) == TOKEN
    assert to_appointment(row).notes == notes


def test_a_marker_alone_is_an_empty_note():
    assert new_row(an_appointment(notes=""), "SB", TOKEN, "dauertermin")["notiz"] == f"[G:{TOKEN}]"


@pytest.mark.parametrize("tail", ["", "\r\n", "\n\n", "  ", "\t\r\n"])
def test_a_marker_is_found_after_windows_line_ends_and_before_blanks(tail):
    notiz = f"Akte 123/26\r\nSeite 2\r\n[G:{TOKEN}]{tail}"
    assert termin.marker_of(notiz) == TOKEN
    assert canonical(a_termin(notiz=notiz))["notiz"] == "Akte 123/26\nSeite 2"


@pytest.mark.parametrize("notiz", [f"[G:{TOKEN}] danach", f"vor [G:{TOKEN}]", f" [G:{TOKEN}]", "[G:kurz]"])
def test_what_only_looks_like_a_marker_is_text(notiz):
    assert termin.marker_of(notiz) is None
    assert to_appointment(a_termin(notiz=notiz)).notes == notiz


@pytest.mark.parametrize(
    ("notiz", "notes"),
    [
        (f"[G:{TOKEN}]\nmehr", "mehr"),
        (f"Akte\r\n[G:{TOKEN}]\r\n\r\nangehängt", "Akte\n\nangehängt"),
        (f"[G:{'a' * 22}]\nkopiert\n[G:{TOKEN}] \n", "kopiert"),
    ],
)
def test_what_people_write_below_a_marker_is_text_and_the_marker_stays_one(notiz, notes):
    row = a_termin(notiz=notiz)
    assert termin.marker_of(notiz) == TOKEN
    assert to_appointment(row).notes == notes
    assert with_fields(row, an_appointment(notes="neu"), {"notiz"}, "dauertermin")["notiz"] == f"neu\n[G:{TOKEN}]"


def test_a_marker_stays_when_the_notes_change():
    row = a_termin(notiz=f"alt\n[G:{TOKEN}]")
    assert with_fields(row, an_appointment(notes="neu"), {"notiz"}, "dauertermin")["notiz"] == f"neu\n[G:{TOKEN}]"


def test_a_marker_typed_into_google_does_not_become_one():
    target = an_appointment(notes=f"Text\n[G:{TOKEN}]")
    assert with_fields(a_termin(), target, {"notiz"}, "dauertermin")["notiz"] == "Text"


@pytest.mark.parametrize("anwalt", ["", None, "ALLE", "alle ", "  "])
def test_an_appointment_of_everybody_is_known_by_its_anwalt(anwalt):
    assert termin.is_for_everybody(a_termin(anwalt=anwalt))


def test_an_appointment_of_one_person_is_not_for_everybody():
    assert not termin.is_for_everybody(a_termin())


def test_a_change_stamp_without_zone_is_berlin_time():
    assert termin.changed_at(a_termin()).isoformat() == "2026-11-20T14:03:11+01:00"


@pytest.mark.parametrize("stamp", [None, "", "gestern", 7, []])
def test_a_change_stamp_that_says_nothing_is_none(stamp):
    assert termin.changed_at(a_termin(zuletztGeaendertAm=stamp)) is None


@pytest.mark.parametrize(
    ("answered", "kept"),
    [
        ({"text": "Verhandlung M", "ort": "AG", "notiz": "Akte"}, ("Verhandlung M", "AG", "Akte")),
        ({"notiz": f"Akte 123/26\r\n[G:{TOKEN[:5]}"}, (None, None, f"Akte 123/26\r\n[G:{TOKEN[:5]}")),
        ({"notiz": "Akte 123/26"}, (None, None, None)),
        ({"text": "Handlung", "ort": "", "notiz": None}, (None, None, None)),
        ({"text": "Verhandlung Meier ./. Schulz und Söhne"}, (None, None, None)),
        ({}, (None, None, None)),
    ],
)
def test_of_what_was_written_advoware_holds_a_text_that_it_cut_only_in_part(answered, kept):
    sent = an_appointment()
    expected = tuple(part or whole for part, whole in zip(kept, (sent.text, sent.place, sent.notes), strict=True))
    held = termin.as_kept(sent, TOKEN, answered)
    assert (held.text, held.place, held.notes) == expected
    assert (held.start, held.end, held.recurrence) == (sent.start, sent.end, sent.recurrence)
