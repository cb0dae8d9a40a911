"""What the phone system sends is read leniently where spellings differ; every bad field is named without its value."""

from datetime import UTC, datetime

import pytest

from shared.errors import InvalidRequestError
from shared.threecx.wire import ReportBody, WebhookBody

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
GOOD = {"event": "call.ended", "call_id": "c-77", "direction": "inbound", "timestamp": "2026-11-24T08:00:00Z"}


def refused(model, value) -> dict[str, str]:
    with pytest.raises(InvalidRequestError) as caught:
        model.read(value)
    assert "kanarie" not in str([caught.value.detail, caught.value.fields])
    return {each.field: each.code for each in caught.value.fields}


@pytest.mark.parametrize(
    "timestamp",
    ["2026-11-24T08:00:00Z", "2026-11-24T09:00:00+01:00", "2026-11-24 08:00:00", AT.timestamp(), 1795507200000],
)
def test_a_moment_is_read_in_each_of_its_spellings(timestamp):
    assert WebhookBody.read({**GOOD, "timestamp": timestamp}).timestamp == AT


def test_numbers_null_and_unknown_variables_are_text_or_nothing():
    body = WebhookBody.read({**GOOD, "call_id": 77, "extension": 102, "queue": None, "caller": "[Number]", "new": 1})
    assert (body.call_id, body.extension, body.queue, body.caller) == ("77", "102", "", "")
    assert ReportBody.read({"call_type": " Missed "}).call_type == "missed"


@pytest.mark.parametrize(("said", "meant"), [(True, True), ("False", False), ("true", True), (0, False), (None, None)])
def test_yes_and_no_may_be_words(said, meant):
    assert WebhookBody.read({**GOOD, "answered": said}).answered is meant


def test_every_bad_field_is_named_at_once():
    bad = {
        "event": "kanarie",
        "call_id": "kanarie kanarie",
        "direction": None,
        "timestamp": "kanarie",
        "caller": ["kanarie"],
    }
    bad |= {"answered": "kanarie", "duration_s": "kanarie", "recording_consent": "kanarie", "queue": "kanarie" * 40}
    assert refused(WebhookBody, bad) == {
        "event": "literal_error",
        "call_id": "string_pattern_mismatch",
        "direction": "literal_error",
        "timestamp": "datetime_parsing",
        "caller": "string_type",
        "answered": "bool_parsing",
        "duration_s": "number",
        "recording_consent": "literal_error",
        "queue": "too_long",
    }


@pytest.mark.parametrize("value", [[], "kanarie", None, 7])
def test_what_is_no_object_is_refused(value):
    assert refused(WebhookBody, value) == {"body": "dict_type"}
    assert refused(ReportBody, value) == {"body": "dict_type"}


def test_what_is_missing_is_named():
    assert refused(WebhookBody, {}) == dict.fromkeys(("event", "call_id", "direction", "timestamp"), "missing")
    assert refused(ReportBody, {}) == {"call_type": "missing"}


@pytest.mark.parametrize("length", [-0.1, 604801, "1e999", "nan", True, [], {}])
def test_a_length_that_no_call_has_is_refused(length):
    assert refused(WebhookBody, {**GOOD, "duration_s": length}) == {"duration_s": "number"}
