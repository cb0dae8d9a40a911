"""What a transport needs before it can send, by name."""

from __future__ import annotations

import pytest

from shared.events import topics

EVERYBODY, EMPLOYEE = topics.CALENDAR_SYNC_ALL, topics.CALENDAR_SYNC_EMPLOYEE


@pytest.mark.parametrize(
    ("given", "lacking"),
    [
        ({}, ["EVENT_BASE_URL"]),
        ({"EVENT_TRANSPORT": "http"}, ["EVENT_BASE_URL"]),
        ({"EVENT_BASE_URL": "http://events.test"}, []),
        ({"EVENT_URL_CALENDAR_SYNC_ALL": "http://all.test"}, ["EVENT_URL_CALENDAR_SYNC_EMPLOYEE"]),
        ({"EVENT_TRANSPORT": "sqs"}, ["EVENT_SQS_URL_CALENDAR_SYNC_ALL", "EVENT_SQS_URL_CALENDAR_SYNC_EMPLOYEE"]),
        (
            {"EVENT_TRANSPORT": "sqs", "EVENT_SQS_URL_CALENDAR_SYNC_ALL": "https://q.test/1"},
            ["EVENT_SQS_URL_CALENDAR_SYNC_EMPLOYEE"],
        ),
        ({"EVENT_TRANSPORT": "pubsub"}, ["EVENT_PUBSUB_PROJECT"]),
        ({"EVENT_TRANSPORT": "pubsub", "EVENT_PUBSUB_PROJECT": "firm"}, []),
        ({"EVENT_TRANSPORT": "redis"}, []),
    ],
)
def test_what_is_lacking_to_send_is_named(make_bus, given, lacking):
    assert make_bus(**given).unsendable(EVERYBODY, EMPLOYEE) == lacking


@pytest.mark.parametrize("transport", ["http", "sqs", "pubsub", "redis"])
def test_who_sends_nothing_lacks_nothing(make_bus, transport):
    assert make_bus(EVENT_TRANSPORT=transport).unsendable() == []
