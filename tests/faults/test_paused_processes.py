"""Receivers and workers killed, and stopped for longer than their lease lasts: the history has nothing to say."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest
from checker import History, Told, verdict
from processes import children, environment, eventually, get, process
from redis_server import free_port, running

sys.path.append(str(Path(__file__).parents[1] / "system" / "vmh"))

from chaos import Nursery

from sandbox.advoware import Advoware
from sandbox.espocrm import EspoCrm
from sandbox.server import serve
from shared.state.connection import connect
from shared.state.queue import PARTIES, WorkQueue

ENTITY, RECORDS, STORM_S, LEASE_S = "CBeteiligte", 20, 14.0, 1.0
SYSTEM_TESTS = Path(__file__).parents[1] / "system"
GUNICORN = ("-m", "gunicorn", "-c", "functions/gunicorn_conf.py", "functions.app:app")
SETTINGS = {
    "QUEUE_LEASE_SECONDS": str(LEASE_S),
    "QUEUE_REAP_SECONDS": "0.1",
    "RETRY_BASE_SECONDS": "0.02",
    "RETRY_CAP_SECONDS": "0.3",
    "RETRY_ATTEMPTS": "100000",
    "ADVOWARE_TIMEOUT_SECONDS": "0.6",
    "ESPOCRM_TIMEOUT_SECONDS": "0.6",
    "EVENT_TRANSPORT": "redis",
    "LOG_LEVEL": "WARNING",
    "HOST": "127.0.0.1",
}


class Storm:
    """Twenty records that people edit, two receivers, four workers, and a hand that kills and stops."""

    def __init__(self, espocrm: EspoCrm, ports: list[int], seed: int) -> None:
        self.espocrm, self.ports, self.random = espocrm, ports, random.Random(seed)
        self.history, self.newest, self.stop = History(), dict[str, int](), threading.Event()
        self.locks = {self._enter(number): threading.Lock() for number in range(RECORDS)}
        self.kills = self.pauses = 0

    def _enter(self, number: int) -> str:
        record = self.espocrm.add(
            ENTITY, firstName="Person", lastName=f"Nr{number}", addressStreet="Weg 0", silent=True
        )
        self.newest[record] = 0
        return record

    def send(self, sender: int) -> None:
        """Edit, tell, and tell again as EspoCRM does: four times at most."""
        chance = random.Random(sender)
        while not self.stop.is_set():
            record = chance.choice(list(self.locks))
            with self.locks[record]:
                version = self.newest[record] = self.newest[record] + 1
                self.espocrm.edit(ENTITY, record, addressStreet=f"Weg {version}", silent=True)
            action, raw = "create" if version == 1 else "update", json.dumps([{"id": record}]).encode()
            for _ in range(4):
                url = f"http://127.0.0.1:{chance.choice(self.ports)}/vmh/webhook/beteiligte/{action}"
                status = tell(url, raw)
                self.history.note(record, version, ok=status == 200)
                assert status in {0, 200, 503}, status
                if status == 200:
                    break
                time.sleep(0.2)
            time.sleep(0.05)

    def hurt(self, pids: list[int]) -> None:
        """Stop one for two leases, or let it be; the caller kills."""
        pid = self.random.choice(pids)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            time.sleep(2 * LEASE_S)
            os.kill(pid, signal.SIGCONT)
            self.pauses += 1


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[dict[str, Any]]:
    with ExitStack() as stack:
        espocrm, advoware = EspoCrm(), Advoware()
        urls = [stack.enter_context(serve(double)).url for double in (espocrm, advoware)]
        server = stack.enter_context(running(aof=True))
        env = {**SETTINGS, **espocrm.env(urls[0]), **advoware.env(urls[1]), "REDIS_URL": server.url}
        nursery = Nursery(environment(**env, SYSTEM="ours"), tmp_path / "workers.log")
        stack.callback(nursery.close)
        ports = [free_port(), free_port()]
        apps = [
            stack.enter_context(process(*GUNICORN, env=environment(**env, PORT=str(port)), log=tmp_path / "app.log"))
            for port in ports
        ]
        for port in ports:
            eventually(lambda port=port: get(f"http://127.0.0.1:{port}/health")[0] == 200, 60)
        yield {
            "espocrm": espocrm,
            "advoware": advoware,
            "server": server,
            "nursery": nursery,
            "ports": ports,
            "apps": apps,
        }


def tell(url: str, raw: bytes) -> int:
    """Tell once; 0 where no whole answer came."""
    try:
        return get(url, {"Content-Type": "application/json"}, raw)[0]
    except HTTPException:
        return 0


@pytest.mark.timeout(180)
def test_whoever_is_killed_or_stopped_nothing_is_lost_doubled_or_overwritten(parts: dict[str, Any]) -> None:
    storm = Storm(parts["espocrm"], parts["ports"], int(os.environ.get("CHAOS_SEED", "1")))
    nursery, ends = parts["nursery"], time.monotonic() + STORM_S
    sleepers = [nursery.spawn(), nursery.spawn()]  # two of the four workers are stopped, the other two killed
    with ThreadPoolExecutor(6) as pool:
        senders = [pool.submit(storm.send, number) for number in range(6)]
        try:
            while time.monotonic() < ends:
                receivers = [child for app in parts["apps"] for child in children(app.pid)]
                pausing = threading.Thread(target=storm.hurt, args=([*sleepers, storm.random.choice(receivers)],))
                pausing.start()
                for _ in range(3):
                    time.sleep(0.5)
                    nursery.kill_one()
                    storm.kills += 1
                with contextlib.suppress(ProcessLookupError):
                    os.kill(storm.random.choice(receivers), signal.SIGKILL)  # gunicorn brings up another
                    storm.kills += 1
                pausing.join()
        finally:
            storm.stop.set()
            nursery.pids += sleepers
        for each in senders:
            each.result()
    queue = WorkQueue(connect(parts["server"].url, 1, timeout_s=5), PARTIES)
    idle = lambda: (stats := queue.stats()).depth + stats.processing + stats.delayed == 0  # noqa: E731
    eventually(idle, 60)
    parts["advoware"].settle()
    by_name = {parts["espocrm"].get(ENTITY, record)["lastName"]: record for record in storm.newest}
    rows = parts["advoware"].registry.parties()
    shown = [(by_name.get(row["name"], row["name"]), int(row["strasse"].split()[1])) for row in rows]
    assert verdict(storm.history.entries, shown, storm.newest) == []
    assert queue.stats().dead == 0
    told = f"{len(storm.history.entries)} told, {storm.history.count('unknown')} unknown, {storm.kills} kills"
    assert storm.history.count("ok") > 100, told
    assert storm.history.count("unknown") > 0, told
    assert (storm.kills >= 12, storm.pauses >= 3) == (True, True), told


def test_the_checker_sees_what_it_is_there_for() -> None:
    history = [Told("a", 1, "ok"), Told("a", 2, "ok"), Told("b", 1, "ok"), Told("c", 1, "unknown")]
    sources = {"a": 2, "b": 1, "c": 1}
    assert verdict(history, [("a", 2), ("b", 1)], sources) == []
    assert verdict(history, [("a", 2), ("b", 1), ("c", 1)], sources) == []
    assert verdict(history, [("a", 1), ("b", 1)], sources) == ["stale: a shows 1, acknowledged was 2"]
    assert verdict(history, [("a", 2)], sources) == ["lost: b at 1"]
    assert verdict(history, [("a", 2), ("b", 1), ("b", 1)], sources) == ["doubled: b"]
    assert verdict(history, [("a", 2), ("b", 1), ("x", 0)], sources) == ["from nowhere: x at 0"]
