"""The receiver only keeps the lead: little work each, which a busy machine does not change; times: `make bench`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[3]))

from processes import environment, eventually, get, process
from redis_server import RedisServer, free_port, running

from benchmarks.leads import HEADERS, PATH, a_form

WARM, MEASURED, CPU_S = 30, 150, 0.015


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with running(aof=True) as started:
        yield started


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_taking_a_lead_in_costs_little_of_a_processor(server, tmp_path, record_property):
    port = free_port()
    env = environment(
        PORT=str(port),
        REDIS_URL=server.url,
        EVENT_TRANSPORT="redis",
        VERMIETERHELDEN_WEBHOOK_SECRET="geheim-123",
        LEAD_ENCRYPTION_KEY="S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2U=",
    )
    with ExitStack() as stack:
        app = stack.enter_context(process("-m", "functions.app", env=env, log=tmp_path / "log"))
        url = f"http://127.0.0.1:{port}"
        eventually(lambda: get(f"{url}/health")[0] == 200, 60)
        for number in range(WARM):
            get(url + PATH, HEADERS, a_form(number))
        before = cpu_s(app.pid)
        answers = [get(url + PATH, HEADERS, a_form(WARM + number))[0] for number in range(MEASURED)]
        spent = (cpu_s(app.pid) - before) / MEASURED
    record_property("cpu_s", spent)
    assert answers == [200] * MEASURED
    assert spent < CPU_S
