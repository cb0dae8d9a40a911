"""Each target that sends events says at `/ready` when they would have no way out."""

from __future__ import annotations

from pathlib import Path

import pytest
from functions_framework import create_app

ROOT = Path(__file__).parents[2]
GATE = {"X-Gateway-Secret": "tor"}
SENDERS = {
    "calendar_sync_cron": "calendar_sync",
    "calendar_sync_api": "calendar_sync",
    "calendar_push": "calendar_sync",
    "calendar_sync_all": "calendar_sync",
    "vmh_webhooks": "vmh_webhooks",
    "leads": "leads",
    "leads_maintenance": "leads",
    "threecx": "threecx",
}
OTHERS = {
    "advoware_proxy": "advoware_proxy",
    "beteiligte_sync": "vmh_webhooks",
    "lead_intake": "leads",
    "call_journal": "threecx",
    "ops": "ops",
}
SECRETS = {
    "GATEWAY_SECRET": "tor",
    "ESPOCRM_WEBHOOK_SECRETS": "wh1:geheim",
    "VERMIETERHELDEN_WEBHOOK_SECRET": "geheim-123",
    "LEAD_ENCRYPTION_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "THREECX_WEBHOOK_SECRET": "phone-secret",
    "THREECX_TEMPLATE_KEY": "template-key",
    "REDIS_URL": "redis://127.0.0.1:9",
}


@pytest.fixture
def ready(monkeypatch):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)

    def ask(target: str, **environ: str):
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        source = ROOT / "functions" / (SENDERS | OTHERS)[target] / "main.py"
        return create_app(target, str(source)).test_client().get("/ready", headers=GATE)

    return ask


@pytest.mark.parametrize("target", SENDERS)
def test_in_production_the_missing_way_out_is_named(ready, target):
    assert "EVENT_BASE_URL" in ready(target, ENVIRONMENT="production").json["missing"]


@pytest.mark.parametrize("target", SENDERS)
def test_with_an_address_nothing_is_missing_for_sending(ready, target):
    answer = ready(target, ENVIRONMENT="production", EVENT_BASE_URL="http://events.test")
    assert not [name for name in answer.json["missing"] if name.startswith("EVENT_")]


@pytest.mark.parametrize("target", OTHERS)
def test_who_sends_no_events_of_its_own_needs_no_address(ready, target):
    assert not [name for name in ready(target, ENVIRONMENT="production").json["missing"] if name.startswith("EVENT_")]


def test_in_development_it_is_a_warning(ready):
    answer = ready("vmh_webhooks").json
    assert "EVENT_BASE_URL is missing: events wait in the outbox" in answer["warnings"]
    assert "EVENT_BASE_URL" not in answer["missing"]
