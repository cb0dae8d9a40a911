"""Cold start of every target: process start to the first real answer, as multiples of a hello-world function.

Rounds alternate over all targets, so that each meets the same machine; wall time and CPU time (all processes of the
target, user and system) are compared with hello world's in the same rounds. Memory is what the target holds then.
Run: python -m benchmarks.cold_start [--rounds 9]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process import cpu_s, end_group, group_of, memory_mib
from benchmarks.table import Bar, Row, load, spread
from sandbox.embedded_redis import free_port, running

ROOT = Path(__file__).parents[1]
HELLO = """
import functions_framework

@functions_framework.http
def hello(request):
    return "hello"
"""
Request = Callable[[str], urllib.request.Request]


@dataclass(frozen=True)
class Target:
    """What is started and what its first real request is; `limit` is the multiple that is promised."""

    name: str
    source: str
    request: Request
    limit: float
    target: str = ""


@dataclass(frozen=True)
class Start:
    """One start: seconds to the first answer, CPU seconds until then, MiB held afterwards."""

    wall_s: float
    cpu_s: float
    pss_mib: float
    rss_mib: float


def _post(path: str, body: bytes) -> Request:
    return lambda base: urllib.request.Request(base + path, body, {"Content-Type": "application/json"})


def _get(path: str) -> Request:
    return lambda base: urllib.request.Request(base + path)


_STARTED = b"""{"event":"call.started","call_id":"c-1","direction":"inbound","caller":"+49511123456","callee":"12",
"timestamp":"2026-11-24T08:00:00Z"}"""
TARGETS = (
    Target(
        "vmh_webhooks",
        "functions/vmh_webhooks/main.py",
        _post("/vmh/webhook/beteiligte/update", b'[{"id":"6b04f6cb7536b613d"}]'),
        2.0,
    ),
    Target("advoware_proxy", "functions/advoware_proxy/main.py", _get("/advoware/employees?aktiv=true"), 2.5),
    Target("leads", "functions/leads/main.py", _post("/api/leads/vermieterhelden", b"{}"), 2.8),
    Target("threecx", "functions/threecx/main.py", _get("/threecx/lookup?number=0511123456"), 2.5),
    Target("threecx, a call begins", "functions/threecx/main.py", _post("/threecx/webhook", _STARTED), 2.5, "threecx"),
    Target("calendar_sync_api", "functions/calendar_sync/main.py", _get("/calendar/status"), 3.0),
    Target("calendar_sync_cron", "functions/calendar_sync/main.py", _post("/calendar/cron", b""), 3.0),
)


def start(target: str, source: str, request: Request, env: dict[str, str], *more: str) -> Start:
    """Start one target, ask until it answers, end it; an answer of any status counts, a refused connection does not."""
    port = free_port()
    command = [sys.executable, "-m", "functions_framework", "--target", target, "--source", source, *more]
    began = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port)],
        cwd=ROOT,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while time.perf_counter() - began < 60:
            try:
                urllib.request.urlopen(request(f"http://127.0.0.1:{port}"), timeout=30).read()
            except urllib.error.HTTPError:
                pass
            except OSError:
                time.sleep(0.002)
                continue
            wall, pids = time.perf_counter() - began, group_of(process.pid)
            return Start(wall, cpu_s(pids), memory_mib(pids), memory_mib(pids, "Rss"))
        raise TimeoutError(target)
    finally:
        end_group(process)


def measure(rounds: int = 9) -> dict[str, list[Start]]:
    """Start everything once a round."""
    from sandbox.advoware import Advoware
    from sandbox.server import serve

    with tempfile.TemporaryDirectory() as directory, running() as redis, serve(Advoware()) as upstream:
        hello = Path(directory) / "main.py"
        hello.write_text(HELLO)
        env = {
            **os.environ,
            **Advoware().env(upstream.url),
            "REDIS_URL": redis.url,
            "PYTHONPATH": str(ROOT),
            "LOG_LEVEL": "ERROR",
        }
        starts: dict[str, list[Start]] = {"hello": [], **{target.name: [] for target in TARGETS}}
        for _ in range(rounds):
            starts["hello"].append(start("hello", str(hello), _get("/"), env))
            for each in TARGETS:
                starts[each.name].append(start(each.target or each.name, each.source, each.request, env))
    return starts


def compared(starts: dict[str, list[Start]], figure: Callable[[Start], float], name: str) -> float:
    """Compare with hello world, median over median."""
    ours, hello = ([figure(each) for each in starts[which]] for which in (name, "hello"))
    return statistics.median(ours) / statistics.median(hello)


def results(starts: dict[str, list[Start]]) -> tuple[list[Row], list[Bar]]:
    """Write the multiples beside what is promised."""
    hello = [each.wall_s for each in starts["hello"]]
    held = statistics.median(each.pss_mib for each in starts["hello"])
    noise = f"{statistics.median(hello) * 1000:.0f} ms, PSS {held:.0f} MiB; {len(hello)} rounds, {spread(hello)}"
    rows, bars = [Row("hello world (the reference)", f"{noise}; {load()}")], []
    for each in TARGETS:
        wall = compared(starts, lambda one: one.wall_s, each.name)
        cpu = compared(starts, lambda one: one.cpu_s, each.name)
        seconds = statistics.median(one.wall_s for one in starts[each.name])
        pss, rss = (
            statistics.median(getattr(one, kind) for one in starts[each.name]) for kind in ("pss_mib", "rss_mib")
        )
        found = f"{wall:.2f} x ({seconds * 1000:.0f} ms); CPU {cpu:.2f} x; PSS {pss:.0f} MiB, RSS {rss:.0f} MiB"
        rows.append(Row(each.name, found, f"≤ {each.limit:.1f} x", wall <= each.limit))
        bars.append(Bar(each.name, wall, each.limit))
    return rows, bars


def report(rounds: int = 9) -> tuple[list[Row], list[Bar]]:
    """Measure all of it."""
    return results(measure(rounds))


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=9)
    for row in report(options.parse_args().rounds)[0]:
        print(f"cold start: {row.what}: {row.found}{f'  (wanted {row.wanted})' if row.wanted else ''}")


if __name__ == "__main__":
    main()
