"""Which error an answer of Google stands for."""

import json

import pytest

from shared.errors import (
    UpstreamAuthenticationError,
    UpstreamMalformedError,
    UpstreamRejectedError,
    UpstreamUnavailableError,
)
from shared.google.errors import (
    EVENT_ERRORS,
    LIST_ERRORS,
    CalendarGoneError,
    EventChangedError,
    EventExistsError,
    EventGoneError,
    EventRefusedError,
    QuotaExhaustedError,
    RateLimitedError,
    SyncTokenExpiredError,
    translate,
)

SECRET = "Geheimer Titel https://www.googleapis.com/x"


def body(status, reason):
    detail = {"domain": "global", "reason": reason, "message": SECRET}
    return json.dumps({"error": {"code": status, "message": SECRET, "errors": [detail]}}).encode()


@pytest.mark.parametrize(
    ("status", "reason", "error"),
    [
        (400, "invalid", EventRefusedError),
        (403, "forbidden", EventRefusedError),
        (404, "notFound", EventGoneError),
        (409, "duplicate", EventExistsError),
        (410, "deleted", EventGoneError),
        (412, "conditionNotMet", EventChangedError),
        (413, "uploadTooLarge", UpstreamRejectedError),
        (401, "authError", UpstreamAuthenticationError),
        (403, "rateLimitExceeded", RateLimitedError),
        (403, "userRateLimitExceeded", RateLimitedError),
        (429, "rateLimitExceeded", RateLimitedError),
        (429, "", RateLimitedError),
        (403, "quotaExceeded", QuotaExhaustedError),
        (403, "dailyLimitExceeded", QuotaExhaustedError),
        (429, "quotaExceeded", QuotaExhaustedError),
        (408, "", UpstreamUnavailableError),
        (500, "backendError", UpstreamUnavailableError),
        (503, "", UpstreamUnavailableError),
        (302, "", UpstreamMalformedError),
    ],
)
def test_an_answer_about_an_event(status, reason, error):
    found = translate(status, {}, body(status, reason), EVENT_ERRORS)
    assert type(found) is error
    assert (found.upstream, found.upstream_status) == ("google", status)
    assert SECRET not in str(found)
    assert "googleapis" not in str(found) + found.detail


@pytest.mark.parametrize(
    ("status", "reason", "error"),
    [
        (403, "forbidden", CalendarGoneError),
        (403, "rateLimitExceeded", RateLimitedError),
        (404, "notFound", CalendarGoneError),
        (410, "fullSyncRequired", SyncTokenExpiredError),
    ],
)
def test_an_answer_about_a_list(status, reason, error):
    assert type(translate(status, {}, body(status, reason), LIST_ERRORS)) is error


@pytest.mark.parametrize("status", [404, 410])
def test_a_page_of_something_on_the_way_means_nothing_is_gone(status):
    assert type(translate(status, {}, b"<html>", EVENT_ERRORS)) is UpstreamMalformedError
    assert type(translate(status, {}, b"", EVENT_ERRORS)) is EventGoneError


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"error":"x"}', b'{"error":{"errors":[1]}}', b"\xff"])
def test_a_403_of_any_shape_is_understood(content):
    assert type(translate(403, {}, content, EVENT_ERRORS)) is EventRefusedError


def test_a_pause_that_google_asks_for_is_handed_on():
    assert translate(503, {"retry-after": "120"}, b"", {}).retry_after_s == 120


def test_what_google_refuses_is_not_tried_again():
    assert not EventRefusedError.retryable
    assert QuotaExhaustedError.retryable
