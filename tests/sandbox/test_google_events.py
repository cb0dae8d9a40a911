"""Single events behave as the guides of the Calendar API say."""

import pytest
from googleapiclient.errors import HttpError

BERLIN = "Europe/Berlin"


def timed(**more):
    start = {"dateTime": "2026-12-03T09:30:00", "timeZone": BERLIN}
    return {"summary": "Verhandlung", "start": start, "end": {**start, "dateTime": "2026-12-03T11:00:00"}, **more}


def reason_of(call):
    with pytest.raises(HttpError) as caught:
        call.execute()
    return caught.value.resp.status, caught.value.error_details[0]["reason"]


@pytest.fixture
def events(client):
    return client.events()


@pytest.fixture
def insert(events, calendar_id):
    return lambda **more: events.insert(calendarId=calendar_id, body=timed(**more)).execute()


def test_an_inserted_event_is_answered_whole_and_can_be_read(events, calendar_id, insert):
    made = insert(id="adv0q2k8m1pf4711g0")
    assert made["start"] == {"dateTime": "2026-12-03T09:30:00+01:00", "timeZone": BERLIN}
    assert (made["status"], made["eventType"], made["iCalUID"]) == ("confirmed", "default", f"{made['id']}@google.com")
    assert made["organizer"]["email"] == calendar_id
    assert events.get(calendarId=calendar_id, eventId=made["id"]).execute() == made


def test_an_id_may_be_left_to_google(insert):
    assert len(insert()["id"]) == 26


@pytest.mark.parametrize("event_id", ["adv", "advoware1", "ADVXX1", "adv_x1", "adv-1-2"])
def test_an_id_outside_the_alphabet_is_refused(events, calendar_id, event_id):
    assert reason_of(events.insert(calendarId=calendar_id, body=timed(id=event_id))) == (400, "invalid")


def test_a_used_id_is_a_duplicate_even_after_deletion(events, calendar_id, insert):
    insert(id="adv123")
    again = events.insert(calendarId=calendar_id, body=timed(id="adv123"))
    assert reason_of(again) == (409, "duplicate")
    events.delete(calendarId=calendar_id, eventId="adv123").execute()
    assert reason_of(again) == (409, "duplicate")


def test_a_deleted_event_can_be_read_and_not_deleted_again(events, calendar_id, insert):
    event = insert()
    delete = events.delete(calendarId=calendar_id, eventId=event["id"])
    delete.execute()
    tombstone = events.get(calendarId=calendar_id, eventId=event["id"]).execute()
    assert (tombstone["status"], tombstone["summary"]) == ("cancelled", "Verhandlung")
    assert tombstone["etag"] != event["etag"]
    assert reason_of(delete) == (410, "deleted")


@pytest.mark.parametrize(("mode", "left"), [("id_only", {"kind", "etag", "id", "status"}), ("purged", None)])
def test_a_tombstone_may_have_lost_everything(google, events, calendar_id, mode, left):
    event = google.create_event(calendar_id, timed(extendedProperties={"private": {"adv_fr": "1"}}))
    google.delete_event(calendar_id, event["id"])
    google.manners.tombstones = mode
    get = events.get(calendarId=calendar_id, eventId=event["id"])
    if left:
        assert get.execute().keys() == left
    else:
        assert reason_of(get) == (404, "notFound")
    assert reason_of(events.insert(calendarId=calendar_id, body=timed(id=event["id"]))) == (409, "duplicate")


def test_every_write_gives_a_new_etag(events, calendar_id, insert):
    first = insert()
    second = events.patch(calendarId=calendar_id, eventId=first["id"], body={}).execute()
    third = events.update(calendarId=calendar_id, eventId=first["id"], body=second).execute()
    assert len({first["etag"], second["etag"], third["etag"]}) == 3


@pytest.mark.parametrize("verb", ["update", "patch", "delete"])
def test_a_conditional_write_needs_the_current_etag(google, events, calendar_id, insert, verb):
    event = insert()
    google.edit_event(calendar_id, event["id"], summary="Geändert")
    body = {} if verb == "delete" else {"body": event}
    call = getattr(events, verb)(calendarId=calendar_id, eventId=event["id"], **body)
    call.headers["If-Match"] = event["etag"]
    assert reason_of(call) == (412, "conditionNotMet")
    call.headers["If-Match"] = google.event(calendar_id, event["id"])["etag"]
    call.execute()


def test_an_unchanged_event_is_not_sent_again(events, calendar_id, insert):
    event = insert()
    call = events.get(calendarId=calendar_id, eventId=event["id"])
    call.headers["If-None-Match"] = event["etag"]
    with pytest.raises(HttpError) as caught:
        call.execute()
    assert caught.value.resp.status == 304


def test_an_update_erases_what_it_does_not_send(events, calendar_id, insert):
    event = insert(description="Akte 123/26", colorId="5")
    changed = events.update(calendarId=calendar_id, eventId=event["id"], body=timed(summary="Neu")).execute()
    assert changed["summary"] == "Neu"
    assert not {"description", "colorId"} & changed.keys()
    assert (changed["created"], changed["iCalUID"]) == (event["created"], event["iCalUID"])


def test_an_update_of_the_whole_event_changes_nothing_but_its_version(events, calendar_id, insert):
    event = insert(recurrence=["RRULE:FREQ=WEEKLY"], extendedProperties={"private": {"adv_v": "1"}})
    again = events.update(calendarId=calendar_id, eventId=event["id"], body=event).execute()
    assert {**again, "etag": 0, "updated": 0} == {**event, "etag": 0, "updated": 0}


def test_an_update_needs_start_and_end(events, calendar_id, insert):
    event = insert()
    assert reason_of(events.update(calendarId=calendar_id, eventId=event["id"], body={"summary": "x"}))[0] == 400


def test_a_patch_merges_maps_replaces_arrays_and_deletes_nulls(events, calendar_id, insert):
    private = {"private": {"adv_v": "1", "adv_tx": "t"}}
    event = insert(description="weg", extendedProperties=private, attendees=[{"email": "a@b.de"}, {"email": "c@d.de"}])
    patch = {
        "description": None,
        "attendees": [{"email": "c@d.de"}],
        "extendedProperties": {"private": {"adv_tx": None, "adv_fr": "7"}},
    }
    changed = events.patch(calendarId=calendar_id, eventId=event["id"], body=patch).execute()
    assert "description" not in changed
    assert changed["attendees"] == [{"email": "c@d.de"}]
    assert changed["extendedProperties"] == {"private": {"adv_v": "1", "adv_fr": "7"}}
    assert changed["summary"] == event["summary"]


def test_a_patch_from_timed_to_all_day_must_null_the_other_key(events, calendar_id, insert):
    event = insert()
    days = {"start": {"date": "2026-12-03"}, "end": {"date": "2026-12-04"}}
    assert reason_of(events.patch(calendarId=calendar_id, eventId=event["id"], body=days)) == (400, "invalid")
    nulled = {key: {**value, "dateTime": None, "timeZone": None} for key, value in days.items()}
    changed = events.patch(calendarId=calendar_id, eventId=event["id"], body=nulled).execute()
    assert (changed["start"], changed["end"]) == (days["start"], days["end"])


def test_a_cancelled_event_can_be_restored(events, calendar_id, insert):
    event = insert()
    events.delete(calendarId=calendar_id, eventId=event["id"]).execute()
    body = {**event, "status": "confirmed"}
    del body["sequence"]
    assert events.update(calendarId=calendar_id, eventId=event["id"], body=body).execute()["status"] == "confirmed"


def test_restoring_may_be_forbidden(google, events, calendar_id, insert):
    event = insert()
    google.restore_allowed = False
    google.delete_event(calendar_id, event["id"])
    patch = events.patch(calendarId=calendar_id, eventId=event["id"], body={"status": "confirmed"})
    assert reason_of(patch) == (403, "forbidden")


def test_a_patch_may_cancel_unless_google_refuses(google, events, calendar_id, insert):
    event, other = insert(), insert()
    patch = {"status": "cancelled", "extendedProperties": {"private": {"adv_del": "a"}}}
    cancelled = events.patch(calendarId=calendar_id, eventId=event["id"], body=patch).execute()
    assert (cancelled["status"], cancelled["extendedProperties"]) == ("cancelled", patch["extendedProperties"])
    google.cancel_allowed = False
    assert reason_of(events.patch(calendarId=calendar_id, eventId=other["id"], body=patch)) == (400, "invalid")


def test_an_old_sequence_number_is_refused(events, calendar_id, insert):
    event = insert()
    later = {"start": {"dateTime": "2026-12-03T09:45:00"}}
    moved = events.patch(calendarId=calendar_id, eventId=event["id"], body=later).execute()
    assert moved["sequence"] == event["sequence"] + 1
    assert reason_of(events.update(calendarId=calendar_id, eventId=event["id"], body=event)) == (400, "invalid")


def test_long_property_keys_vanish_and_long_values_are_cut(insert):
    made = insert(extendedProperties={"private": {"k" * 44: "v" * 1025, "k" * 45: "v"}, "shared": {"x" * 45: ""}})
    assert made["extendedProperties"] == {"private": {"k" * 44: "v" * 1024}}


def test_too_many_properties_are_refused(events, calendar_id):
    many = {"private": {f"k{n}": "v" for n in range(301)}}
    assert reason_of(events.insert(calendarId=calendar_id, body=timed(extendedProperties=many))) == (400, "invalid")


def test_an_unknown_event_or_calendar_is_not_found(events, calendar_id):
    assert reason_of(events.get(calendarId=calendar_id, eventId="adv999")) == (404, "notFound")
    assert reason_of(events.get(calendarId="nobody@example.org", eventId="adv999")) == (404, "notFound")
