"""A change of LEAD_ENCRYPTION_KEY between a lead and its repeat: the real app, a real Redis, the same bytes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from processes import environment, eventually, get, process
from redis_server import free_port, running

PATH, SECRET = "/api/leads/vermieterhelden", "geheim-123"
OLD, NEW = "S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2U=", "TmV1TmV1TmV1TmV1TmV1TmV1TmV1TmV1TmV1TmV1TmU="
HEADERS = {"Content-Type": "application/json", "X-Webhook-Secret": SECRET}
FORM = {
    "typ": "vermieter",
    "nachname": "Groß",
    "email": "anna@example.org",
    "thema": "kaution",
    "nachricht": "Was nun?",
}
SENT = {
    "neither key nor id": (HEADERS, json.dumps(FORM).encode()),
    "a key": ({**HEADERS, "Idempotency-Key": "schluessel-1"}, json.dumps(FORM | {"nachricht": "A"}).encode()),
    "an id": (HEADERS, json.dumps(FORM | {"id": "vorgang-0001", "nachricht": "B"}).encode()),
    "a key of 300 letters": ({**HEADERS, "Idempotency-Key": "k" * 300}, json.dumps(FORM | {"nachricht": "C"}).encode()),
    "nobody to reach": ({**HEADERS}, b'{"nachricht":"er sagt "nein""}'),
}


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with running(aof=True) as server:
        yield server.url


@contextmanager
def app(redis_url: str, key: str, log: Path) -> Iterator[str]:
    port = free_port()
    env = environment(
        PORT=str(port), REDIS_URL=redis_url, VERMIETERHELDEN_WEBHOOK_SECRET=SECRET, LEAD_ENCRYPTION_KEY=key
    )
    with process("-m", "functions.app", env=env, log=log):
        url = f"http://127.0.0.1:{port}{PATH}"
        eventually(lambda: get(f"http://127.0.0.1:{port}/health")[0] == 200, 60)
        yield url


def test_a_repeat_after_a_rotation_is_a_replay_and_another_body_a_conflict(redis_url, tmp_path):
    with app(redis_url, OLD, tmp_path / "log") as url:
        before = {name: json.loads(get(url, *sent)[1]) for name, sent in SENT.items()}
    with app(redis_url, f"{NEW},{OLD}", tmp_path / "log") as url:
        for name, sent in SENT.items():
            for _ in range(2):
                status, text, headers = get(url, *sent)
                assert (status, json.loads(text), headers.get("idempotent-replayed")) == (200, before[name], "true"), (
                    name
                )
        for name in ("a key", "an id"):
            headers, body = SENT[name]
            assert get(url, headers, body.replace(b"kaution", b"maengel"))[0] == 409, name
        other = get(url, HEADERS, json.dumps(FORM | {"nachricht": "anders"}).encode())
        assert "idempotent-replayed" not in other[2]
    with app(redis_url, NEW, tmp_path / "log") as url:
        assert "idempotent-replayed" not in get(url, *SENT["a key"])[2], "nobody knows the old key any more"
