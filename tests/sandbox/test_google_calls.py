"""Calls are checked against the discovery document, counted against the quota and hit by faults."""

import gzip
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from googleapiclient.errors import HttpError

from sandbox.faults import Fault
from sandbox.google import error_body
from sandbox.google.discovery import check_answer, find_method
from sandbox.google.quota import most_in_window

EVENT = {"start": {"date": "2026-12-07"}, "end": {"date": "2026-12-08"}}


@pytest.fixture
def raw(google, client, calendar_id):
    """Call without the client library's own checks."""
    client.calendarList().list().execute()
    token = client._http.credentials.token

    def call(method, path="/events", **more):
        headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
        url = path if path.startswith("http") else f"{google.url}/calendar/v3/calendars/{calendar_id}{path}"
        return requests.request(method, url, headers=headers, timeout=5, **more)

    return call


def reason(answer):
    return answer.status_code, answer.json()["error"]["errors"][0]["reason"]


@pytest.mark.parametrize(
    "query",
    [
        "madeUp=1",
        "calendarId=x",
        "maxResults=0",
        "maxResults=many",
        "showDeleted=yes",
        "timeMin=2026-12-01",
        "timeMin=2026-12-01T00:00:00",
        "eventTypes=party",
        "q=a&q=b",
        "alt=xml",
    ],
)
def test_a_wrong_parameter_is_refused(raw, query):
    answer = raw("GET", f"/events?{query}")
    assert reason(answer) == (400, "invalidParameter")
    assert answer.json()["error"]["errors"][0]["location"] == query.split("=")[0]


def test_general_parameters_are_accepted(raw):
    query = (
        "fields=items(id),nextPageToken&prettyPrint=false&alt=json&quotaUser=x&eventTypes=default&eventTypes=birthday"
    )
    assert raw("GET", f"/events?{query}").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {**EVENT, "titel": "x"},
        {**EVENT, "summary": 7},
        {**EVENT, "sequence": True},
        {**EVENT, "attendees": {}},
        {**EVENT, "extendedProperties": {"private": {"adv_fr": 4711}}},
        {**EVENT, "start": {"day": "2026-12-07"}},
        {"summary": "x"},
        [],
    ],
)
def test_a_wrong_body_is_refused(raw, body):
    assert reason(raw("POST", json=body)) == (400, "invalid")


def test_a_broken_body_is_a_parse_error(raw):
    assert reason(raw("POST", data=b"{")) == (400, "parseError")


def test_null_means_absent_in_an_insert(raw):
    assert "description" not in raw("POST", json={**EVENT, "description": None}).json()


def test_a_long_get_may_come_as_a_post(google, client, calendar_id):
    google.create_event(calendar_id, {**EVENT, "summary": "lang"})
    call = client.events().list(calendarId=calendar_id, q="lang " * 500)
    assert [item["summary"] for item in call.execute()["items"]] == ["lang"]
    assert google.board.calls[-1].method == "POST"


def test_batches_and_unknown_paths_fail_loudly(google, raw):
    assert reason(raw("POST", f"{google.url}/batch/calendar/v3")) == (404, "notFound")
    assert reason(raw("GET", f"{google.url}/calendar/v2/colors")) == (404, "notFound")
    assert reason(raw("GET", f"{google.url}/calendar/v3/nothing")) == (404, "notFound")
    assert reason(raw("GET", f"{google.url}/calendar/v3/colors")) == (501, "notImplemented")


def test_long_answers_are_packed_on_request(google, raw, calendar_id):
    for _ in range(5):
        google.create_event(calendar_id, EVENT)
    packed = raw("GET", headers={"Accept-Encoding": "gzip"}, stream=True)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(json.loads(gzip.decompress(packed.raw.read()))["items"]) == 5
    assert "Content-Encoding" not in raw("GET", headers={"Accept-Encoding": "identity"}).headers


def test_own_answers_are_checked_against_the_document():
    method, _ = find_method("GET", "/calendar/v3/calendars/x/events")
    with pytest.raises(ValueError, match="Unknown name"):
        check_answer(method, {"items": [{"titel": "x"}]})


def test_the_quota_refuses_what_exceeds_a_sliding_minute(google, clock, raw):
    google.quota.per_minute = 10
    clock.ahead += 100
    assert [raw("GET").status_code for _ in range(8)] == [200] * 8
    clock.ahead += 30
    event_id = raw("POST", json=EVENT).json()["id"]
    assert reason(raw("PATCH", f"/events/{event_id}", json={})) == (403, "rateLimitExceeded")
    clock.ahead += 30
    assert raw("PATCH", f"/events/{event_id}", json={}).status_code == 200
    assert google.quota.most_in_a_minute("kanzlei@kanzlei.example") <= 10
    assert google.quota.refused == {"kanzlei@kanzlei.example": 1}


@pytest.mark.parametrize(
    ("refusal", "answer"),
    [("userRateLimitExceeded", (403, "userRateLimitExceeded")), ("429", (429, "rateLimitExceeded"))],
)
def test_the_quota_speaks_in_each_of_googles_ways(google, raw, refusal, answer):
    google.quota.per_minute, google.quota.refusal = 0, refusal
    assert reason(raw("GET")) == answer


def test_each_identity_has_its_own_quota(google, raw, connect):
    google.quota.per_minute = 1
    google.quota._windows.clear()
    google.quota._sums.clear()
    assert [raw("GET").status_code for _ in range(2)] == [200, 403]
    connect("s.berger@kanzlei.example").calendarList().list().execute()


def test_the_fullest_minute_is_found():
    assert most_in_window([(0, 5), (30, 3), (59.9, 2), (60, 4), (119, 1)]) == 10


def test_faults_hit_calls_of_the_client_library(google, client, calendar_id):
    body = error_body(403, "quotaExceeded", "Calendar usage limits exceeded.")
    google.board.add(Fault("status", method="POST", path="/events$", status=403, json=body))
    with pytest.raises(HttpError) as caught:
        client.events().insert(calendarId=calendar_id, body=EVENT).execute()
    assert caught.value.error_details[0]["domain"] == "usageLimits"
    assert google.events(calendar_id) == []


def test_the_client_library_repeats_a_post_whose_reply_was_lost(google, client, calendar_id):
    client.calendarList().list().execute()
    google.board.add(Fault("drop_after", method="POST", path="/events$"))
    client.events().insert(calendarId=calendar_id, body=EVENT).execute()
    assert len(google.events(calendar_id)) == 2


def test_a_known_id_makes_a_repeated_post_harmless(google, client, calendar_id):
    client.calendarList().list().execute()
    google.board.add(Fault("drop_after", method="POST", path="/events$"))
    with pytest.raises(HttpError) as caught:
        client.events().insert(calendarId=calendar_id, body={**EVENT, "id": "adv4711"}).execute()
    assert caught.value.resp.status == 409
    assert len(google.events(calendar_id)) == 1


def test_a_list_may_be_cut_down(google, client, calendar_id):
    for _ in range(4):
        google.create_event(calendar_id, EVENT)
    google.board.add(Fault("truncate", method="GET", path="/events$", keep=0.5))
    assert len(client.events().list(calendarId=calendar_id).execute()["items"]) == 2


def test_the_client_library_returns_a_page_instead_of_json_as_text(google, client, calendar_id):
    google.board.add(Fault("html", path="/events$"))
    assert client.events().list(calendarId=calendar_id).execute().startswith("<!doctype html>")


def test_of_many_writers_with_one_etag_exactly_one_wins(google, raw, calendar_id):
    event = google.create_event(calendar_id, EVENT)

    def write(number):
        headers = {"If-Match": event["etag"]}
        return raw("PATCH", f"/events/{event['id']}", json={"summary": str(number)}, headers=headers).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(write, range(8))) == [200] + [412] * 7
