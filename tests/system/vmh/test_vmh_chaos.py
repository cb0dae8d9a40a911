"""Nothing swallowed, nothing doubled, whatever is killed; and the predecessor's way fails the same test."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import naive
import pytest
from chaos import POISON, Chaos, Nursery, Result, Weather
from processes import environment
from redis_server import running
from werkzeug.test import Client

from sandbox.advoware import Advoware
from sandbox.espocrm import EspoCrm
from sandbox.server import serve
from shared.events import bus as bus_module

HERE = Path(__file__).parent
FAST = {
    "EVENT_TRANSPORT": "redis",
    "QUEUE_LEASE_SECONDS": "1.5",
    "QUEUE_REAP_SECONDS": "0.1",
    "RETRY_BASE_SECONDS": "0.02",
    "RETRY_CAP_SECONDS": "0.3",
    "RETRY_ATTEMPTS": "12",
    "ADVOWARE_TIMEOUT_SECONDS": "0.6",
    "ESPOCRM_TIMEOUT_SECONDS": "0.6",
    "LOG_LEVEL": "WARNING",
}


@pytest.fixture
def storm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., Result]]:
    """Run a storm over one of the two systems."""
    bus_module._client.cache_clear()
    with ExitStack() as stack:

        def run(system: str, weather: Weather, calm_s: float) -> Result:
            espocrm, advoware = EspoCrm(), Advoware()
            urls = [stack.enter_context(serve(double)).url for double in (espocrm, advoware)]
            server = stack.enter_context(running(aof=True))
            settings = {**FAST, **espocrm.env(urls[0]), **advoware.env(urls[1]), "REDIS_URL": server.url}
            for name, value in settings.items():
                monkeypatch.setenv(name, value)
            environ = environment(**settings, SYSTEM=system)
            environ["PYTHONPATH"] += f":{HERE}"
            nursery = Nursery(environ, tmp_path / "workers.log")
            stack.callback(nursery.close)
            return Chaos(weather, espocrm, advoware, server).run(receiver(system), nursery, calm_s)

        yield run
    bus_module._client.cache_clear()


def receiver(system: str) -> Callable[[str, bytes], int]:
    """Give the way in."""
    if system == "naive":
        client = naive.connect()
        return lambda action, raw: naive.receive(client, action, raw)
    main = fresh_main()

    def application(environ: Any, start_response: Any) -> Any:
        from werkzeug.wrappers import Request

        return main._API(Request(environ))(environ, start_response)

    path = "/vmh/webhook/beteiligte/"
    return lambda action, raw: (
        Client(application).post(path + action, data=raw, content_type="application/json").status_code
    )


def fresh_main() -> Any:
    """Load the function over the settings of this test."""
    import importlib.util

    from functions.vmh_webhooks import handler

    source = Path(handler.__file__).with_name("main.py")
    spec = importlib.util.spec_from_file_location("vmh_main_of_a_storm", source)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def report(result: Result) -> None:
    """Show what happened when the test is run with -s."""
    sys.stdout.write(f"\n{result}\n")


def test_nothing_is_swallowed_nothing_doubled_and_only_the_poison_dies(storm, monkeypatch):
    monkeypatch.setattr("shared.startup.set_up_log", lambda level: None)
    result = storm("ours", Weather(seed=int(os.environ.get("CHAOS_SEED", "1"))), 20.0)
    report(result)
    assert (result.stale, result.missing, result.doubled) == ([], [], [])
    assert result.pending == 0
    assert result.dead == [POISON + "ig"]
    assert (result.worker_kills, result.redis_kills) == (60, 6)
    assert result.accepted >= 441
    assert result.faults > 20


def test_the_predecessors_way_fails_the_same_test(storm, monkeypatch):
    monkeypatch.setattr("shared.startup.set_up_log", lambda level: None)
    result = storm("naive", Weather(edits=200, worker_kills=20, redis_kills=2), 1.0)
    report(result)
    assert result.stale or result.missing or result.doubled
