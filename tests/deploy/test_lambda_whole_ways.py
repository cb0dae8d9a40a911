"""Parties, a lead and a call on their whole way under AWS's runtime client: entry, queue, subscriber, upstreams."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from conftest_tools import module
from lambda_rig import GATEWAY, SECRETS, Poller, event_of, http_event, shows_nothing_secret
from runtime_api import running

from sandbox.advoware import Advoware
from sandbox.espocrm import EspoCrm
from sandbox.server import serve
from shared.state import connection
from shared.webhook import sign

OWNER = "user-owner"
LEAD = {
    "typ": "vermieter",
    "nachname": "Probe",
    "email": "probe@example.org",
    "nachricht": "Die Kaution",
    "thema": "kaution",
    "ip": "203.0.113.9",
}
CALL = {
    "event": "call.ended",
    "call_id": "c-77",
    "direction": "inbound",
    "caller": "+495111234567",
    "callee": "+4951198760",
    "extension": "102",
    "timestamp": "2026-11-24T08:00:00Z",
    "answered": True,
    "duration_s": 61,
}


@pytest.fixture
def espocrm(redis_url) -> EspoCrm:
    connection.connect(redis_url, 0).flushall()
    return EspoCrm()


@pytest.fixture
def surroundings(environ, espocrm) -> Iterator[dict[str, str]]:
    module("awslambdaric")
    with serve(espocrm) as server:
        yield environ | espocrm.env(server.url) | {"ESPOCRM_DEFAULT_USER_ID": OWNER}


def post(target: str, path: str, body: dict, headers: dict[str, str], environ: dict[str, str]) -> tuple[dict, str]:
    with running(f"functions.aws.{target}", **environ) as function:
        answer = function.invoke(http_event("POST", path, json.dumps(body), GATEWAY | headers))
        again = function.invoke(http_event("POST", path, json.dumps(body), GATEWAY | headers))
    assert (answer["statusCode"], again["statusCode"]) == (200, 200), answer
    shows_nothing_secret(function.output)
    return json.loads(answer["body"]), function.output


def work_off(target: str, sqs, url: str, environ: dict[str, str]) -> str:
    """Poll as Lambda does until nothing is left."""
    with running(f"functions.aws.{target}", **environ) as function:
        poller, ends = Poller(sqs, url, function), time.monotonic() + 60
        while poller.round() == 0:
            assert time.monotonic() < ends, "no message came"
        while poller.round():
            assert time.monotonic() < ends, "messages come again and again"
    shows_nothing_secret(function.output)
    return function.output


def test_a_lead_becomes_one_record_with_one_task_and_nothing_of_it_is_logged(surroundings, client, espocrm):
    headers = {"x-webhook-secret": SECRETS["VERMIETERHELDEN_WEBHOOK_SECRET"], "idempotency-key": "lead-of-the-test-1"}
    answer, output = post("leads", "/api/leads/vermieterhelden", LEAD, headers, surroundings)
    sqs, url = client("sqs"), surroundings["EVENT_SQS_URL_LEAD_RECEIVED"]
    output += work_off("lead_intake", sqs, url, surroundings)
    (lead,) = espocrm.records.all("Lead")
    (task,) = espocrm.records.all("Task")
    assert answer["id"] in lead["description"]
    assert task["parentId"] == lead["id"]
    for word in (LEAD["email"], LEAD["nachname"], LEAD["nachricht"]):
        assert word not in output


def test_an_ended_call_becomes_one_call_and_no_number_is_logged(surroundings, client, espocrm):
    stamp = int(time.time())
    signature = sign(json.dumps(CALL).encode(), SECRETS["THREECX_WEBHOOK_SECRET"], stamp)
    headers = {"x-3cx-timestamp": str(stamp), "x-3cx-signature": signature}
    answer, output = post("threecx", "/threecx/webhook", CALL, headers, surroundings)
    assert answer == {"stored": True}
    sqs, url = client("sqs"), surroundings["EVENT_SQS_URL_THREECX_CALL"]
    output += work_off("call_journal", sqs, url, surroundings)
    (call,) = espocrm.records.all("Call")
    assert (call["status"], call["direction"]) == ("Held", "Inbound")
    assert "5111234567" not in output


def drain(sqs, queue):
    """Empty a queue; a purge may happen only once a minute."""
    while found := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for each in found:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"])


def test_nine_parties_reach_advoware_while_poison_among_them_ends_in_the_dead_letter_queue(
    surroundings, client, espocrm, parties, stack
):
    sqs, url = client("sqs"), surroundings["EVENT_SQS_URL_VMH_BETEILIGTE_UPDATE"]
    for queue in (url, stack["PartyUpdateDeadLetters"]):
        drain(sqs, queue)
    names = [f"Probe{n}" for n in range(9)]
    ids = [espocrm.add("CBeteiligte", lastName=name, emailAddress=f"{name.lower()}@example.org") for name in names]
    parties.add("update", ids)
    for n, each in enumerate(ids):
        sqs.send_message(QueueUrl=url, MessageBody=event_of(each))
        if n == 4:
            sqs.send_message(QueueUrl=url, MessageBody="poison")
    advoware = Advoware()
    with serve(advoware) as server:
        output = work_off("beteiligte_sync", sqs, url, surroundings | advoware.env(server.url))
    assert sorted(each["name"] for each in advoware.registry.parties()) == names
    found = sqs.receive_message(QueueUrl=stack["PartyUpdateDeadLetters"], MaxNumberOfMessages=10)["Messages"]
    assert [each["Body"] for each in found] == ["poison"]
    assert parties.stats().depth == parties.stats().dead == 0
    assert not any(name.lower() in output.lower() for name in names)
