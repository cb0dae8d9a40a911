"""Times of events are checked and spelled as Google does."""

import pytest
from googleapiclient.errors import HttpError

BERLIN = "Europe/Berlin"


@pytest.fixture
def insert(client, calendar_id):
    def call(start, end, **more):
        return client.events().insert(calendarId=calendar_id, body={"start": start, "end": end, **more}).execute()

    return call


def at(text, zone=BERLIN):
    return {"dateTime": text, "timeZone": zone} if zone else {"dateTime": text}


@pytest.mark.parametrize(
    ("given", "spelt"),
    [
        (at("2026-07-01T09:30:00"), "2026-07-01T09:30:00+02:00"),
        (at("2026-07-01T09:30:00Z"), "2026-07-01T11:30:00+02:00"),
        (at("2026-07-01T09:30:00-04:00", None), "2026-07-01T15:30:00+02:00"),
        (at("2026-07-01T09:30:00", "UTC"), "2026-07-01T09:30:00Z"),
        (at("2026-07-01T09:30:00.750Z"), "2026-07-01T11:30:00+02:00"),
        (at("2026-03-29T02:30:00"), "2026-03-29T03:30:00+02:00"),
        (at("2026-10-25T02:30:00"), "2026-10-25T02:30:00+02:00"),
    ],
)
def test_a_time_is_answered_with_the_offset_of_its_zone(insert, given, spelt):
    assert insert(given, at("2027-01-01T00:00:00"))["start"]["dateTime"] == spelt


def test_a_time_without_zone_gets_that_of_the_calendar(insert):
    assert insert(at("2026-07-01T09:30:00Z", None), at("2026-07-01T10:30:00Z"))["start"]["timeZone"] == BERLIN


DAY, NEXT = {"date": "2026-12-07"}, {"date": "2026-12-08"}
NINE, TEN = at("2026-12-07T09:00:00"), at("2026-12-07T10:00:00")


def test_an_all_day_event_ends_on_the_day_after(insert):
    made = insert(DAY, NEXT)
    assert (made["start"], made["end"]) == (DAY, NEXT)


@pytest.mark.parametrize(
    ("start", "end", "more", "reason"),
    [
        (TEN, NINE, {}, "timeRangeEmpty"),
        (NINE, NINE, {}, "timeRangeEmpty"),
        (DAY, DAY, {}, "timeRangeEmpty"),
        (DAY, TEN, {}, "invalid"),
        ({**DAY, **NINE}, TEN, {}, "invalid"),
        ({}, TEN, {}, "invalid"),
        (at("2026-12-07T09:00:00", None), TEN, {}, "required"),
        (at("2026-12-07T09:00:00", "Europe/Hannover"), TEN, {}, "invalid"),
        ({"date": "2026-02-30"}, NEXT, {}, "invalid"),
        (at("7.12.2026 9:00"), TEN, {}, "invalid"),
        (at("2026-12-07T09:00:00Z", None), TEN, {"recurrence": ["RRULE:FREQ=DAILY"]}, "required"),
        (NINE, TEN, {"recurrence": ["RRULE:FREQ=HOURLY"]}, "invalid"),
        (NINE, TEN, {"recurrence": ["RRULE:FREQ=DAILY;UNTIL=20270101"]}, "invalid"),
        (DAY, NEXT, {"recurrence": ["RRULE:FREQ=DAILY;UNTIL=20270101T080000Z"]}, "invalid"),
        (NINE, TEN, {"recurrence": ["RRULE:FREQ=DAILY;COUNT=2;UNTIL=20270101T080000Z"]}, "invalid"),
        (NINE, TEN, {"recurrence": ["RRULE:INTERVAL=2"]}, "invalid"),
        (NINE, TEN, {"recurrence": ["RRULE:FREQ=DAILY;INTERVAL=0"]}, "invalid"),
        (NINE, TEN, {"recurrence": ["DTSTART:20261207T080000Z", "RRULE:FREQ=DAILY"]}, "invalid"),
        (NINE, TEN, {"recurrence": ["EXDATE:" + "20261207T080000Z," * 2000]}, "invalid"),
        (NINE, TEN, {"status": "done"}, "invalid"),
        (NINE, TEN, {"status": "cancelled"}, "invalid"),
    ],
)
def test_times_and_rules_that_make_no_sense_are_refused(insert, start, end, more, reason):
    with pytest.raises(HttpError) as caught:
        insert(start, end, **more)
    assert (caught.value.resp.status, caught.value.error_details[0]["reason"]) == (400, reason)


@pytest.mark.parametrize(
    ("start", "end", "rule"),
    [
        (NINE, TEN, "RRULE:FREQ=WEEKLY;INTERVAL=1;UNTIL=20270629T060000Z"),
        (NINE, TEN, "RRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=10"),
        (NINE, TEN, "RRULE:FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=2,-1;WKST=MO"),
        (DAY, NEXT, "RRULE:FREQ=DAILY;UNTIL=20270101"),
    ],
)
def test_rules_that_make_sense_are_kept(insert, start, end, rule):
    lines = [rule, "EXDATE;TZID=Europe/Berlin:20261214T090000"]
    assert insert(start, end, recurrence=lines)["recurrence"] == lines
