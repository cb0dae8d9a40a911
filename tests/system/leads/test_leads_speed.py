"""The receiver answers fast: it only keeps the lead, with encryption, on a Redis that syncs every write."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from processes import environment, eventually, get, process
from redis_server import RedisServer, free_port, running

WARM, MEASURED, ROUNDS, P99_S, CPU_S = 30, 150, 6, 0.025, 0.010
HEADERS = {"Content-Type": "application/json", "X-Webhook-Secret": "geheim-123"}


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with running(aof=True) as started:
        yield started


def a_form(number: int) -> str:
    return json.dumps(
        {
            "typ": "vermieter",
            "name": "Anna Groß",
            "email": f"a{number}@example.org",
            "telefon": f"0511 12{number:05}",
            "nachricht": f"Mein Mieter zahlt seit {number} Monaten nicht. " * 10,
        }
    )


def seconds_for(port: int, method: str, path: str, body: str | None = None) -> float:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    started = time.perf_counter()
    connection.request(method, path, body, HEADERS)
    answer = connection.getresponse()
    answer.read()
    taken = time.perf_counter() - started
    connection.close()
    assert answer.status == 200
    return taken


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def p99(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99) - 1]


def test_p99_of_the_receiver_one_after_the_other(server, tmp_path, record_property):
    """Other work on the machine only ever adds to the times, so the quietest of a few rounds tells."""
    port = free_port()
    env = environment(
        PORT=str(port),
        REDIS_URL=server.url,
        EVENT_TRANSPORT="redis",
        VERMIETERHELDEN_WEBHOOK_SECRET="geheim-123",
        LEAD_ENCRYPTION_KEY="S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2U=",
    )
    with ExitStack() as stack:
        running_app = stack.enter_context(process("-m", "functions.app", env=env, log=tmp_path / "log"))
        eventually(lambda: get(f"http://127.0.0.1:{port}/health")[0] == 200, 25)
        for number in range(WARM):
            seconds_for(port, "POST", "/api/leads/vermieterhelden", a_form(number))
        before, number, rounds = cpu_s(running_app.pid), WARM, []
        while len(rounds) < ROUNDS and (not rounds or min(rounds) >= P99_S):
            forms = [a_form(number + each) for each in range(MEASURED)]
            rounds.append(p99([seconds_for(port, "POST", "/api/leads/vermieterhelden", form) for form in forms]))
            number += MEASURED
        spent = (cpu_s(running_app.pid) - before) / (number - WARM)
        record_property("p99_s", min(rounds))
        record_property("cpu_s", spent)
        assert spent < CPU_S
        assert min(rounds) < P99_S
