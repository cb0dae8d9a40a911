"""Calendars, their list and their sharing belong to identities."""

import pytest
from googleapiclient.errors import HttpError

OWNER, EMPLOYEE = "kanzlei@kanzlei.example", "s.berger@kanzlei.example"
EVENT = {"start": {"date": "2026-12-07"}, "end": {"date": "2026-12-08"}}


def share(client, calendar_id, role="writer", value=EMPLOYEE, **params):
    rule = {"role": role, "scope": {"type": "user", "value": value}}
    return client.acl().insert(calendarId=calendar_id, body=rule, **params).execute()


def reason_of(call):
    with pytest.raises(HttpError) as caught:
        call.execute()
    return caught.value.resp.status, caught.value.error_details[0]["reason"]


def summaries(client):
    return [item["summary"] for item in client.calendarList().list().execute()["items"]]


def test_a_new_calendar_appears_in_the_list_of_its_owner_only(client, connect):
    made = client.calendars().insert(body={"summary": "AW-SB", "timeZone": "Europe/Berlin"}).execute()
    assert client.calendars().get(calendarId=made["id"]).execute() == made
    assert summaries(client) == [OWNER, "AW-SB"]
    assert summaries(connect(EMPLOYEE)) == [EMPLOYEE]
    entry = client.calendarList().get(calendarId=made["id"]).execute()
    assert (entry["accessRole"], entry["timeZone"]) == ("owner", "Europe/Berlin")


def test_without_a_subject_the_service_account_owns_what_it_creates(google, connect):
    connect(None).calendars().insert(body={"summary": "AW-SB"}).execute()
    assert [each["summary"] for each in google.calendars(google.account["client_email"])][1:] == ["AW-SB"]


def test_primary_means_the_own_calendar(google, client):
    client.events().insert(calendarId="primary", body=EVENT).execute()
    assert len(google.events(OWNER)) == 1


def test_the_calendar_list_has_pages_of_100_and_at_most_250(google, client):
    for number in range(300):
        google.add_calendar(f"AW-{number}", OWNER)
    lists, sizes, request = client.calendarList(), [], client.calendarList().list()
    while request is not None:
        answer = request.execute()
        sizes.append(len(answer["items"]))
        request = lists.list_next(request, answer)
    assert sizes == [100, 100, 100, 1]
    assert len(lists.list(maxResults=250).execute()["items"]) == 250


def test_a_deleted_calendar_is_gone(client, calendar_id):
    client.calendars().delete(calendarId=calendar_id).execute()
    assert reason_of(client.calendars().get(calendarId=calendar_id)) == (404, "notFound")
    assert summaries(client) == [OWNER]
    assert reason_of(client.calendars().delete(calendarId="primary"))[0] == 400


def test_a_shared_calendar_is_open_to_its_writer(client, connect, calendar_id):
    other = connect(EMPLOYEE)
    assert reason_of(other.events().list(calendarId=calendar_id)) == (404, "notFound")
    share(client, calendar_id)
    other.events().insert(calendarId=calendar_id, body=EVENT).execute()
    assert other.calendarList().insert(body={"id": calendar_id}).execute()["accessRole"] == "writer"
    assert summaries(other) == [EMPLOYEE, "AW-SB"]
    assert reason_of(other.acl().list(calendarId=calendar_id)) == (403, "requiredAccessLevel")


def test_a_reader_may_not_write(client, connect, calendar_id):
    share(client, calendar_id, "reader")
    writing = connect(EMPLOYEE).events().insert(calendarId=calendar_id, body=EVENT)
    assert reason_of(writing) == (403, "requiredAccessLevel")


def test_the_same_scope_again_replaces_the_rule(client, calendar_id):
    share(client, calendar_id, "reader")
    rule = share(client, calendar_id, "writer")
    rules = client.acl().list(calendarId=calendar_id).execute()["items"]
    assert [(each["id"], each["role"]) for each in rules] == [(f"user:{OWNER}", "owner"), (rule["id"], "writer")]


def test_sharing_ends_with_its_rule(client, connect, calendar_id):
    rule = share(client, calendar_id)
    client.acl().delete(calendarId=calendar_id, ruleId=rule["id"]).execute()
    assert reason_of(connect(EMPLOYEE).events().list(calendarId=calendar_id)) == (404, "notFound")
    assert reason_of(client.acl().delete(calendarId=calendar_id, ruleId=rule["id"])) == (404, "notFound")


def test_sharing_sends_a_mail_unless_told_not_to(google, client, calendar_id):
    share(client, calendar_id, sendNotifications=False)
    assert google.mails == []
    share(client, calendar_id)
    assert google.mails == [EMPLOYEE]


@pytest.mark.parametrize(
    "rule",
    [
        {"role": "king", "scope": {"type": "user", "value": EMPLOYEE}},
        {"role": "writer", "scope": {"type": "user"}},
        {"role": "writer", "scope": {"value": EMPLOYEE}},
        {"scope": {"type": "user", "value": EMPLOYEE}},
    ],
)
def test_a_rule_needs_a_known_role_and_a_scope(client, calendar_id, rule):
    assert reason_of(client.acl().insert(calendarId=calendar_id, body=rule))[0] == 400
