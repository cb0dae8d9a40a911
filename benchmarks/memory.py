"""What the processes hold: the whole application and its worker after real work, every target after its first answer.

Pss counts a page that processes share once in all, Rss once in each: Pss is what a process costs, Rss what tools show.
Run: python -m benchmarks.memory
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import requests

from benchmarks.process import memory_mib
from benchmarks.table import Row, show

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "entries")]

from first_calls import CALLS, EVENTS, FORM, House, house  # noqa: E402

from benchmarks.cold_start import Start, start  # noqa: E402
from sandbox.demo.processes import Firm, started  # noqa: E402

APP_MIB, WORKER_MIB, PATIENCE_S = 140, 90, 120
KEY = "S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2U="
READ = (
    "/advoware/employees?aktiv=true",
    "/threecx/lookup?number=0511123456",
    "/threecx/screenpop?number=0511123456",
    "/calendar/status",
    "/calendar/audit",
    "/ops",
    "/ops/deadletters",
    "/openapi.json",
    "/metrics",
)
TOLD = ("/calendar/cron", "/vmh/reconcile", "/threecx/reconcile", "/leads/maintenance", "/ops/relay")


def processes(argument: str) -> list[int]:
    """Find those descendants of this process that were started with an argument, and their children."""
    return [
        pid for pid in _descendants(os.getpid()) if argument in Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    ]


def _descendants(pid: int) -> Iterator[int]:
    for thread in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (thread / "children").read_text().split()):
            yield child
            yield from _descendants(child)


def held(what: str, pids: list[int], limit: int | None = None) -> Row:
    """Write what processes hold together."""
    pss, rss = memory_mib(pids), memory_mib(pids, "Rss")
    each = f" in {len(pids)} processes" if len(pids) > 1 else ""
    found = f"PSS {pss:.0f} MiB, RSS {rss:.0f} MiB{each}"
    return Row(what, found, f"PSS < {limit} MiB" if limit else "", limit is None or pss < limit)


def work(firm: Firm) -> None:
    """Ask everything once: all pages, all that a timer calls, a lead, a first sync of everybody; wait for its end."""
    for path in TOLD:
        requests.post(firm.app + path, timeout=60)
    requests.post(f"{firm.app}/api/leads/vermieterhelden", FORM.encode(), timeout=30).raise_for_status()
    ends = time.monotonic() + PATIENCE_S
    while states(firm) != {"ok"}:
        if time.monotonic() > ends:
            raise TimeoutError(f"the first sync did not end: {states(firm)}")
        time.sleep(0.5)
    for path in READ:
        requests.get(firm.app + path, headers={"X-API-Key": "demo-template-key"}, timeout=60)


def states(firm: Firm) -> set[str]:
    """Tell the states of all employees."""
    answer = requests.get(f"{firm.app}/calendar/status", timeout=30)
    answer.raise_for_status()
    return {row["state"] for row in answer.json()["employees"]}


def whole() -> list[Row]:
    """Measure the all-in-one with one worker and the queue's worker, after their start and after work."""
    os.environ["LEAD_ENCRYPTION_KEY"] = KEY
    parts = (("all-in-one, one worker", "functions.app:app", APP_MIB), ("queue worker", "functions.worker", WORKER_MIB))
    with tempfile.TemporaryDirectory() as folder, started(Path(folder), rate=60_000) as firm:
        before = [held(f"{name}, started", processes(argument)) for name, argument, _ in parts]
        work(firm)
        return [*before, *(held(f"{name}, after work", processes(argument), limit) for name, argument, limit in parts)]


def first_answer(target: str, around: House) -> Start:
    """Serve one target alone as the framework does, and make its first call."""
    method, path, body, kind = around.ready(target)

    def request(base: str) -> urllib.request.Request:
        return urllib.request.Request(base + path, body.encode() or None, {"Content-Type": kind}, method=method)

    env = {**around.env, "EVENT_TRANSPORT": "redis", "THREADS": "8"}
    signature = ("--signature-type", "cloudevent") if kind == EVENTS else ()
    return start(target, f"functions/{CALLS[target].folder}/main.py", request, env, *signature)


def alone() -> list[Row]:
    """Measure every target in a process of its own."""
    with tempfile.TemporaryDirectory() as folder, house(Path(folder)) as around:
        found = {target: first_answer(target, around) for target in CALLS}
    return [
        Row(f"{name} alone", f"PSS {one.pss_mib:.0f} MiB, RSS {one.rss_mib:.0f} MiB") for name, one in found.items()
    ]


def report() -> list[Row]:
    """Measure all of it."""
    return [*whole(), *alone()]


if __name__ == "__main__":
    print(show("Memory", report()))
