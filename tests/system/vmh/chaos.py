"""Forty parties in bad weather: failing upstreams, killed workers, a killed Redis; then compare every field."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import redis
from redis_server import RedisServer

from sandbox.advoware import Advoware
from sandbox.espocrm import EspoCrm
from sandbox.faults import Fault
from shared.mapping.phone import e164
from shared.state.connection import connect
from shared.state.queue import PARTIES, WorkQueue

ROOT = Path(__file__).parents[3]
ENTITY, POISON = "CBeteiligte", "Gift"
FAULTS = ("status", "status", "drop_before", "drop_after", "html", "cut", "delay")
SLOW = 0.3  # a share of calls takes so long that an edit falls into the middle of a run
Receive = Callable[[str, bytes], int]


@dataclass
class Weather:
    """How bad it gets."""

    parties: int = 40
    threads: int = 16
    edits: int = 400
    duplicates: float = 0.2
    failures: float = 0.15
    worker_kills: int = 60
    redis_kills: int = 6
    seed: int = 1


@dataclass
class Result:
    """What was found in the end."""

    stale: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    pending: int = 0
    dead: list[str] = field(default_factory=list)
    drained_s: float = 0.0
    accepted: int = 0
    refused: int = 0
    worker_kills: int = 0
    redis_kills: int = 0
    faults: int = 0


class Flaky:
    """Hands a double a random fault for a share of its calls."""

    def __init__(self, double: EspoCrm | Advoware, share: float, seed: int) -> None:
        self.struck = 0
        self._share, self._random, self._pick = share, random.Random(seed), double.board.pick
        double.board.pick = self.pick  # type: ignore[method-assign]

    def pick(self, method: str, path: str, query: str) -> Fault | None:
        """Choose what was switched on by hand, or one of the faults at random."""
        by_hand = self._pick(method, path, query)
        if by_hand:
            return by_hand
        if "Token" not in path and self._random.random() < self._share:
            self.struck += 1
            kind = self._random.choice(FAULTS)
            return Fault(kind, status=self._random.choice((500, 502, 503)), seconds=0.05)
        if "Token" not in path and self._random.random() < SLOW:
            return Fault("delay", seconds=0.04)
        return None


class Nursery:
    """Two workers at all times, whatever is killed."""

    def __init__(self, environ: dict[str, str], log: Path) -> None:
        self._log = log.open("ab")
        self._parent = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("nursery.py"))],
            env=environ,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        assert self._parent.stdout
        assert self._parent.stdout.readline() == "ready\n"
        self.pids = [self.spawn(), self.spawn()]
        self.kills = 0

    def spawn(self) -> int:
        assert self._parent.stdin
        assert self._parent.stdout
        self._parent.stdin.write("spawn\n")
        self._parent.stdin.flush()
        return int(self._parent.stdout.readline())

    def kill_one(self) -> None:
        """Kill the older one without a farewell and start another."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pids.pop(0), signal.SIGKILL)
        self.kills += 1
        self.pids.append(self.spawn())

    def close(self) -> None:
        for pid in self.pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._parent.kill()
        self._parent.wait()
        self._log.close()


class Chaos:
    """One run."""

    def __init__(self, weather: Weather, espocrm: EspoCrm, advoware: Advoware, server: RedisServer) -> None:
        self.weather, self.espocrm, self.advoware, self.server = weather, espocrm, advoware, server
        self.random = random.Random(weather.seed)
        self.result = Result()
        self._lock = threading.Lock()

    def run(self, receive: Receive, nursery: Nursery, calm_s: float) -> Result:
        """Prepare, storm, calm down, compare."""
        flaky = [Flaky(double, self.weather.failures, self.weather.seed) for double in (self.espocrm, self.advoware)]
        ids = [self._enter(number) for number in range(self.weather.parties)]
        poison = self._poison()
        deliveries = [("create", each) for each in ids] + [("update", poison)]
        deliveries += [("update", self.random.choice(ids)) for _ in range(self.weather.edits)]
        storm = [threading.Thread(target=each) for each in (lambda: self._kill_workers(nursery), self._kill_redis)]
        for each in storm:
            each.start()
        with ThreadPoolExecutor(self.weather.threads) as pool:
            list(pool.map(lambda each: self._deliver(receive, *each), deliveries))
        for each in storm:
            each.join()
        last = time.monotonic()
        self._calm(calm_s)
        self.result.drained_s = time.monotonic() - last
        self.result.worker_kills = nursery.kills
        self.result.faults = sum(each.struck for each in flaky)
        self._compare(ids)
        return self.result

    def _enter(self, number: int) -> str:
        more = {"emailAddress": f"p{number}@example.org"} if number % 2 else {}
        return self.espocrm.add(ENTITY, firstName="Person", lastName=f"Nr{number}", **more)

    def _poison(self) -> str:
        number = self.advoware.registry.create_party(name=POISON)
        self.advoware.board.add(Fault("status", method="PUT", path=f"^/beteiligte/{number}$", status=422, times=None))
        return self.espocrm.add(ENTITY, lastName=POISON + "ig", betnr=number)

    def _deliver(self, receive: Receive, action: str, record_id: str) -> None:
        """Change a record, and tell of it until somebody says 200; now and then twice."""
        with self._lock:
            edit, twice = self.random.randrange(10**6), self.random.random() < self.weather.duplicates
        if action == "update" and self.espocrm.get(ENTITY, record_id)["lastName"] != POISON + "ig":
            fields = {"addressStreet": f"Weg {edit}", "phoneNumber": f"+49511{edit:06}"}
            self.espocrm.edit(ENTITY, record_id, silent=True, **fields)
        raw = json.dumps([{"id": record_id}]).encode()
        for _ in range(1 + twice):
            while receive(action, raw) != 200:
                self.result.refused += 1
                time.sleep(0.02)
            self.result.accepted += 1
        time.sleep(0.2)

    def _kill_workers(self, nursery: Nursery) -> None:
        for _ in range(self.weather.worker_kills):
            time.sleep(0.13)
            nursery.kill_one()

    def _kill_redis(self) -> None:
        for _ in range(self.weather.redis_kills):
            time.sleep(1.1)
            self.server.kill()
            time.sleep(0.1)
            self.server.start()
            self.result.redis_kills += 1

    def _queue(self) -> WorkQueue:
        return WorkQueue(connect(self.server.url, 1, timeout_s=5), PARTIES)

    def _calm(self, within_s: float) -> None:
        """Wait until nothing is pending, under way or delayed, or until there is no hope."""
        queue, ends = self._queue(), time.monotonic() + within_s
        while time.monotonic() < ends:
            with contextlib.suppress(redis.RedisError):
                stats = queue.stats()
                if stats.depth + stats.processing + stats.delayed == 0:
                    return
            time.sleep(0.05)

    def _compare(self, ids: list[str]) -> None:
        queue, result = self._queue(), self.result
        stats = queue.stats()
        result.pending = stats.depth + stats.processing + stats.delayed
        result.dead = [self.espocrm.get(ENTITY, letter.item)["lastName"] for letter in queue.dead(count=99)]
        rows = self.advoware.registry.parties()
        counts = Counter(row["name"] for row in rows)
        by_name = {row["name"]: row for row in rows}
        for record_id in ids:
            record = self.espocrm.get(ENTITY, record_id)
            name, row = record["lastName"], by_name.get(record["lastName"])
            if row is None or record["betnr"] != row["betNr"]:
                result.missing.append(name)
            elif counts[name] > 1:
                result.doubled.append(name)
            elif not same(record, row):
                result.stale.append(name)


def same(record: dict, row: dict) -> bool:
    """Compare what the edits change."""
    street, phone = record["addressStreet"] or "", record["phoneNumber"] or ""
    there = row["telefon"] or row["mobil"]
    return row["strasse"] == street and (e164(there) or there) == (e164(phone) or phone)
