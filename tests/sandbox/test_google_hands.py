"""A person's hands change calendars without the API."""

import pytest

EVENT = {
    "summary": "Verhandlung",
    "start": {"dateTime": "2026-12-03T09:30:00", "timeZone": "Europe/Berlin"},
    "end": {"dateTime": "2026-12-03T11:00:00", "timeZone": "Europe/Berlin"},
    "extendedProperties": {"private": {"adv_id": "adv1"}},
}


@pytest.fixture
def event_id(google, calendar_id):
    return google.create_event(calendar_id, EVENT)["id"]


def test_an_edit_replaces_start_and_end_whole(google, calendar_id, event_id):
    changed = google.edit_event(calendar_id, event_id, start={"date": "2026-12-03"}, end={"date": "2026-12-04"})
    assert changed["start"] == {"date": "2026-12-03"}
    assert changed["sequence"] == 1


def test_a_copy_takes_the_private_properties_along(google, calendar_id, event_id):
    copied = google.copy_event(calendar_id, event_id, summary="Kopie")
    assert copied["id"] != event_id
    assert (copied["extendedProperties"], copied["summary"]) == (EVENT["extendedProperties"], "Kopie")


def test_a_deleted_event_lies_in_the_bin_and_comes_back(google, calendar_id, event_id):
    google.delete_event(calendar_id, event_id)
    assert google.events(calendar_id) == []
    assert [event["id"] for event in google.events(calendar_id, deleted=True)] == [event_id]
    google.restore_allowed = False
    google.restore_event(calendar_id, event_id)
    assert [event["id"] for event in google.events(calendar_id)] == [event_id]


def test_a_moved_event_keeps_its_id_and_leaves_a_tombstone(google, calendar_id, event_id):
    target = google.add_calendar("AW-MK", "kanzlei@kanzlei.example")
    google.move_event(calendar_id, event_id, target)
    assert google.event(calendar_id, event_id)["status"] == "cancelled"
    assert [event["id"] for event in google.events(target)] == [event_id]


def test_what_a_test_gets_is_a_copy(google, calendar_id, event_id):
    google.event(calendar_id, event_id)["summary"] = "verändert"
    assert google.event(calendar_id, event_id)["summary"] == "Verhandlung"


def test_hands_need_no_quota_and_leave_no_call(google, calendar_id, event_id):
    assert google.board.calls == []
    assert google.quota.granted == {}
