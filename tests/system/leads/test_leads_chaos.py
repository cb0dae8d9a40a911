"""Three hundred leads while everything around them fails: each accepted one is in EspoCRM exactly once.

EspoCRM is down, slow, failing and closing after the work, Redis is killed twice, three workers are. What the visitors
wrote is then looked for in all that was ever written to Redis (its file of commands), in logs, metrics and refusals.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from processes import environment, eventually, get, process
from redis_server import RedisServer, free_port, running

from sandbox.espocrm import EspoCrm
from sandbox.faults import Fault
from sandbox.server import serve
from shared.state.connection import connect

LEADS, SEED = 300, 20261124
PATH = "/api/leads/vermieterhelden"
FAULTS = (
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 500, "processed": True, "method": "POST"},
    {"kind": "status", "status": 504, "processed": True, "method": "POST"},
    {"kind": "drop_after", "method": "POST"},
    {"kind": "drop_before"},
    {"kind": "drop_after"},
    {"kind": "cut"},
    {"kind": "html"},
    {"kind": "delay", "seconds": 1.4, "method": "POST"},
    {"kind": "late", "seconds": 0.3, "method": "POST"},
)
KINDS = {each["kind"] for each in FAULTS}
TRACES = (b"Kanarie", b"kanarie", b"Anliegen Nummer", b"203.0.113.9", b"0511 9")


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with running(aof=True) as started:
        yield started


def body(number: int) -> bytes:
    form = {
        "typ": ("vermieter", "mieter", "kontakt")[number % 3],
        "nachname": f"Kanarie{number}",
        "email": f"kanarie{number}@example.org",
        "telefon": f"0511 9{number:05}",
        "nachricht": f"Anliegen Nummer {number}",
        "thema": "kaution",
        "ip": "203.0.113.9",
    }
    return json.dumps(form).encode()


class Sender:
    """Sends like the plugin: the same key until it hears 200."""

    def __init__(self, url: str) -> None:
        self.url, self.accepted, self.statuses, self.refusals = url, {}, Counter(), b""

    def send(self, number: int) -> None:
        headers = {
            "Content-Type": "application/json",
            "X-Webhook-Secret": "geheim-123",
            "Idempotency-Key": f"lead-number-{number:04}",
        }
        for _ in range(60):
            status, text, _ = get(self.url + PATH, headers, body(number))
            self.statuses[status] += 1
            if status == 200:
                self.accepted[number] = json.loads(text)["id"]
                if number % 5 == 0:
                    get(self.url + PATH, headers, body(number))  # a sender that did not hear us
                return
            self.refusals += text
            time.sleep(0.1)


def trouble(espocrm: EspoCrm, stop: threading.Event, chance: random.Random) -> None:
    """Have EspoCRM down for a while, then break a few calls of every kind in turn."""
    down = espocrm.board.add(Fault("drop_before"))
    down.times = None
    stop.wait(2.0)
    espocrm.board.clear()
    for chosen in itertools.cycle(FAULTS):
        if len(espocrm.board.faults) < 4:
            espocrm.board.add(Fault(**{"path": "^/api/v1/", "times": chance.randint(1, 2), **chosen}))
        if stop.wait(0.06):
            return


def traces_in(what: bytes) -> list[bytes]:
    return [trace for trace in TRACES if trace in what]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_each_accepted_lead_is_in_espocrm_exactly_once(server, tmp_path):
    chance, espocrm, port = random.Random(SEED), EspoCrm(), free_port()
    with serve(espocrm) as crm, ExitStack() as stack:
        env = environment(
            PORT=str(port),
            REDIS_URL=server.url,
            VERMIETERHELDEN_WEBHOOK_SECRET="geheim-123",
            LEAD_ENCRYPTION_KEY="S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2U=",
            ESPOCRM_DEFAULT_USER_ID="1",
            ESPOCRM_TIMEOUT_SECONDS="1",
            QUEUE_LEASE_SECONDS="2",
            QUEUE_REAP_SECONDS="0.2",
            RETRY_BASE_SECONDS="0.05",
            RETRY_CAP_SECONDS="0.4",
            RETRY_ATTEMPTS="1000",
            **espocrm.env(crm.url),
        )
        url, log = f"http://127.0.0.1:{port}", tmp_path / "log"
        stack.enter_context(process("-m", "functions.app", env=env, log=log))
        workers = [stack.enter_context(process("-m", "functions.worker", env=env, log=log)) for _ in range(2)]
        eventually(lambda: get(f"{url}/health")[0] == 200, 25)
        sender, stop = Sender(url), threading.Event()
        breaker = threading.Thread(target=trouble, args=(espocrm, stop, chance))
        breaker.start()
        with ThreadPoolExecutor(6) as pool:
            sending = [pool.submit(sender.send, number) for number in range(LEADS)]
            for round_number in range(3):
                time.sleep(1.0)
                os.kill(workers[-1].pid, signal.SIGKILL)
                workers.append(stack.enter_context(process("-m", "functions.worker", env=env, log=log)))
                if round_number < 2:
                    server.kill()
                    time.sleep(0.5)
                    server.start()
            for each in sending:
                each.result()
        state = connect(server.url, 0, timeout_s=2)
        eventually(lambda: state.scard("lead:intake_pending") < 10, 120)
        stop.set()
        breaker.join()
        espocrm.board.clear()
        eventually(lambda: state.scard("lead:intake_pending") + state.zcard("lead:processing") == 0, 30)
        espocrm.settle()
        status, text, _ = get(f"{url}/leads/maintenance", body=b"")
        assert status == 200, text
        assert len(sender.accepted) == LEADS, sender.statuses
        rows, ids = espocrm.records.all("Lead"), sender.accepted.values()
        named = Counter(lead_id for row in rows for lead_id in ids if lead_id in row["description"])
        assert set(named.values()) == {1}
        assert len(named) == LEADS == len(rows)
        tasks = Counter(row["parentId"] for row in espocrm.records.all("Task"))
        assert {tasks[row["id"]] for row in rows} == {1}
        assert state.xlen("lead:dead") == 0
        left = [key for key in state.scan_iter("lead:record:*") if state.hexists(key, "payload")]
        assert left == []
        assert {call.fault for call in espocrm.board.calls} >= KINDS
        assert len([call for call in espocrm.board.calls if call.fault == "drop_before"]) >= 10
        written = b"".join(each.read_bytes() for each in server.directory.rglob("*") if each.is_file())
        assert b"lead:record:" in written
        assert traces_in(written) == []
        assert traces_in(log.read_bytes()) == []
        assert traces_in(get(f"{url}/metrics")[1] + sender.refusals) == []
        assert any(traces_in(str(row).encode()) for row in rows)
