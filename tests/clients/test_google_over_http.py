"""Google Calendar's client against the double, over HTTP, with Google's own library between them."""

import time
from datetime import UTC, datetime

import pytest

from sandbox.faults import Fault
from sandbox.google import error_body
from shared.errors import UpstreamAuthenticationError, UpstreamMalformedError, UpstreamUnavailableError
from shared.google.errors import (
    CalendarGoneError,
    EventChangedError,
    EventExistsError,
    EventGoneError,
    EventRefusedError,
    NoTokenError,
    OutOfTimeError,
    QuotaExhaustedError,
    SyncTokenExpiredError,
)

BODY = {
    "id": "adv0q2k8m1pf4711g0",
    "summary": "Verhandlung Größe ./. Maß",
    "start": {"dateTime": "2026-12-03T09:30:00", "timeZone": "Europe/Berlin"},
    "end": {"dateTime": "2026-12-03T11:00:00", "timeZone": "Europe/Berlin"},
    "extendedProperties": {"private": {"adv_fr": "4711"}},
}


@pytest.fixture
def calendar(google_client):
    return google_client()


@pytest.fixture
def shelf(calendar) -> str:
    return calendar.create_calendar("AW-SB")


def numbered(number):
    return {**BODY, "id": f"adv{number:05d}"}


def test_a_hundred_cold_callers_cause_one_token_request(google, google_client, together):
    clients = [google_client() for _ in range(4)]
    together(lambda n: clients[n % 4].find_calendar("AW-SB"), 100)
    assert google.office.issued == 1


def test_a_token_revoked_under_twenty_callers_is_fetched_once_and_no_call_fails(
    google, google_client, together, calendar, shelf
):
    clients = [google_client() for _ in range(4)]
    calendar.insert_event(shelf, BODY)
    google.office.revoke_all()
    found = together(lambda n: clients[n % 4].get_event(shelf, BODY["id"]), 20)
    assert google.office.issued == 2
    assert all(each["id"] == BODY["id"] for each in found)


def test_an_endless_401_ends_after_one_replay_and_then_nobody_asks(google, calendar):
    google.board.add(Fault("status", path="calendarList", status=401, times=None))
    with pytest.raises(UpstreamAuthenticationError):
        calendar.find_calendar("AW-SB")
    with pytest.raises(NoTokenError):
        calendar.find_calendar("AW-SB")
    assert google.board.count("GET", "calendarList") == 2
    assert google.office.issued == 2


def test_an_event_lives_its_life(calendar, shelf):
    made = calendar.insert_event(shelf, BODY)
    assert made["extendedProperties"] == BODY["extendedProperties"]
    with pytest.raises(EventExistsError):
        calendar.insert_event(shelf, BODY)
    moved = calendar.update_event(shelf, made["id"], {**made, "summary": "Neu"}, made["etag"])
    with pytest.raises(EventChangedError):
        calendar.update_event(shelf, made["id"], made, made["etag"])
    with pytest.raises(EventChangedError):
        calendar.delete_event(shelf, made["id"], made["etag"])
    noted = calendar.patch_event(shelf, made["id"], {"location": "Saal 12"}, moved["etag"])
    assert (noted["summary"], noted["location"]) == ("Neu", "Saal 12")
    calendar.delete_event(shelf, made["id"], noted["etag"])
    calendar.delete_event(shelf, made["id"], noted["etag"])
    assert calendar.get_event(shelf, made["id"])["status"] == "cancelled"
    with pytest.raises(EventExistsError):
        calendar.insert_event(shelf, BODY)


def test_what_google_refuses_is_told(google, calendar, shelf):
    with pytest.raises(EventRefusedError):
        calendar.insert_event(shelf, {**BODY, "id": "wxyz-not-allowed"})
    with pytest.raises(EventGoneError):
        calendar.patch_event(shelf, "unknown1", {"summary": "x"}, '"1"')
    assert calendar.get_event(shelf, "unknown1") is None
    with pytest.raises(CalendarGoneError):
        calendar.list_events("nobody@group.calendar.google.com")


def test_a_delta_brings_what_changed_and_tombstones(google, calendar, shelf):
    etags = {n: calendar.insert_event(shelf, numbered(n))["etag"] for n in range(3)}
    full = calendar.list_events(shelf, time_min=datetime(2026, 1, 1, tzinfo=UTC))
    assert len(full.items) == 3
    assert calendar.list_events(shelf, sync_token=full.next_sync_token).items == []
    calendar.delete_event(shelf, "adv00001", etags[1])
    delta = calendar.list_events(shelf, sync_token=full.next_sync_token)
    assert [(each["id"], each["status"]) for each in delta.items] == [("adv00001", "cancelled")]
    google.expire_tokens()
    with pytest.raises(SyncTokenExpiredError):
        calendar.list_events(shelf, sync_token=delta.next_sync_token)


def test_many_short_pages_are_one_list(google, calendar, shelf):
    google.manners.page_cap, google.manners.empty_first_page = 3, True
    for number in range(10):
        google.create_event(shelf, numbered(number))
    counted = []
    found = calendar.until(None, counted.append).list_events(shelf)
    assert len({each["id"] for each in found.items}) == 10
    assert len(counted) >= 4
    assert set(counted) == {"events.list"}
    assert calendar.list_events(shelf, sync_token=found.next_sync_token).items == []


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "cut", "late"])
def test_an_insert_with_an_id_survives_a_broken_line(google, calendar, shelf, kind):
    google.board.add(Fault(kind, method="POST", path="/events$", seconds=0.1))
    try:
        calendar.insert_event(shelf, BODY)
        told = "inserted"
    except EventExistsError:
        told = "exists"
    google.settle()
    assert len(google.events(shelf)) == 1
    assert google.board.count("POST", "/events") == 2
    expected = {"drop_before": "inserted", "drop_after": "exists", "cut": "exists"}
    assert told == expected.get(kind, told)  # late: whichever comes first


def test_every_request_that_arrives_was_told_and_paid(google, calendar, shelf):
    counted = []
    google.board.forget_calls()
    google.board.add(Fault("drop_before", path="/events", times=2))
    calendar.until(None, counted.append).insert_event(shelf, BODY)
    assert len(counted) == google.board.count("POST", "/events") == 3


@pytest.mark.parametrize(
    "fault",
    [
        Fault("html"),
        Fault("cut", times=None),
        Fault("status", json={"error": "x"}, status=200),
        Fault("status", text="", status=200),
        Fault("status", status=503, times=None),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
def test_a_spoilt_list_is_a_failure_and_never_an_empty_list(google, calendar, shelf, fault):
    calendar.insert_event(shelf, BODY)
    fault.method = "GET"
    google.board.add(fault)
    with pytest.raises((UpstreamMalformedError, UpstreamUnavailableError)):
        calendar.list_events(shelf)


def test_a_rate_limit_empties_the_bucket_and_passes(google, calendar, shelf, state):
    limit = error_body(403, "userRateLimitExceeded")
    google.board.add(Fault("status", method="POST", path="/events$", status=403, json=limit, times=2))
    assert calendar.insert_event(shelf, BODY)["id"] == BODY["id"]
    assert google.board.count("POST", "/events") == 3


def test_a_used_up_quota_is_told_at_once(google, calendar, shelf):
    google.board.add(Fault("status", path="/events", status=403, json=error_body(403, "quotaExceeded"), times=None))
    with pytest.raises(QuotaExhaustedError):
        calendar.insert_event(shelf, BODY)
    assert google.board.count("POST", "/events") == 1


def test_the_rate_is_kept_over_all_clients(google, google_client, together):
    clients = [google_client(rate=1207) for _ in range(3)]
    clients[0].find_calendar("none")
    started = time.monotonic()
    together(lambda n: [clients[n % 3].find_calendar("none") for _ in range(3)], 9)
    assert time.monotonic() - started >= (27 + 1 - 7 - 1) / 20


def test_a_full_bucket_stops_a_run_at_its_deadline(google_client):
    calendar = google_client(rate=8).until(time.monotonic() + 0.5)
    for _ in range(7):
        calendar.find_calendar("none")
    with pytest.raises(OutOfTimeError):
        calendar.find_calendar("none")


def test_a_calendar_is_found_beyond_the_first_page_and_shared_silently(google, calendar):
    for number in range(260):
        google.add_calendar(f"Anderer {number}", "bitbylaw@sandbox.iam.gserviceaccount.com")
    assert calendar.find_calendar("AW-SB") is None
    made = calendar.create_calendar("AW-SB")
    calendar.share(made, "s.berger@kanzlei.example")
    assert calendar.find_calendar("AW-SB") == made
    assert google.mails == []
    assert google.store.calendars[made].acl["user:s.berger@kanzlei.example"]["role"] == "writer"
    assert google.store.calendars[made].zone == "Europe/Berlin"


def test_a_calendar_whose_creation_was_not_answered_is_not_created_twice(google, calendar):
    calendar.find_calendar("warm up the connection")
    google.board.add(Fault("drop_after", method="POST", path="/calendars$"))
    made = calendar.create_calendar("AW-SB")
    assert [each["id"] for each in google.calendars() if each["summary"] == "AW-SB"] == [made]
    assert google.board.count("POST", "/calendars") == 1


def test_threads_share_one_client(google, calendar, shelf, together):
    together(lambda n: calendar.insert_event(shelf, numbered(n)), 16)
    assert len(google.events(shelf)) == 16
