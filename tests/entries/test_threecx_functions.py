"""The two targets through functions-framework, each alone."""

import json
from pathlib import Path

import pytest
from functions_framework import create_app

SOURCE = str(Path(__file__).parents[2] / "functions" / "threecx" / "main.py")
BODY = {"event": "call.ended", "call_id": "c-1", "direction": "inbound", "timestamp": "2026-11-24T08:00:00Z"}


@pytest.fixture
def phone(monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:9")
    return create_app("threecx", SOURCE).test_client()


def test_the_phone_function_answers_health_lookup_and_problems(phone):
    assert phone.get("/health").json == {"status": "ok"}
    assert phone.get("/ready").status_code == 503
    assert phone.get("/threecx/lookup?number=anonymous").json == {"contacts": []}
    answer = phone.post("/threecx/webhook", json=BODY)
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert phone.get("/threecx/nothing").status_code == 404
    answer = phone.get("/threecx/calls")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert phone.post("/threecx/calls", json={}).status_code == 422


def test_a_body_over_the_limit_is_refused(phone):
    assert phone.post("/threecx/webhook", data=b"x" * (1024 * 1024 + 1)).status_code == 413


def test_production_does_not_start_without_its_secrets(monkeypatch, capsys):
    monkeypatch.setenv("ENVIRONMENT", "production")
    with pytest.raises(SystemExit) as refused:
        create_app("threecx", SOURCE)
    for name in ("GATEWAY_SECRET", "THREECX_WEBHOOK_SECRET", "THREECX_TEMPLATE_KEY"):
        assert name in str(refused.value)


def test_the_journal_takes_events_and_refuses_others(monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:9")
    client = create_app("call_journal", SOURCE, "cloudevent").test_client()
    event = {"specversion": "1.0", "id": "1", "type": "threecx.call", "source": "/functions/threecx"}
    headers = {"Content-Type": "application/cloudevents+json"}

    def post(**data):
        body = json.dumps({**event, "datacontenttype": "application/json", "data": data})
        return client.post("/", data=body, headers=headers)

    assert post(call_key="c-1").status_code == 503
    assert post().status_code == 422
    assert post(call_key="*").status_code == 422
