"""Push channels are opened, used and stopped."""

import time

import pytest
from googleapiclient.errors import HttpError
from werkzeug.wrappers import Response

from sandbox.double import Double
from sandbox.server import serve

CHANNEL = {"id": "kanal-1", "type": "web_hook", "token": "geheim"}


class Receiver(Double):
    """Keep the headers of every message."""

    def __init__(self):
        super().__init__()
        self.messages = []

    def handle(self, request):
        self.messages.append({key: value for key, value in request.headers if key.startswith("X-Goog-")})
        return Response(status=200)

    def wait_for(self, count):
        deadline = time.monotonic() + 5
        while len(self.messages) < count and time.monotonic() < deadline:
            time.sleep(0.005)
        return [message["X-Goog-Resource-State"] for message in self.messages]


@pytest.fixture
def receiver():
    double = Receiver()
    with serve(double) as server:
        double.url = server.url
        yield double


@pytest.fixture
def watch(client, calendar_id, receiver):
    def call(**more):
        body = {**CHANNEL, "address": f"{receiver.url}/calendar/push", **more}
        return client.events().watch(calendarId=calendar_id, body=body).execute()

    return call


def test_a_new_channel_says_sync_and_then_exists(google, calendar_id, receiver, watch):
    channel = watch()
    assert receiver.wait_for(1) == ["sync"]
    assert google.notify(calendar_id) == [200]
    message = receiver.messages[1]
    assert message["X-Goog-Resource-State"] == "exists"
    assert (message["X-Goog-Channel-Id"], message["X-Goog-Channel-Token"]) == ("kanal-1", "geheim")
    assert (message["X-Goog-Resource-Id"], message["X-Goog-Message-Number"]) == (channel["resourceId"], "2")


def test_a_channel_lives_a_week_unless_told_otherwise(watch):
    lifetimes = [
        int(watch(**more)["expiration"]) / 1000 - time.time() for more in ({}, {"id": "k2", "params": {"ttl": "60"}})
    ]
    assert [round(lifetime, -1) for lifetime in lifetimes] == [604_800, 60]


def test_a_stopped_channel_is_silent(google, client, calendar_id, receiver, watch):
    channel = watch()
    receiver.wait_for(1)
    client.channels().stop(body={"id": channel["id"], "resourceId": channel["resourceId"]}).execute()
    assert google.notify(calendar_id) == []
    with pytest.raises(HttpError, match="404"):
        client.channels().stop(body={"id": channel["id"], "resourceId": channel["resourceId"]}).execute()


@pytest.mark.parametrize(
    "wrong", [{"id": "k" * 65}, {"id": "ä"}, {"token": "t" * 257}, {"type": "mail"}, {"address": "x"}]
)
def test_a_wrong_channel_is_refused(watch, wrong):
    with pytest.raises(HttpError, match="400"):
        watch(**wrong)


def test_a_channel_id_is_used_once(watch):
    watch()
    with pytest.raises(HttpError, match="not unique"):
        watch()


def test_every_change_may_be_told(google, calendar_id, receiver, watch):
    google.auto_notify = True
    watch()
    receiver.wait_for(1)
    google.create_event(calendar_id, {"start": {"date": "2026-12-07"}, "end": {"date": "2026-12-08"}})
    assert receiver.wait_for(2) == ["sync", "exists"]


def test_nobody_at_the_address_is_told_as_zero(google, calendar_id, watch):
    watch(address="http://127.0.0.1:1/")
    assert google.notify(calendar_id) == [0]
