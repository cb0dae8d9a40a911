"""The audit, the plan and the push over the framework, as callers see them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import functions_framework
import pytest
from calendar_world import World, termin, world
from flask.testing import FlaskClient
from redis_server import running

from functions.calendar_sync.channels import channel_id
from sandbox.faults import Fault
from shared.state import connection

SOURCE = str(Path(__file__).parents[2] / "functions" / "calendar_sync" / "main.py")


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with running() as server:
        yield server.url


@pytest.fixture
def firm(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> Iterator[World]:
    state = connection.connect(redis_url, 1, timeout_s=5)
    state.flushall()
    monkeypatch.setattr("shared.startup.set_up_log", lambda level: None)
    with world(state) as firm:
        env = {"REDIS_URL": redis_url, "EVENT_TRANSPORT": "redis", "CALENDAR_PUSH_TOKEN": "geheim"}
        for name, value in {**firm.env, **env}.items():
            monkeypatch.setenv(name, value)
        yield firm


def client(target: str) -> FlaskClient:
    return functions_framework.create_app(target, SOURCE).test_client()


def test_the_audit_answers_as_the_contract_shows(firm):
    number = firm.advoware.create("SB", **termin(1, "Verhandlung"))
    api = client("calendar_sync_api")
    lists = {"only_in_google": [], "different": [], "duplicates": []}
    wanted = {"kuerzel": "SB", "in_sync": False, "only_in_advoware": [number], **lists}
    assert api.get("/calendar/audit?kuerzel=SB").json == wanted
    firm.settle()
    assert api.get("/calendar/audit?kuerzel=SB").json == wanted | {"in_sync": True, "only_in_advoware": []}
    firm.google.edit_event(firm.calendar(), firm.event_of(number)["id"], summary="anders")
    different = [{"frNr": number, "google_id": firm.event_of(number)["id"], "fields": ["text"]}]
    assert api.get("/calendar/audit?kuerzel=SB").json["different"] == different


def test_without_a_kuerzel_everybody_is_audited(firm):
    answer = client("calendar_sync_api").get("/calendar/audit").json
    assert [(row["kuerzel"], row["in_sync"]) for row in answer["employees"]] == [("SB", True), ("KL", True)]


@pytest.mark.parametrize(("query", "status"), [("kuerzel=XX", 404), ("kuerzel=a%3Ab", 422), ("kuerzel=", 422)])
def test_nobody_is_a_404_and_nonsense_a_422(firm, query, status):
    answer = client("calendar_sync_api").get(f"/calendar/audit?{query}")
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")


def test_a_kuerzel_that_is_too_long_is_named_to_the_letter(firm):
    answer = client("calendar_sync_api").post(
        "/calendar/sync", json={"kuerzel": "ELFZEICHENX"}, headers={"X-Request-ID": "req-1"}
    )
    assert answer.status_code == 422
    assert answer.get_data(as_text=True) == (
        '{"type":"https://bitbylaw.example/problems/invalid-request","title":"Invalid request","status":422,'
        '"detail":"kuerzel: at most 10 characters","instance":"/calendar/sync#req-1",'
        '"errors":[{"field":"kuerzel","code":"too_long","message":"at most 10 characters"}]}'
    )


def test_an_unknown_employee_while_advoware_is_down_is_a_503(firm):
    firm.advoware.board.add(Fault("status", path="^/employees", status=503, times=9))
    answer = client("calendar_sync_api").get("/calendar/audit?kuerzel=XX")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1


def test_a_side_that_cannot_be_read_is_a_503_and_never_a_clean_bill(firm):
    firm.settle()
    firm.advoware.board.add(Fault("html", path="^/appointments", times=9))
    assert client("calendar_sync_api").get("/calendar/audit?kuerzel=SB").status_code == 503


def test_only_get_audits(firm):
    answer = client("calendar_sync_api").post("/calendar/audit")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")


def push(token: str, state: str = "exists", channel: str = "") -> int:
    headers = {"X-Goog-Channel-ID": channel, "X-Goog-Channel-Token": token, "X-Goog-Resource-State": state}
    return client("calendar_push").post("/calendar/push", headers=headers).status_code


def test_a_push_with_the_token_is_on_the_stream_before_its_200(firm):
    firm.deps.employees.all()
    channel = channel_id("SB", firm.deps.settings.bases().keys[0], 7)
    assert push("falsch", channel=channel) == 401
    assert firm.state.smembers("calendar_sync:sync_pending") == set()
    assert push("geheim", "sync", channel) == 200
    assert firm.state.smembers("calendar_sync:sync_pending") == set()
    assert push("geheim", channel=channel) == 200
    assert firm.state.smembers("calendar_sync:sync_pending") == {"SB"}
    assert firm.state.xlen("calendar_sync:queue") == 1


def test_a_push_that_cannot_be_stored_is_a_503(firm, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:9")
    assert push("geheim", channel=channel_id("SB", firm.deps.settings.bases().keys[0], 7)) == 503
