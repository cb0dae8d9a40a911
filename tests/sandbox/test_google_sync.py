"""Lists show what they should, page by page, and sync tokens tell what changed since."""

from datetime import UTC, datetime

import pytest
from googleapiclient.errors import HttpError


def at(day, hour=9):
    return {"dateTime": f"2026-12-{day:02}T{hour:02}:00:00", "timeZone": "Europe/Berlin"}


@pytest.fixture
def add(google, calendar_id):
    def call(event_id, day=3, **more):
        return google.create_event(calendar_id, {"id": event_id, "start": at(day), "end": at(day, 10), **more})

    return call


@pytest.fixture
def page(client, calendar_id):
    return lambda **params: client.events().list(calendarId=calendar_id, **params).execute()


@pytest.fixture
def ids(page):
    return lambda **params: [item["id"] for item in page(**params)["items"]]


def reason_of(call, **params):
    with pytest.raises(HttpError) as caught:
        call(**params)
    return caught.value.resp.status, caught.value.error_details[0]["reason"]


def test_a_full_list_shows_deleted_events_only_on_request(google, calendar_id, add, ids):
    add("event1")
    add("event2")
    google.delete_event(calendar_id, "event1")
    assert ids() == ["event2"]
    assert ids(showDeleted=True) == ["event2", "event1"]


def test_a_delta_tells_every_change_since_its_token_own_writes_included(google, client, calendar_id, add, page):
    for name in ("event1", "event2", "event3"):
        add(name)
    token = page()["nextSyncToken"]
    google.edit_event(calendar_id, "event3", summary="Neu")
    client.events().patch(calendarId=calendar_id, eventId="event1", body={"summary": "Eigenes"}).execute()
    google.delete_event(calendar_id, "event2")
    delta = page(syncToken=token)
    assert [(item["id"], item["status"]) for item in delta["items"]] == [
        ("event3", "confirmed"),
        ("event1", "confirmed"),
        ("event2", "cancelled"),
    ]
    nothing = page(syncToken=delta["nextSyncToken"])
    assert nothing["items"] == page(syncToken=nothing["nextSyncToken"])["items"] == []


def test_pages_cover_everything_and_only_the_last_has_the_token(add, page):
    for number in range(5):
        add(f"event{number}")
    first = page(maxResults=2)
    second = page(maxResults=2, pageToken=first["nextPageToken"])
    third = page(maxResults=2, pageToken=second["nextPageToken"])
    assert [len(each["items"]) for each in (first, second, third)] == [2, 2, 1]
    assert ["nextSyncToken" in each for each in (first, second, third)] == [False, False, True]
    assert "nextPageToken" not in third


def test_a_change_between_two_pages_is_in_the_next_delta(google, calendar_id, add, page):
    for number in range(3):
        add(f"event{number}")
    first = page(maxResults=2)
    google.edit_event(calendar_id, "event0", summary="Neu")
    last = page(maxResults=2, pageToken=first["nextPageToken"])
    assert [item["id"] for item in page(maxResults=2, syncToken=last["nextSyncToken"])["items"]] == ["event0"]


def test_a_delta_has_pages_too(add, page):
    token = page(maxResults=2)["nextSyncToken"]
    for number in range(3):
        add(f"event{number}")
    first = page(maxResults=2, syncToken=token)
    second = page(maxResults=2, syncToken=token, pageToken=first["nextPageToken"])
    assert [item["id"] for item in first["items"] + second["items"]] == ["event0", "event1", "event2"]


def test_a_page_token_belongs_to_its_request(add, page):
    for number in range(3):
        add(f"event{number}")
    token = page(maxResults=2)["nextPageToken"]
    assert reason_of(page, maxResults=1, pageToken=token) == (400, "invalid")
    assert reason_of(page, maxResults=2, pageToken="nonsense") == (400, "invalid")


def test_pages_hold_250_events_unless_asked_and_never_more_than_2500(google, calendar_id, add, page):
    for number in range(2501):
        add(f"event{number}")
    assert [len(page(**params)["items"]) for params in ({}, {"maxResults": 2500}, {"maxResults": 9999})] == [
        250,
        2500,
        2500,
    ]


def test_pages_may_be_short_or_empty(google, add, page):
    google.manners.page_cap, google.manners.empty_first_page = 1, True
    add("event1")
    add("event2")
    first = page()
    assert first["items"] == []
    second = page(pageToken=first["nextPageToken"])
    assert [item["id"] for item in second["items"]] == ["event1"]
    assert "nextPageToken" in second


@pytest.mark.parametrize(
    "params",
    [
        {"timeMin": "2026-01-01T00:00:00Z"},
        {"timeMax": "2027-01-01T00:00:00Z"},
        {"updatedMin": "2026-01-01T00:00:00Z"},
        {"q": "x"},
        {"iCalUID": "x"},
        {"orderBy": "updated"},
        {"privateExtendedProperty": "a=b"},
        {"sharedExtendedProperty": "a=b"},
        {"showDeleted": False},
        {"eventTypes": "default"},
        {"maxResults": 10},
    ],
)
def test_a_sync_token_goes_only_with_its_own_parameters(page, params):
    token = page()["nextSyncToken"]
    assert reason_of(page, syncToken=token, **params) == (400, "invalid")


def test_a_token_may_come_from_a_list_with_time_min(google, calendar_id, add, page):
    same = {"showDeleted": True, "eventTypes": "default", "maxResults": 2500}
    token = page(timeMin="2026-12-01T00:00:00Z", **same)["nextSyncToken"]
    add("event1", 5)
    assert [item["id"] for item in page(syncToken=token, **same)["items"]] == ["event1"]


def test_an_expired_token_asks_for_a_full_list(google, calendar_id, page):
    token = page()["nextSyncToken"]
    google.expire_tokens(calendar_id)
    assert reason_of(page, syncToken=token) == (410, "fullSyncRequired")
    assert reason_of(page, syncToken="nonsense") == (400, "invalid")


def test_sharing_a_calendar_kills_its_tokens(client, calendar_id, page):
    token = page()["nextSyncToken"]
    rule = {"role": "writer", "scope": {"type": "user", "value": "s.berger@kanzlei.example"}}
    client.acl().insert(calendarId=calendar_id, body=rule).execute()
    assert reason_of(page, syncToken=token) == (410, "fullSyncRequired")


def test_time_min_looks_at_the_end_and_time_max_at_the_start(add, ids):
    add("event3", 3)
    add("event4", 4)
    assert ids(timeMin="2026-12-03T09:30:00+01:00", timeMax="2026-12-04T09:00:00+01:00") == ["event3"]
    assert ids(timeMin="2026-12-03T10:00:00+01:00", timeMax="2026-12-04T09:00:01+01:00") == ["event4"]


def test_a_series_is_one_entry_as_long_as_it_goes_on(add, ids):
    add("series", recurrence=["RRULE:FREQ=WEEKLY"])
    add("ended", recurrence=["RRULE:FREQ=WEEKLY;UNTIL=20270101T080000Z"])
    add("counted", recurrence=["RRULE:FREQ=DAILY;COUNT=3"])
    assert ids(timeMin="2026-12-05T08:30:00Z") == ["series", "ended", "counted"]
    assert ids(timeMin="2027-06-01T00:00:00Z") == ["series"]


def test_exceptions_stand_beside_their_series(google, calendar_id, add, page):
    add("series", recurrence=["RRULE:FREQ=WEEKLY"])
    google.plant_exception(calendar_id, "series", datetime(2026, 12, 10, 8, tzinfo=UTC), summary="Anders")
    google.plant_exception(calendar_id, "series", datetime(2026, 12, 17, 8, tzinfo=UTC), status="cancelled")
    _, changed, cancelled = page()["items"]
    assert (changed["id"], changed["summary"]) == ("series_20261210T080000Z", "Anders")
    assert changed["originalStartTime"]["dateTime"] == "2026-12-10T09:00:00+01:00"
    assert cancelled.keys() == {"kind", "etag", "id", "status", "recurringEventId", "originalStartTime"}


def test_a_deleted_series_takes_its_exceptions_along(google, calendar_id, add, ids):
    add("series", recurrence=["RRULE:FREQ=WEEKLY"])
    google.plant_exception(calendar_id, "series", datetime(2026, 12, 10, 8, tzinfo=UTC), summary="Anders")
    google.delete_event(calendar_id, "series")
    assert "series" not in ids()
    assert "series" in ids(showDeleted=True)


def test_series_are_never_expanded_here(add, page):
    add("series", recurrence=["RRULE:FREQ=WEEKLY"])
    assert reason_of(page, singleEvents=True) == (501, "notImplemented")


def test_filters_narrow_a_list_and_give_no_token(google, calendar_id, add, page, ids):
    add("event1", summary="Urlaub in Rom", extendedProperties={"private": {"adv_fr": "1"}})
    add("event2", eventType="outOfOffice")
    assert ids(q="rom urlaub") == ids(privateExtendedProperty="adv_fr=1") == ids(eventTypes="default") == ["event1"]
    assert ids(iCalUID="event2@google.com") == ["event2"]
    assert ids(updatedMin="2099-01-01T00:00:00Z") == []
    assert "nextSyncToken" not in page(q="rom")
    assert ids(orderBy="updated") == ["event1", "event2"]
    assert reason_of(page, orderBy="startTime") == (400, "invalid")


def test_times_can_be_asked_for_in_another_zone(add, page):
    add("event1")
    assert page(timeZone="UTC")["items"][0]["start"]["dateTime"] == "2026-12-03T08:00:00Z"


@pytest.mark.parametrize("mode", ["id_only", "purged"])
def test_tombstones_may_have_lost_their_content(google, calendar_id, add, page, mode):
    token = page()["nextSyncToken"]
    add("event1")
    google.delete_event(calendar_id, "event1")
    google.manners.tombstones = mode
    full = [item["id"] for item in page(showDeleted=True)["items"]]
    assert full == (["event1"] if mode == "id_only" else [])
    assert page(syncToken=token)["items"][0].keys() == {"kind", "etag", "id", "status"}


def test_an_emptied_bin_shows_no_tombstones(google, calendar_id, add, ids):
    add("event1")
    google.delete_event(calendar_id, "event1")
    google.purge_tombstones()
    assert ids(showDeleted=True) == []
    assert google.events(calendar_id, deleted=True) == []


def test_a_list_may_lag_behind_and_its_token_with_it(google, clock, calendar_id, add, page):
    add("event1", summary="alt")
    clock.ahead += 100
    google.manners.list_lag_s = 10
    google.edit_event(calendar_id, "event1", summary="neu")
    add("event2")
    stale = page()
    assert [item["summary"] for item in stale["items"]] == ["alt"]
    clock.ahead += 11
    assert [item["id"] for item in page(syncToken=stale["nextSyncToken"])["items"]] == ["event1", "event2"]
