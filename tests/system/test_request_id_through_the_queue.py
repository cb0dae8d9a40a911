"""The id of a request goes with the work that it asks for: into the worker's lines, and from there upstream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import environment, eventually, get, process
from redis_server import free_port, running

from sandbox.espocrm import EspoCrm
from sandbox.server import serve

SECRET, PARTY = "geheim-123", "6b04f6cb7536b613d"
FORM = {"typ": "kontakt", "nachname": "Groß", "email": "anna@example.org", "nachricht": "Was nun?"}
ASKED = {
    "lead.received": ("/api/leads/vermieterhelden", FORM, "req-lead-7"),
    "vmh.beteiligte.update": ("/vmh/webhook/beteiligte/update", [{"id": PARTY}], "req-party-7"),
}


@pytest.fixture
def env() -> Iterator[dict[str, str]]:
    espocrm = EspoCrm()
    with running() as redis, serve(espocrm) as crm:
        yield environment(
            REDIS_URL=redis.url,
            PORT=str(free_port()),
            VERMIETERHELDEN_WEBHOOK_SECRET=SECRET,
            LEAD_ENCRYPTION_KEY="A" * 43 + "=",
            ESPOCRM_DEFAULT_USER_ID="1",
            QUEUE_REAP_SECONDS="0.2",
            RETRY_BASE_SECONDS="0.1",
            **espocrm.env(crm.url),
        )


def ended(log: Path) -> dict[str, list[str]]:
    """Give the request ids of each topic's ended work."""
    found: dict[str, list[str]] = {}
    for line in map(json.loads, log.read_text().splitlines()):
        if line["event"] == "work_ended":
            found.setdefault(line["topic"], []).append(line.get("request_id", ""))
    return found


def test_the_worker_works_under_the_id_of_the_request_and_later_under_one_of_its_own(env, tmp_path):
    base, log = f"http://127.0.0.1:{env['PORT']}", tmp_path / "worker"
    with process("-m", "functions.app", env=env, log=tmp_path / "app"):
        eventually(lambda: get(base + "/health")[0] == 200, 60)
        for path, body, request_id in ASKED.values():
            headers = {"Content-Type": "application/json", "X-Webhook-Secret": SECRET, "X-Request-ID": request_id}
            assert get(base + path, headers, json.dumps(body).encode())[0] == 200
    with process("-m", "functions.worker", env=env, log=log):
        eventually(lambda: log.exists() and ended(log).keys() >= ASKED.keys(), 60)
    for topic, (_, _, request_id) in ASKED.items():
        first, *later = ended(log)[topic]
        assert first == request_id
        assert "" not in later
        assert request_id not in later
