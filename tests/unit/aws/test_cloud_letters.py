"""Dead letters of the clouds are shown without their bodies, and go back to their topics one by one."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pubsub_double import PubSub

from shared.errors import UpstreamUnavailableError
from shared.events import sqs_letters, topics
from shared.events.bus import Bus
from shared.events.cloud_letters import CloudLetters
from shared.events.cloudevent import new_event, structured
from shared.events.pubsub_letters import PubSubLetters
from shared.events.sqs_letters import SqsLetters

PARTY = "6b04f6cb7536b613d"
UPDATE, LEAD = "vmh.beteiligte.update", "lead.received"
EVENT = structured(new_event(UPDATE, "vmh_webhooks", PARTY, {"entity_id": PARTY})).decode()
PERSONAL = "Anna Groß, 0511 123456"


class Cloud:
    """One of the clouds: put a body aside, look at what its topics got."""

    def __init__(self, letters: CloudLetters, put: Callable[[str, str], str], got: Callable[[str], list[str]]) -> None:
        self.letters, self.put, self.got = letters, put, got


@pytest.fixture(params=["sqs", "pubsub"])
def cloud(request: pytest.FixtureRequest) -> Cloud:
    return request.getfixturevalue(request.param)


@pytest.fixture
def pubsub_double() -> PubSub:
    return PubSub(subscriptions={f"{topic}.dead": [] for topic in topics.TOPICS})


@pytest.fixture
def pubsub(pubsub_double: PubSub) -> Cloud:
    def put(topic: str, body: str) -> str:
        return pubsub_double.put_aside(topic, base64.b64encode(body.encode()).decode())

    def got(topic: str) -> list[str]:
        return [base64.b64decode(each["data"]).decode() for each in pubsub_double.topics.get(topic, [])]

    return Cloud(CloudLetters(PubSubLetters("p", pubsub_double)), put, got)


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    boto3 = pytest.importorskip("boto3")
    moto = pytest.importorskip("moto")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setattr(sqs_letters, "WAIT_S", 0)
    with moto.mock_aws():
        client = boto3.client("sqs", region_name="eu-central-1")
        for topic in (UPDATE, LEAD):
            name = topic.replace(".", "_")
            for prefix, suffix in (("EVENT_SQS_URL_", ""), ("EVENT_SQS_DEAD_URL_", "-dead")):
                url = client.create_queue(QueueName=name + suffix)["QueueUrl"]
                monkeypatch.setenv(prefix + name.upper(), url)

        def put(topic: str, body: str) -> str:
            url = sqs_letters.queue_url(topic, dead=True)
            return str(client.send_message(QueueUrl=url, MessageBody=body)["MessageId"])

        def got(topic: str) -> list[str]:
            found = client.receive_message(QueueUrl=sqs_letters.queue_url(topic), MaxNumberOfMessages=10)
            return [each["Body"] for each in found.get("Messages", [])]

        yield Cloud(CloudLetters(SqsLetters(lambda: client)), put, got)


def test_nothing_put_aside_is_an_empty_list(cloud):
    assert cloud.letters.all() == []


def test_an_event_that_was_not_worked_off_is_shown_as_what_it_speaks_of(cloud):
    message_id = cloud.put(UPDATE, EVENT)
    (row,) = cloud.letters.all()
    assert (row["id"], row["topic"], row["subject"]) == (f"{UPDATE}:{message_id}", UPDATE, PARTY)
    assert row["error"] == "not-worked-off"
    assert row["attempts"] >= 1
    assert row["at"][4] == "-"
    assert row["at"].endswith("Z")


@pytest.mark.parametrize(
    "body",
    [PERSONAL, "{}", json.dumps({"data": PERSONAL}), EVENT.replace(PARTY, PERSONAL), EVENT.replace(UPDATE, LEAD)],
)
def test_of_a_body_that_nobody_can_read_nothing_is_shown(cloud, body):
    cloud.put(LEAD, body)
    (row,) = cloud.letters.all()
    assert (row["subject"], row["error"]) == ("", "unreadable")
    assert PERSONAL not in json.dumps(row, ensure_ascii=False)


def test_looking_takes_nothing_away(cloud):
    cloud.put(UPDATE, EVENT)
    cloud.put(LEAD, "x")
    for _ in range(3):
        assert [row["topic"] for row in cloud.letters.all()] == [UPDATE, LEAD]


def test_more_than_one_answer_holds_are_all_shown(cloud, pubsub_double):
    pubsub_double.at_once = 10
    ids = {f"{UPDATE}:{cloud.put(UPDATE, EVENT)}" for _ in range(25)}
    assert {row["id"] for row in cloud.letters.all()} == ids


def test_a_letter_goes_back_to_its_topic_as_it_is_and_the_others_stay(cloud):
    stays, goes = cloud.put(UPDATE, "stays"), cloud.put(UPDATE, EVENT)
    assert cloud.letters.redrive(f"{UPDATE}:{goes}") is True
    assert cloud.got(UPDATE) == [EVENT]
    assert [row["id"] for row in cloud.letters.all()] == [f"{UPDATE}:{stays}"]
    assert cloud.letters.redrive(f"{UPDATE}:{goes}") is False


@pytest.mark.parametrize("name", ["", "x", f"{UPDATE}:", f"{UPDATE}:nobody", "unknown.topic:1", "vmh:beteiligte:1-1"])
def test_an_unknown_id_is_none(cloud, name):
    cloud.put(UPDATE, EVENT)
    assert cloud.letters.redrive(name) is False
    assert cloud.letters.show(name) is None
    assert len(cloud.letters.all()) == 1


def test_what_cannot_be_sent_again_is_not_lost(pubsub, pubsub_double, monkeypatch):
    message_id = pubsub.put(UPDATE, EVENT)
    monkeypatch.setattr(pubsub_double, "_publish", lambda *_: None)
    with pytest.raises(UpstreamUnavailableError):
        pubsub.letters.redrive(f"{UPDATE}:{message_id}")
    assert [each.id for each in pubsub_double.subscriptions[f"{UPDATE}.dead"]] == [message_id]


@pytest.mark.parametrize("status", [0, 403, 404, 500])
def test_a_pubsub_that_does_not_answer_is_named(pubsub, pubsub_double, status):
    pubsub_double.answers = status
    with pytest.raises(UpstreamUnavailableError, match="pubsub"):
        pubsub.letters.all()


def test_an_sqs_that_does_not_answer_is_named(sqs, monkeypatch):
    from botocore.exceptions import EndpointConnectionError

    class Broken:
        def __getattr__(self, _name: str) -> Any:
            def call(**_: Any) -> None:
                raise EndpointConnectionError(endpoint_url="https://sqs")

            return call

    with pytest.raises(UpstreamUnavailableError, match="sqs"):
        CloudLetters(SqsLetters(Broken)).all()


def test_each_bus_looks_where_its_transport_puts_letters_aside(monkeypatch):
    kinds = {}
    monkeypatch.setenv("EVENT_PUBSUB_PROJECT", "p")
    for transport in ("redis", "http", "sqs", "pubsub"):
        monkeypatch.setenv("EVENT_TRANSPORT", transport)
        letters = Bus("ops").cloud_letters()
        kinds[transport] = type(letters._messages).__name__ if letters else None
    assert kinds == {"redis": None, "http": None, "sqs": "SqsLetters", "pubsub": "PubSubLetters"}
