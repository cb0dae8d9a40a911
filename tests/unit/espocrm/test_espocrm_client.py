"""What the client makes of EspoCRM's answers, over HTTP against the double and from recordings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import fakeredis
import pytest
import redis
import requests

from sandbox.espocrm import EspoCrm
from sandbox.faults import Fault
from sandbox.server import serve
from shared.errors import (
    UpstreamAuthenticationError,
    UpstreamError,
    UpstreamMalformedError,
    UpstreamRejectedError,
    UpstreamUnavailableError,
)
from shared.espocrm.client import EspoCrmClient
from shared.espocrm.errors import DuplicateError, InvalidFieldError, ModifiedError, PausedError, WrongEntityError
from shared.espocrm.pause import Pause
from shared.espocrm.registration import register
from shared.http import HttpClient
from shared.settings.base import read
from shared.settings.espocrm import EspoCrmSettings

API = json.loads((Path(__file__).parents[2] / "recorded" / "espocrm-api.json").read_text())
EXCHANGES = {each["label"]: each for each in API["exchanges"]}


class World:
    def __init__(self, espocrm: EspoCrm, url: str) -> None:
        self.espocrm, self.url = espocrm, url
        self.redis = fakeredis.FakeRedis(decode_responses=True)

    def client(self, user=None, redis_client=None) -> EspoCrmClient:
        settings = read(EspoCrmSettings, self.espocrm.env(self.url, user))
        pause = Pause(redis_client or self.redis)
        return EspoCrmClient(settings, HttpClient("espocrm", 2, sleep=lambda _: None), pause)


@pytest.fixture
def world() -> Iterator[World]:
    espocrm = EspoCrm()
    with serve(espocrm) as server:
        yield World(espocrm, server.url)


@pytest.fixture
def client(world: World) -> EspoCrmClient:
    return world.client()


def test_a_record_is_created_read_changed_and_deleted(client):
    made = client.create("Lead", {"firstName": "Erika", "lastName": "Müstermann", "phoneNumber": "+49 511 12345678"})
    assert client.read("Lead", made["id"])["phoneNumber"] == "+4951112345678"
    assert client.update("Lead", made["id"], {"status": "In Process"})["status"] == "In Process"
    assert client.delete("Lead", made["id"]) is True
    assert client.delete("Lead", made["id"]) is False
    assert client.read("Lead", made["id"]) is None


def test_hmac_works_as_the_key_does(world):
    user = world.espocrm.user("hmac", hmac=True)
    record_id = world.espocrm.add("Lead", lastName="X")
    assert world.client(user).read("Lead", record_id)["lastName"] == "X"
    assert world.client(user).find("Lead", [{"type": "equals", "attribute": "lastName", "value": "X"}])


def test_a_search_finds_any_number_of_a_record_and_its_plus_survives(world, client):
    numbers = [{"phoneNumber": "+4951155555551", "primary": True}, {"phoneNumber": "+4951155555552"}]
    record_id = world.espocrm.add("Contact", lastName="X", phoneNumberData=numbers)
    world.espocrm.add("Contact", lastName="Y", phoneNumber="+4951155555553")
    where = [{"type": "equals", "attribute": "phoneNumber", "value": "+4951155555552"}]
    assert [row["id"] for row in client.find("Contact", where, select=["id"])] == [record_id]
    assert "%2B49" in world.espocrm.board.calls[-1].query


def test_a_duplicate_names_the_records_that_are_there(world, client):
    record_id = world.espocrm.add("Contact", firstName="Anna", lastName="Bauer")
    with pytest.raises(DuplicateError) as caught:
        client.create("Contact", {"firstName": "Anna", "lastName": "Bauer"})
    assert [row["id"] for row in caught.value.records] == [record_id]
    assert not caught.value.retryable
    made = client.create("Contact", {"firstName": "Anna", "lastName": "Bauer"}, skip_duplicate_check=True)
    assert made["id"] != record_id


def test_a_stale_version_is_refused(world, client):
    record_id = world.espocrm.add("Account", name="Version GmbH")
    client.update("Account", record_id, {"description": "eins"}, version=1)
    with pytest.raises(ModifiedError):
        client.update("Account", record_id, {"description": "zwei"}, version=1)


def test_an_invalid_field_is_named(client):
    with pytest.raises(InvalidFieldError) as caught:
        client.create("Lead", {"lastName": "X", "phoneNumber": "0511 123456"})
    assert (caught.value.field, caught.value.kind) == ("phoneNumber", "valid")
    assert "0511" not in str(caught.value)


def test_an_unknown_entity_is_no_missing_record(client):
    for call in (lambda: client.read("Beteiligte", "x"), lambda: client.find("Beteiligte")):
        with pytest.raises(WrongEntityError):
            call()


def test_pages_are_put_together_by_time(world, client):
    for number in range(450):
        record_id = world.espocrm.add("Lead", lastName=f"Nr{number}")
        world.espocrm.records._rows["Lead"][record_id]["createdAt"] = (
            f"2026-01-01 00:{number // 60:02}:{number % 60:02}"
        )
    names = [row["lastName"] for row in client.walk("Lead", "createdAt")]
    assert names == [f"Nr{number}" for number in range(450)]
    since = [row["lastName"] for row in client.walk("Lead", "createdAt", "2026-01-01 00:07:00")]
    assert since == [f"Nr{number}" for number in range(420, 450)]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("status", status=500), UpstreamUnavailableError),
        (Fault("status", status=503), UpstreamUnavailableError),
        (Fault("status", status=429), UpstreamUnavailableError),
        (Fault("status", status=403, headers={"X-Status-Reason": "No access."}), UpstreamUnavailableError),
        (Fault("status", status=302, headers={"Location": "http://127.0.0.1:1/"}), UpstreamMalformedError),
        (
            Fault("status", status=404, text="<h1>404</h1>", headers={"Content-Type": "text/html"}),
            UpstreamRejectedError,
        ),
        (Fault("html"), UpstreamMalformedError),
        (Fault("drop_before"), UpstreamUnavailableError),
        (Fault("cut"), UpstreamError),
        (Fault("transform", transform=lambda _: []), UpstreamMalformedError),
        (Fault("transform", transform=lambda _: {"id": "another"}), UpstreamMalformedError),
        (Fault("transform", transform=lambda _: {"error": "x"}), UpstreamMalformedError),
    ],
    ids=lambda each: each.kind if isinstance(each, Fault) else "",
)
def test_an_unusable_answer_is_a_failure_and_never_a_missing_record(world, client, fault, error):
    record_id = world.espocrm.add("Lead", lastName="X")
    fault.times = 3
    world.espocrm.board.add(fault)
    with pytest.raises(error):
        client.read("Lead", record_id)


def test_an_unusable_list_is_a_failure_and_never_an_empty_one(world, client):
    for change in (lambda _: [], lambda _: {"list": None}, lambda _: {"list": [1]}, lambda _: {"total": 0}):
        world.espocrm.board.add(Fault("transform", transform=change))
        with pytest.raises(UpstreamMalformedError):
            client.find("Lead")


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_login_stops_every_client_for_a_minute(world, client, status):
    world.espocrm.board.add(Fault("status", status=status))
    with pytest.raises((UpstreamAuthenticationError, UpstreamUnavailableError)):
        client.find("Lead")
    for other in (client, world.client()):
        with pytest.raises(PausedError) as caught:
            other.find("Lead")
        assert 1 <= caught.value.retry_after_s <= 60
    assert world.espocrm.board.count() == 1


def test_a_refusal_with_a_reason_stops_nobody(world):
    limited = world.espocrm.user("limited", denied=frozenset({"Lead.read"}))
    client = world.client(limited)
    for _ in range(2):
        with pytest.raises(UpstreamUnavailableError):
            client.read("Lead", world.espocrm.add("Lead", lastName="X"))
    assert world.espocrm.board.count() == 2


def test_without_redis_a_process_keeps_the_pause_for_itself(world):
    class Down:
        def __getattr__(self, _name):
            def refuse(*_, **__):
                raise redis.ConnectionError

            return refuse

    client = world.client(redis_client=Down())
    world.espocrm.board.add(Fault("status", status=401))
    with pytest.raises(UpstreamAuthenticationError):
        client.find("Lead")
    with pytest.raises(PausedError):
        client.find("Lead")


def test_registering_twice_keeps_the_three_webhooks_and_prints_the_same_line(world, client):
    first = register("https://office.example/", client, "CBeteiligte")
    again = register("https://office.example", client, "CBeteiligte")
    assert first.secrets_line == again.secrets_line
    assert first.secrets_line == "ESPOCRM_WEBHOOK_SECRETS=" + world.espocrm.secrets_line()
    rows = list(world.espocrm.webhooks.rows.values())
    assert [row["event"] for row in rows] == ["CBeteiligte.create", "CBeteiligte.update", "CBeteiligte.delete"]
    assert all(row["skipOwn"] for row in rows)
    assert rows[0]["url"] == "https://office.example/vmh/webhook/beteiligte/create"
    settings = read(EspoCrmSettings, dict([first.secrets_line.split("=", 1)]))
    assert len(settings.webhook_secrets) == 3


SEEN = [
    *(
        f"create_lead_{each}"
        for each in ("invalid_enum", "invalid_email", "phone_not_international", "phone_with_spaces")
    ),
    *(f"create_lead_{each}" for each in ("too_long_last_name", "unknown_attribute_ignored", "malformed_json")),
    *("create_lead_no_content_type", "read_lead_missing", "unknown_entity_type", "unknown_route", "put_lead_missing"),
    *("list_max_size_too_big", "list_bad_where_type", "list_bad_attribute", "list_bad_order", "list_by_phone_equals"),
    *("create_contact_missing_last_name", "create_account_missing_name", "create_call_missing_dates"),
    *("create_task_missing_assignee", "unauthenticated", "wrong_api_key", "hmac_auth_bad", "create_lead"),
    *("list_no_total", "list_search_params_json", "create_cbeteiligte"),
]


@pytest.mark.parametrize("label", SEEN)
def test_the_double_answers_as_the_recorded_one_did(world, label):
    request, wanted = EXCHANGES[label]["request"], EXCHANGES[label]["response"]
    headers = {"X-Api-Key": world.espocrm.integration.api_key, **request["headers"]}
    if label in ("unauthenticated", "wrong_api_key", "hmac_auth_bad"):
        headers = {**request["headers"], **({} if label != "wrong_api_key" else {"X-Api-Key": "wrong"})}
    body = request["body"]
    raw = body if isinstance(body, str) else json.dumps(body) if body is not None else None
    got = requests.request(
        request["method"], world.url + request["path"], data=raw and raw.encode(), headers=headers, timeout=5
    )
    assert got.status_code == wanted["status"]
    assert got.headers.get("X-Status-Reason") == wanted["headers"].get("X-Status-Reason")
    kinds = {name.lower(): value for name, value in wanted["headers"].items()}
    assert got.headers["Content-Type"].partition(";")[0] == kinds["content-type"].partition(";")[0]
    if wanted["status"] == 400:
        assert (got.json() if got.content else "") == (wanted["body"] or "")
    elif isinstance(wanted["body"], dict) and wanted["status"] == 200:
        assert got.json().keys() >= {"total", "list"} & wanted["body"].keys()
