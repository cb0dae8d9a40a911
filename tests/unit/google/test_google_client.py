"""How Google's client sends, repeats, stops and reads."""

import json
import subprocess
import sys
import traceback
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlparse

import pytest
import requests
from scripted import HTML, MemoryTokens, Script, answer

from shared.errors import (
    UpstreamAuthenticationError,
    UpstreamMalformedError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from shared.google.client import EventList, GoogleCalendar
from shared.google.errors import (
    CalendarGoneError,
    EventChangedError,
    EventExistsError,
    EventGoneError,
    EventRefusedError,
    NoTokenError,
    OutOfTimeError,
    QuotaExhaustedError,
    RateLimitedError,
    SyncTokenExpiredError,
)
from shared.http import HttpClient
from shared.settings.base import read
from shared.settings.calendar import GoogleSettings
from shared.state.bucket import RateLimited
from shared.state.token import TokenUnavailable

EVENT = {"id": "adv1", "etag": '"1"', "status": "confirmed"}
PAGE = {"kind": "calendar#events", "items": []}


def refusal(status, reason, **headers):
    return answer(status, {"error": {"code": status, "errors": [{"reason": reason, "message": "Geheim"}]}}, **headers)


class MemoryRate:
    def __init__(self):
        self.taken, self.drained, self.full = [], 0, False

    def acquire(self, units, *, deadline=None):
        if self.full:
            raise RateLimited(3.2)
        self.taken.append(units)
        return 0.0

    def drain(self):
        self.drained += 1


class Wired:
    """A calendar client, its script, its tokens and its clock, which only sleeping moves."""

    def __init__(self, *answers, tokens=None):
        self.script, self.tokens, self.rate = Script(*answers), tokens or MemoryTokens(), MemoryRate()
        self.now, self.pauses, self.requests = 100.0, [], []
        endpoint = {"GOOGLE_CALENDAR_API_ENDPOINT": "https://g.example/calendar/v3"}
        http = HttpClient("google", 30, session=self.script.session())
        self.calendar = GoogleCalendar(
            read(GoogleSettings, endpoint), self.tokens, self.rate, http=http, sleep=self.sleep, clock=lambda: self.now
        )

    def sleep(self, seconds):
        self.pauses.append(seconds)
        self.now += seconds

    def until(self, deadline):
        return self.calendar.until(deadline, self.requests.append)

    @property
    def sent(self):
        return self.script.sent

    def query(self, place=0):
        return parse_qs(urlparse(self.sent[place].url).query)


def test_importing_the_client_imports_nothing_of_google():
    heavy = ("google.auth", "google.oauth2", "googleapiclient", "httplib2")
    code = f"import sys, shared.google.client; print([m for m in sys.modules if m.startswith({heavy})])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_full_list_reads_every_page():
    first = {**PAGE, "items": [EVENT], "nextPageToken": "p2"}
    empty = {"kind": "calendar#events", "nextPageToken": "p3"}
    last = {**PAGE, "items": [{**EVENT, "id": "adv2"}], "nextSyncToken": "s1"}
    wired = Wired(answer(200, first), answer(200, empty), answer(200, last))
    pages = []
    found = wired.calendar.list_events(
        "c@g", time_min=datetime(2026, 1, 1, tzinfo=UTC), before_page=lambda: pages.append(len(wired.sent))
    )
    assert found == EventList([EVENT, {**EVENT, "id": "adv2"}], "s1")
    assert pages == [0, 1, 2]
    assert [wired.query(n).get("pageToken") for n in range(3)] == [None, ["p2"], ["p3"]]
    assert wired.query()["timeMin"] == ["2026-01-01T00:00:00+00:00"]
    assert wired.rate.taken == [1, 1, 1]


def test_a_delta_asks_for_the_same_as_a_full_list_but_for_the_token():
    page = answer(200, {**PAGE, "nextPageToken": "p2"})
    wired = Wired(page, answer(200, PAGE), answer(200, PAGE))
    wired.calendar.list_events("c", sync_token="s1", time_min=datetime(2026, 1, 1, tzinfo=UTC))
    wired.calendar.list_events("c")
    assert wired.query(0) == {**wired.query(2), "syncToken": ["s1"]}
    assert wired.query(1) == {**wired.query(0), "pageToken": ["p2"]}
    assert wired.query(2) == {
        "maxResults": ["2500"],
        "eventTypes": ["default"],
        "showDeleted": ["true"],
        "singleEvents": ["false"],
        "alt": ["json"],
    }


@pytest.mark.parametrize(
    "bad",
    [
        HTML,
        answer(200),
        answer(200, "{", "application/json"),
        answer(200, []),
        answer(200, {}),
        answer(200, {"error": "x"}),
        answer(200, {"items": {}}),
        answer(200, {"items": [1]}),
        answer(200, {"items": [{"summary": "ohne id"}]}),
        answer(204),
        answer(302, None, Location="https://login.example/"),
        answer(404, "<html>", "text/html"),
    ],
)
def test_an_unusable_list_is_never_an_empty_one(bad):
    with pytest.raises(UpstreamMalformedError):
        Wired(bad).calendar.list_events("c")


def test_a_list_without_end_is_malformed():
    with pytest.raises(UpstreamMalformedError):
        Wired(answer(200, {**PAGE, "nextPageToken": "again"})).calendar.list_events("c")


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (refusal(410, "fullSyncRequired"), SyncTokenExpiredError),
        (refusal(400, "invalid"), SyncTokenExpiredError),
        (refusal(404, "notFound"), CalendarGoneError),
        (refusal(403, "forbidden"), CalendarGoneError),
    ],
)
def test_a_delta_tells_an_ended_token_from_a_lost_calendar(reply, error):
    with pytest.raises(error):
        Wired(reply).calendar.list_events("c", sync_token="s")


def test_a_bad_full_list_has_no_token_to_blame():
    with pytest.raises(UpstreamRejectedError) as caught:
        Wired(refusal(400, "invalid")).calendar.list_events("c")
    assert not isinstance(caught.value, SyncTokenExpiredError)


def test_writes_are_conditional_and_send_no_mails():
    wired = Wired(*[answer(200, EVENT)] * 3, answer(204))
    wired.calendar.insert_event("c", EVENT)
    wired.calendar.update_event("c", "adv1", {"summary": "Größe"}, '"1"')
    wired.calendar.patch_event("c", "adv1", {"summary": None}, '"1"')
    wired.calendar.delete_event("c", "adv1", '"1"')
    assert [sent.method for sent in wired.sent] == ["POST", "PUT", "PATCH", "DELETE"]
    assert [sent.headers.get("If-Match") for sent in wired.sent] == [None, '"1"', '"1"', '"1"']
    assert all(wired.query(n)["sendUpdates"] == ["none"] for n in range(4))
    assert wired.rate.taken == [1, 1, 3, 1]
    assert json.loads(wired.sent[1].body) == {"summary": "Größe"}
    assert json.loads(wired.sent[2].body) == {"summary": None}


@pytest.mark.parametrize("write", ["update_event", "patch_event"])
def test_an_unconditional_write_is_refused(write):
    with pytest.raises(ValueError, match="etag"):
        getattr(Wired(HTML).calendar, write)("c", "adv1", {}, "")


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (refusal(400, "invalid"), EventRefusedError),
        (refusal(403, "forbidden"), EventRefusedError),
        (refusal(404, "notFound"), EventGoneError),
        (refusal(410, "deleted"), EventGoneError),
        (refusal(409, "duplicate"), EventExistsError),
        (refusal(412, "conditionNotMet"), EventChangedError),
        (HTML, UpstreamMalformedError),
        (answer(200, {}), UpstreamMalformedError),
    ],
)
def test_a_refused_write_is_sent_once_and_says_why(reply, error):
    wired = Wired(reply)
    with pytest.raises(error) as caught:
        wired.calendar.update_event("c", "adv1", {}, '"1"')
    assert len(wired.sent) == 1
    shown = "".join(traceback.format_exception(caught.value))
    assert "Geheim" not in shown
    assert "g.example" not in shown


@pytest.mark.parametrize("reply", [refusal(404, "notFound"), refusal(410, "deleted"), answer(204)])
def test_deleting_what_is_gone_succeeds(reply):
    Wired(reply).calendar.delete_event("c", "adv1", '"1"')


def test_deleting_what_changed_fails():
    with pytest.raises(EventChangedError):
        Wired(refusal(412, "conditionNotMet")).calendar.delete_event("c", "adv1", '"1"')


def test_an_unknown_event_is_none_but_a_page_is_not():
    assert Wired(refusal(404, "notFound")).calendar.get_event("c", "x") is None
    with pytest.raises(UpstreamMalformedError):
        Wired(answer(404, "<html>", "text/html")).calendar.get_event("c", "x")


TROUBLE = [
    requests.ConnectionError(),
    requests.Timeout(),
    requests.exceptions.ChunkedEncodingError(),
    answer(500),
    answer(503),
    answer(429),
    refusal(403, "rateLimitExceeded"),
    refusal(403, "userRateLimitExceeded"),
]


@pytest.mark.parametrize("trouble", TROUBLE)
def test_passing_trouble_is_outlasted(trouble):
    wired = Wired(trouble, trouble, answer(200, EVENT))
    assert wired.calendar.insert_event("c", EVENT) == EVENT
    assert len(wired.pauses) == 2
    assert wired.rate.taken == [1, 1, 1]


@pytest.mark.parametrize("trouble", TROUBLE)
def test_lasting_trouble_ends_after_five_tries(trouble):
    wired = Wired(trouble)
    with pytest.raises(UpstreamUnavailableError):
        wired.calendar.get_event("c", "adv1")
    assert len(wired.sent) == 5
    assert all(pause <= 2**n for n, pause in enumerate(wired.pauses))


def test_too_many_calls_empty_the_bucket():
    wired = Wired(answer(429), refusal(403, "userRateLimitExceeded"), answer(503), answer(200, EVENT))
    wired.calendar.get_event("c", "adv1")
    assert wired.rate.drained == 2


def test_a_pause_that_google_asks_for_is_kept():
    wired = Wired(answer(503, None, Retry_After="7"), answer(200, EVENT))
    wired.calendar.get_event("c", "adv1")
    assert wired.pauses == [7]


def test_a_long_pause_is_left_to_the_queue():
    wired = Wired(answer(503, None, Retry_After="120"))
    with pytest.raises(UpstreamUnavailableError) as caught:
        wired.calendar.get_event("c", "adv1")
    assert (caught.value.retry_after_s, len(wired.sent)) == (120, 1)


@pytest.mark.parametrize("reason", ["quotaExceeded", "dailyLimitExceeded"])
def test_a_used_up_quota_is_an_error_at_once(reason):
    wired = Wired(refusal(403, reason))
    with pytest.raises(QuotaExhaustedError):
        wired.calendar.list_events("c")
    assert len(wired.sent) == 1


def test_nothing_is_tried_again_past_the_deadline():
    wired = Wired(answer(503, None, Retry_After="5"))
    with pytest.raises(UpstreamUnavailableError):
        wired.until(112).get_event("c", "adv1")
    assert wired.pauses == [5, 5]
    with pytest.raises(OutOfTimeError):
        wired.until(110).get_event("c", "adv1")
    assert len(wired.sent) == 3


def test_a_bucket_without_room_before_the_deadline_is_out_of_time():
    wired = Wired(answer(200, EVENT))
    wired.rate.full = True
    with pytest.raises(OutOfTimeError) as caught:
        wired.until(110).get_event("c", "adv1")
    assert caught.value.retry_after_s == 4
    assert not wired.sent


def test_every_request_is_told_once():
    wired = Wired(answer(503), answer(401), answer(200, EVENT), answer(200, PAGE))
    view = wired.until(None)
    view.get_event("c", "adv1")
    view.list_events("c")
    wired.calendar.list_events("c")
    assert wired.requests == ["events.get"] * 3 + ["events.list"]


def test_a_revoked_token_is_replaced_once():
    wired = Wired(answer(401), answer(200, EVENT))
    assert wired.calendar.get_event("c", "adv1") == EVENT
    assert [sent.headers["Authorization"] for sent in wired.sent] == ["Bearer token-1", "Bearer token-2"]
    assert wired.pauses == []


def test_a_second_401_is_an_error_and_a_cooldown():
    wired = Wired(answer(401))
    with pytest.raises(UpstreamAuthenticationError):
        wired.calendar.get_event("c", "adv1")
    assert (len(wired.sent), wired.tokens.cooldowns) == (2, [30])


def test_no_token_is_an_error_that_says_nothing_was_sent():
    class Cooling(MemoryTokens):
        def get(self, fetch):
            raise TokenUnavailable(5)

    wired = Wired(HTML, tokens=Cooling())
    with pytest.raises(NoTokenError):
        wired.calendar.get_event("c", "adv1")
    assert not wired.sent


def test_an_insert_without_an_id_is_not_repeated_when_its_outcome_is_unknown():
    wired = Wired(requests.Timeout())
    with pytest.raises(UpstreamTimeoutError):
        wired.calendar.insert_event("c", {"summary": "x"})
    assert len(wired.sent) == 1


def test_an_insert_without_an_id_is_repeated_when_it_was_turned_away():
    wired = Wired(answer(429), answer(200, EVENT))
    assert wired.calendar.insert_event("c", {"summary": "x"}) == EVENT


def entry(name, role="owner", summary="AW-SB"):
    return {"id": name, "summary": summary, "accessRole": role}


def listed(*entries, **more):
    return answer(200, {"kind": "calendar#calendarList", "items": list(entries), **more})


def test_a_calendar_is_found_on_any_page():
    wired = Wired(listed(entry("a", summary="AW-SBX"), nextPageToken="p2"), listed(entry("b")))
    assert wired.calendar.find_calendar("AW-SB") == "b"
    assert wired.query(0)["maxResults"] == ["250"]
    assert wired.query(1)["pageToken"] == ["p2"]


def test_of_several_calendars_everybody_finds_the_same_own_one():
    entries = [entry("z"), entry("w", "writer"), entry("b"), entry("a", "reader")]
    for order in (entries, entries[::-1]):
        assert Wired(listed(*order)).calendar.find_calendar("AW-SB") == "b"


def test_a_calendar_that_we_may_only_read_is_not_adopted():
    assert Wired(listed(entry("a", "reader"))).calendar.find_calendar("AW-SB") is None


def test_a_calendar_is_created_in_berlin():
    wired = Wired(answer(200, {"id": "c1"}))
    assert wired.calendar.create_calendar("AW-SB") == "c1"
    assert json.loads(wired.sent[0].body) == {"summary": "AW-SB", "timeZone": "Europe/Berlin"}


@pytest.mark.parametrize("trouble", [requests.Timeout(), requests.ConnectionError(), answer(500), HTML])
def test_a_calendar_of_unknown_fate_is_looked_for_and_never_created_twice(trouble):
    wired = Wired(trouble, listed(entry("c1")))
    assert wired.calendar.create_calendar("AW-SB") == "c1"
    assert [sent.method for sent in wired.sent] == ["POST", "GET"]
    lost = Wired(trouble, listed())
    with pytest.raises((UpstreamUnavailableError, UpstreamMalformedError)):
        lost.calendar.create_calendar("AW-SB")
    assert [sent.method for sent in lost.sent] == ["POST", "GET"]


def test_sharing_makes_a_writer_and_sends_no_mail():
    wired = Wired(answer(200, {"id": "user:a@k.example"}))
    wired.calendar.share("c1", "a@k.example")
    assert json.loads(wired.sent[0].body) == {"role": "writer", "scope": {"type": "user", "value": "a@k.example"}}
    assert wired.query()["sendNotifications"] == ["false"]


def test_a_rate_error_that_lasts_keeps_its_name():
    with pytest.raises(RateLimitedError):
        Wired(answer(429)).calendar.share("c1", "a@k.example")
