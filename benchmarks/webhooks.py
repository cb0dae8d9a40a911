"""Compare our webhook with a bare functions-framework function that does the same SADD, and with Motia doing it.

Run: python benchmarks/webhooks.py [--requests 600] [--rounds 9]; it starts a Redis (AOF always) and both functions.
"""

import argparse
import contextlib
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from redis_server import free_port, running  # noqa: E402

from benchmarks import motia  # noqa: E402
from benchmarks.table import Row, load, show, spread  # noqa: E402
from shared.espocrm.signature import sign  # noqa: E402

BARE = """
import functions_framework, json, os, redis
client = redis.Redis.from_url(os.environ["REDIS_URL"], db=1, decode_responses=True)
@functions_framework.http
def bare(request):
    ids = [item["id"] for item in json.loads(request.get_data())]
    return {"added": client.sadd("bare:pending", *ids)}
"""
PATH, WEBHOOK = "/vmh/webhook/beteiligte/update", ("6b04f6cb7536b613d", "5b2ad7d3f7a3502bf6058bd6d9f06a53")
MOTIA_CALLS = 12  # a turn, one after the other, and as many of four callers at once


@dataclass
class Figures:
    """What was found in all turns: median and p99 of calls one after the other, answers a second of several callers."""

    ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    per_s: list[float] = field(default_factory=list)

    def take(self, port: int, count: int, first: int) -> None:
        """Measure one turn."""
        times = sequential(port, count, first)
        self.ms.append(statistics.median(times))
        self.p99_ms.append(statistics.quantiles(times, n=100)[98])
        self.per_s.append(throughput(port, count, first + 100_000))


@contextlib.contextmanager
def function(target: str, source: str, redis_url: str) -> Iterator[tuple[int, float]]:
    """Serve a function as the framework does; give its port and the seconds until its first answer."""
    port, began = free_port(), time.perf_counter()
    env = {**os.environ, "REDIS_URL": redis_url, "PYTHONPATH": str(ROOT), "LOG_LEVEL": "INFO"}
    env |= {"ESPOCRM_WEBHOOK_SECRETS": ":".join(WEBHOOK), "EVENT_TRANSPORT": "redis", "WORKERS": "1", "THREADS": "8"}
    command = [sys.executable, "-m", "functions_framework", "--target", target, "--source", source, "--port", str(port)]
    server = subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if call(connection(port), 0) == 200:
                    break
            time.sleep(0.002)
        yield port, time.perf_counter() - began
    finally:
        server.terminate()
        server.wait()


def connection(port: int) -> http.client.HTTPConnection:
    """Open a connection."""
    return http.client.HTTPConnection("127.0.0.1", port, timeout=30)


def call(to: http.client.HTTPConnection, number: int) -> int:
    """Deliver one record's change."""
    raw = json.dumps([{"id": f"{number:017x}", "lastName": "Groß", "emailAddress": "a@example.org"}]).encode()
    to.request("POST", PATH, raw, {"Content-Type": "application/json", **sign(raw, *WEBHOOK)})
    answer = to.getresponse()
    answer.read()
    return answer.status


def sequential(port: int, count: int, start: int) -> list[float]:
    """Time one call after the other, in milliseconds."""
    to, times = connection(port), []
    for number in range(start, start + count):
        began = time.perf_counter()
        assert call(to, number) == 200
        times.append((time.perf_counter() - began) * 1000)
    return times


def throughput(port: int, count: int, start: int, threads: int = 4) -> float:
    """Count answers per second of several callers."""

    def work(first: int) -> None:
        to = connection(port)
        for number in range(first, first + count // threads):
            assert call(to, number) == 200

    callers = [threading.Thread(target=work, args=(start + each * count,)) for each in range(threads)]
    began = time.perf_counter()
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    return count / (time.perf_counter() - began)


def measure(rounds: int, requests: int, redis_url: str, folder: Path) -> tuple[dict[str, Figures], str]:
    """Serve all at once, call them in short turns so that they meet the same machine; tells why Motia is missing."""
    bare = folder / "bare.py"
    bare.write_text(BARE)
    files = {"bare": str(bare), "vmh_webhooks": str(ROOT / "functions" / "vmh_webhooks" / "main.py")}
    calls = dict.fromkeys(files, requests)
    found: dict[str, Figures] = {}
    with contextlib.ExitStack() as stack:
        ports = {name: stack.enter_context(function(name, file, redis_url))[0] for name, file in files.items()}
        try:
            ports["motia"], calls["motia"] = stack.enter_context(motia.running(folder, PATH, redis_url)), MOTIA_CALLS
            missing = ""
        except motia.NotMeasuredError as error:
            missing = str(error)
        for name, port in ports.items():
            sequential(port, min(100, calls[name]), 1_000)
        for turn in range(rounds):
            first = (turn + 1) * 1_000_000
            for name in ports if turn % 2 else reversed(ports):
                found.setdefault(name, Figures()).take(ports[name], calls[name], first)
    return found, missing


def beside(ours: Figures, other: Figures) -> list[float]:
    """Compare what two do in a second, turn by turn."""
    return [mine / reference for mine, reference in zip(ours.per_s, other.per_s, strict=True)]


def beside_motia(found: dict[str, Figures], missing: str) -> list[Row]:
    """Set our webhook beside the predecessor's framework, if it could be run."""
    if missing:
        return [Row("Motia doing the same", f"not measured: {missing}")]
    theirs, ratios = found["motia"], beside(found["vmh_webhooks"], found["motia"])
    ratio = statistics.median(ratios)
    took = f"{statistics.median(theirs.per_s):.1f}/s, p50 {statistics.median(theirs.ms):.0f} ms"
    times = f"{ratio:.0f} x Motia (turns {min(ratios):.0f} to {max(ratios):.0f})"
    return [
        Row(f"Motia {motia.VERSION} doing the same", f"{took}; {spread(theirs.per_s)}"),
        Row("webhook, throughput beside Motia", times, "≥ 150 x Motia", ratio >= 150),
    ]


def report(rounds: int = 9, requests: int = 600) -> list[Row]:
    """Measure and compare turn by turn."""
    with running(aof=True) as server, tempfile.TemporaryDirectory() as folder:
        found, missing = measure(rounds, requests, server.url, Path(folder))
    ours, bare = found["vmh_webhooks"], found["bare"]
    ratios = beside(ours, bare)
    ratio, p99 = statistics.median(ratios), statistics.median(ours.p99_ms)
    reference = f"{statistics.median(bare.per_s):.0f}/s; {rounds} turns, {spread(bare.per_s)}; {load()}"
    return [
        Row("bare function with the same SADD, Redis with AOF always (the reference)", reference),
        Row(
            "webhook, throughput",
            f"{ratio:.2f} of bare (turns {min(ratios):.2f} to {max(ratios):.2f})",
            "≥ 0.85 of bare",
            ratio >= 0.85,
        ),
        Row(
            "webhook, one after the other",
            f"p50 {statistics.median(ours.ms):.2f} ms, p99 {p99:.2f} ms"
            f" (bare {statistics.median(bare.ms):.2f} and {statistics.median(bare.p99_ms):.2f} ms)",
            "p99 < 10 ms",
            p99 < 10,
        ),
        *beside_motia(found, missing),
    ]


def main() -> None:
    """Print all of it."""
    options = argparse.ArgumentParser()
    options.add_argument("--requests", type=int, default=600)
    options.add_argument("--rounds", type=int, default=9)
    chosen, _ = options.parse_known_args()
    print(show("Webhook", report(chosen.rounds, chosen.requests)))


if __name__ == "__main__":
    main()
