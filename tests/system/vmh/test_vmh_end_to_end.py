"""From a person's hand in EspoCRM over real HTTP to Advoware: created, edited, deleted, found again after a loss."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from processes import ROOT, environment, eventually
from redis_server import RedisServer, running
from werkzeug.wrappers import Request

from sandbox.advoware import Advoware
from sandbox.espocrm import EspoCrm
from sandbox.server import serve
from shared.espocrm.client import EspoCrmClient
from shared.espocrm.pause import Pause
from shared.espocrm.registration import register
from shared.events import bus as bus_module
from shared.events.consumer import Consumer
from shared.http import HttpClient
from shared.settings.base import read
from shared.settings.espocrm import EspoCrmSettings

ENTITY = "CBeteiligte"
MAIN = ROOT / "functions" / "vmh_webhooks" / "main.py"


class Office:
    """Both doubles, our function on a port, a worker in a thread."""

    def __init__(self, stack: ExitStack, monkeypatch: pytest.MonkeyPatch, redis: RedisServer) -> None:
        self.redis, self.espocrm, self.advoware = redis, EspoCrm(), Advoware()
        urls = [stack.enter_context(serve(double)).url for double in (self.espocrm, self.advoware)]
        fast = {"EVENT_TRANSPORT": "redis", "QUEUE_REAP_SECONDS": "0.1", "RETRY_BASE_SECONDS": "0.05"}
        settings = {**fast, **self.espocrm.env(urls[0]), **self.advoware.env(urls[1]), "REDIS_URL": redis.url}
        ours = stack.enter_context(serve(self._application))
        self.url = ours.url
        monkeypatch.setattr("shared.startup.set_up_log", lambda level: None)
        client = EspoCrmClient(read(EspoCrmSettings, settings), HttpClient("espocrm", 5), Pause(_down()))
        name, _, value = register(ours.url, client, ENTITY).secrets_line.partition("=")
        for key, setting in {**settings, name: value}.items():
            monkeypatch.setenv(key, setting)
        self.main = self._load()
        self.stopping = threading.Event()
        consumer = Consumer(
            self.main.BUS,
            "vmh:beteiligte",
            self.main.SUBSCRIBERS,
            name="worker",
            parallel=4,
            stopping=self.stopping,
        )
        threading.Thread(target=consumer.run, daemon=True).start()
        stack.callback(self.stopping.set)

    def _application(self, environ: Any, start_response: Any) -> Any:
        return self.main._API(Request(environ))(environ, start_response)

    def _load(self) -> Any:
        spec = importlib.util.spec_from_file_location("vmh_main_of_an_office", MAIN)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def statuses(self) -> list[int]:
        """Let EspoCRM's job run."""
        return [each.status for each in self.espocrm.sender.run_all()]

    def party(self) -> dict[str, Any]:
        rows = self.advoware.registry.parties()
        return rows[0] if rows else {}


def _down() -> Any:
    import fakeredis

    return fakeredis.FakeRedis(decode_responses=True)


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    bus_module._client.cache_clear()
    with ExitStack() as stack:
        yield Office(stack, monkeypatch, stack.enter_context(running(aof=True)))
    bus_module._client.cache_clear()


def test_a_party_created_edited_and_deleted_in_espocrm_arrives_in_advoware(office):
    record_id = office.espocrm.add(ENTITY, firstName="Anna", lastName="Groß", emailAddress="anna@example.org")
    assert office.statuses() == [200]
    eventually(lambda: office.espocrm.get(ENTITY, record_id)["betnr"])
    assert office.party()["betNr"] == office.espocrm.get(ENTITY, record_id)["betnr"]
    office.espocrm.edit(ENTITY, record_id, addressCity="Celle")
    assert office.statuses() == [200]
    eventually(lambda: office.party()["ort"] == "Celle")
    office.espocrm.remove(ENTITY, record_id)
    assert office.statuses() == [200]
    eventually(lambda: office.party()["aktiv"] is False)
    assert len(office.advoware.registry.parties()) == 1


def test_while_redis_is_down_espocrm_is_asked_to_come_again_and_does(office):
    office.redis.kill()
    office.espocrm.add(ENTITY, lastName="Groß")
    assert office.statuses() == [503]
    office.redis.start()
    assert office.statuses() == []
    office.espocrm.clock.advance(minutes=10, seconds=1)
    assert office.statuses() == [200]
    eventually(lambda: office.party().get("name") == "Groß")


def test_what_espocrm_gave_up_is_found_by_the_reconcile(office):
    import requests

    office.redis.kill()
    office.espocrm.add(ENTITY, lastName="Groß")
    for _ in range(4):
        assert office.statuses() == [503]
        office.espocrm.clock.advance(minutes=10, seconds=1)
    assert office.statuses() == []
    assert requests.post(f"{office.url}/vmh/reconcile", timeout=10).status_code == 503
    office.redis.start()
    answer = requests.post(f"{office.url}/vmh/reconcile", timeout=10)
    assert (answer.status_code, answer.json()["new"]) == (200, 1)
    eventually(lambda: office.party().get("name") == "Groß")
    assert requests.post(f"{office.url}/vmh/reconcile?full=true", timeout=10).json()["full"] is True


COLD = """
import functions_framework, sys
client = functions_framework.create_app("vmh_webhooks", sys.argv[1]).test_client()
answer = client.post("/vmh/webhook/beteiligte/update", json=[{"id": "6b04f6f3ad0c854f8"}])
heavy = {"requests", "urllib3", "phonenumbers", "google.auth", "googleapiclient", "httplib2"}
print(answer.status_code, sorted(heavy & set(sys.modules)))
"""


def test_a_cold_start_loads_nothing_that_a_webhook_does_not_need():
    with running() as server:
        command = [sys.executable, "-c", COLD, str(MAIN)]
        env = environment(REDIS_URL=server.url)
        done = subprocess.run(command, env=env, cwd=Path(ROOT), capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "200 []", done.stderr
