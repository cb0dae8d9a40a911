"""The three targets of leads through the framework, and what production refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "leads"))

from functions_framework import create_app
from leads_world import FORM, KEY, PATH, SECRET, World

ROOT = Path(__file__).parents[2]
SOURCE = str(ROOT / "functions" / "leads" / "main.py")


@pytest.fixture
def world(monkeypatch) -> Iterator[World]:
    made = World(monkeypatch, GATEWAY_SECRET="tor")
    yield made
    made.close()


def test_a_lead_through_the_framework_and_its_event(world):
    headers = {"X-Webhook-Secret": SECRET, "X-Gateway-Secret": "tor", "Content-Type": "application/json"}
    client = create_app("leads", SOURCE).test_client()
    assert client.post(PATH, data=json.dumps(FORM), headers={**headers, "X-Gateway-Secret": "x"}).status_code == 401
    answer = client.post(PATH, data=json.dumps(FORM), headers=headers)
    assert (answer.status_code, answer.json["status"]) == (200, "angenommen")
    event = {
        "specversion": "1.0",
        "id": "e1",
        "type": "lead.received",
        "source": "/functions/leads",
        "subject": answer.json["id"],
        "data": {"lead_id": answer.json["id"]},
    }
    subscriber = create_app("lead_intake", SOURCE, signature_type="cloudevent").test_client()
    told = subscriber.post(
        "/", json=event, headers={"X-Gateway-Secret": "tor", "Content-Type": "application/cloudevents+json"}
    )
    assert told.status_code == 204
    assert len(world.rows("Lead")) == 1


def test_the_clock_s_target(world):
    client = create_app("leads_maintenance", SOURCE).test_client()
    assert client.post("/leads/maintenance").status_code == 401
    answer = client.post("/leads/maintenance", headers={"X-Gateway-Secret": "tor"})
    assert answer.json == {"completed": 0, "released": 0, "checks": 0, "escalated": 0, "deleted": 0, "failed": []}
    assert client.get("/health").json == {"status": "ok"}


def test_production_does_not_start_without_secret_and_key(tmp_path):
    for missing in ("VERMIETERHELDEN_WEBHOOK_SECRET", "LEAD_ENCRYPTION_KEY"):
        env = {
            "PYTHONPATH": str(ROOT),
            "ENVIRONMENT": "production",
            "GATEWAY_SECRET": "tor",
            "VERMIETERHELDEN_WEBHOOK_SECRET": SECRET,
            "LEAD_ENCRYPTION_KEY": KEY,
            missing: "",
        }
        run = subprocess.run(
            [sys.executable, "-c", "import functions.leads.main"], env=env, capture_output=True, text=True, check=False
        )
        assert run.returncode != 0
        assert missing in run.stderr


def test_without_a_key_nothing_is_taken(monkeypatch):
    world = World(monkeypatch, LEAD_ENCRYPTION_KEY="")
    answer = world.post(FORM)
    assert (answer.status_code, answer.json["code"]) == (503, "nicht_verfuegbar")
    assert world.redis[0].keys() == []
    world.close()
