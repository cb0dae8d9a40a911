"""Events as other systems see them."""

from __future__ import annotations

import json

import pytest
from cloudevents.http import from_http
from werkzeug.datastructures import Headers

from shared.errors import UnreadableRequestError
from shared.events.cloudevent import CONTENT_TYPE, from_attributes, from_message, new_event, structured
from shared.log import bound

DATA = {"kuerzel": "SB", "full_content": False}


def test_an_event_of_ours_is_one_for_the_sdk():
    event = new_event("calendar_sync_employee", "calendar_sync_all", "SB", DATA)
    read = from_http({"Content-Type": CONTENT_TYPE}, structured(event))
    assert (read["type"], read["source"], read["subject"]) == (
        "calendar_sync_employee",
        "/functions/calendar_sync_all",
        "SB",
    )
    assert read["id"] == event.id
    assert read["datacontenttype"] == "application/json"
    assert read["time"]
    assert read.data == DATA


def test_every_event_has_an_id_of_its_own():
    assert new_event("t", "f", "s", {}).id != new_event("t", "f", "s", {}).id


def test_the_request_id_travels_along():
    with bound(request_id="req-1"):
        assert json.loads(structured(new_event("t", "f", "s", {})))["requestid"] == "req-1"


def test_structured_events_are_read_back():
    event = new_event("calendar_sync_employee", "f", "SB", DATA)
    assert from_message(Headers({"Content-Type": CONTENT_TYPE}), structured(event)) == event


def test_binary_events_are_read():
    headers = Headers(
        [
            ("ce-specversion", "1.0"),
            ("ce-id", "7"),
            ("ce-type", "calendar_sync_employee"),
            ("ce-source", "/x"),
            ("ce-subject", "%C3%84B"),
            ("Content-Type", "application/json"),
        ]
    )
    event = from_message(headers, b'{"kuerzel":"\xc3\x84B"}')
    assert (event.type, event.subject, event.data) == ("calendar_sync_employee", "ÄB", {"kuerzel": "ÄB"})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"[]",
        b"{}",
        b'{"specversion":"0.3","id":"1","type":"t","source":"s"}',
        b'{"specversion":"1.0","id":"","type":"t","source":"s"}',
        b'{"specversion":"1.0","id":"1","type":"t"}',
        b'{"specversion":"1.0","id":"1","type":7,"source":"s"}',
        b'{"specversion":"1.0","id":"1","type":"t","source":"s","data_base64":"%"}',
        b'{"specversion":"1.0","id":"1","type":"t","source":"s","data_base64":7}',
        b'{"specversion":"1.0","id":"1","type":"t","source":"s","data_base64":"e30=","data":{}}',
        b'{"specversion":"1.0","id":"1","type":"t","source":"s","data_base64":"eA=="}',
        b'{"specversion":"1.0","id":"1","id":"2","type":"t","source":"s"}',
    ],
)
def test_anything_else_is_no_event(body):
    with pytest.raises(UnreadableRequestError):
        from_message(Headers({"Content-Type": CONTENT_TYPE}), body)


def test_no_data_reads_as_an_empty_object():
    assert from_attributes({"specversion": "1.0", "id": "1", "type": "t", "source": "s"}, None).data == {}


def test_data_in_base64_is_read():
    body = b'{"specversion":"1.0","id":"1","type":"t","source":"s","data_base64":"eyJhIjoxfQ=="}'
    assert from_message(Headers(), body).data == {"a": 1}


def test_a_text_is_the_text_and_no_json_to_read():
    assert from_attributes({"specversion": "1.0", "id": "1", "type": "t", "source": "s"}, "{}").data == "{}"


def test_the_media_type_of_events_says_that_the_body_is_one_whatever_other_headers_say():
    headers = Headers({"Content-Type": CONTENT_TYPE, "Ce-Specversion": "1.0", "Ce-Type": "other", "Ce-Id": "0"})
    event = new_event("calendar_sync_employee", "f", "SB", DATA)
    assert from_message(headers, structured(event)) == event
