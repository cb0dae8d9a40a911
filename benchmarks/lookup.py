"""How long a ringing phone waits for the lookup and the screen pop, over loopback, also while all upstreams hang.

Run: python -m benchmarks.lookup [--requests 200] [--rounds 5]; it starts a Redis, both doubles and the function, each
in its own process. Of all rounds the best is shown, which the rest of the machine disturbs least.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.table import Row, load, show
from sandbox.embedded_redis import free_port, running

ROOT = Path(__file__).parent.parent
KNOWN, NUMBERS = "%2B495111234567", "%2B4951177{:05}"
P95_MS, LONGEST_MS = 50.0, 1500.0


@contextlib.contextmanager
def started(*arguments: str, env: dict[str, str], log: Path) -> Iterator[None]:
    """Run Python for the length of a block; what it prints goes to a file."""
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=env, stdout=out, stderr=out)
        try:
            yield
        finally:
            process.terminate()
            process.wait()


def wait_for(url: str) -> None:
    """Wait until somebody answers."""
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url, timeout=2).close()
            return
        time.sleep(0.05)
    raise TimeoutError(url)


def printed(log: Path) -> dict[str, str]:
    """Read the settings that a double has printed."""
    return dict(line.split("=", 1) for line in log.read_text().splitlines() if "=" in line)


def post(url: str, body: object, **headers: str) -> None:
    """Post JSON."""
    raw = json.dumps(body).encode()
    request = urllib.request.Request(url, raw, {"Content-Type": "application/json", **headers})
    urllib.request.urlopen(request, timeout=10).close()


@contextlib.contextmanager
def phone() -> Iterator[tuple[int, Callable[[], None]]]:
    """Serve the function with everything around it; give its port, and a hand that lets all upstreams hang."""
    with contextlib.ExitStack() as stack:
        redis = stack.enter_context(running())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        env = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT)}
        ports = {name: free_port() for name in ("advoware", "espocrm", "threecx")}
        urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        for name, more in (("advoware", ("--seed", "demo")), ("espocrm", ())):
            command = ("-m", f"sandbox.{name}", "--port", str(ports[name]), *more)
            stack.enter_context(started(*command, env=env, log=folder / name))
            wait_for(f"{urls[name]}/_sandbox/health")
        settings = printed(folder / "advoware") | printed(folder / "espocrm")
        person = {"firstName": "Anna", "lastName": "Groß", "phoneNumber": "+495111234567"}
        post(f"{settings['ESPOCRM_API_BASE_URL']}Contact", person, **{"X-Api-Key": settings["ESPOCRM_API_KEY"]})
        env |= {**settings, "REDIS_URL": redis.url, "EVENT_TRANSPORT": "redis", "LOG_LEVEL": "WARNING"}
        serve = ("-m", "functions_framework", "--target", "threecx", "--source", "functions/threecx/main.py")
        stack.enter_context(started(*serve, "--port", str(ports["threecx"]), env=env, log=folder / "threecx"))
        wait_for(f"{urls['threecx']}/health")

        def hang() -> None:
            for name in ("advoware", "espocrm"):
                post(f"{urls[name]}/_sandbox/faults", {"kind": "delay", "seconds": 5, "times": None})

        yield ports["threecx"], hang


def times_ms(port: int, paths: list[str]) -> list[float]:
    """Ask one after the other over one connection."""
    to, found = http.client.HTTPConnection("127.0.0.1", port, timeout=10), []
    for path in paths:
        began = time.perf_counter()
        to.request("GET", path)
        answer = to.getresponse()
        answer.read()
        assert answer.status == 200, (path, answer.status)
        found.append((time.perf_counter() - began) * 1000)
    to.close()
    return found


def p95_ms(times: list[float]) -> float:
    """Say what 19 of 20 calls stay below."""
    return statistics.quantiles(times, n=20)[-1]


def row(what: str, rounds: list[list[float]], limit_ms: float = 0.0) -> Row:
    """Write the best of several rounds."""
    times = min(rounds, key=p95_ms)
    p95, worst = p95_ms(times), max(map(p95_ms, rounds))
    found = f"p50 {statistics.median(times):.1f} ms, p95 {p95:.1f} ms (worst round {worst:.1f} ms)"
    return Row(what, found, f"p95 < {limit_ms:.0f} ms" if limit_ms else "", not limit_ms or p95 < limit_ms)


def report(requests: int = 200, rounds: int = 5) -> list[Row]:
    """Measure: somebody known, strangers, the page, and the lookup while everything hangs."""
    lookup, page = "/threecx/lookup?number=", "/threecx/screenpop?number="
    found: dict[str, list[list[float]]] = {}
    with phone() as (port, hang):
        times_ms(port, [lookup + KNOWN, page + KNOWN] * 10)
        for turn in range(rounds):
            strangers = [lookup + NUMBERS.format(turn * requests + number) for number in range(requests)]
            asked = {"lookup, somebody known": [lookup + KNOWN] * requests, "lookup, strangers": strangers}
            asked |= {"lookup, strangers again": strangers, "screen pop": [page + KNOWN] * (requests // 4)}
            for what, paths in asked.items():
                found.setdefault(what, []).append(times_ms(port, paths))
        hang()
        longest = max(times_ms(port, [lookup + KNOWN] * 5))
    limits = {what: P95_MS for what in found if what.startswith("lookup")}
    rows = [row(what, series, limits.get(what, 0.0)) for what, series in found.items()]
    hanging = Row("lookup while all hang", f"longest {longest:.0f} ms", "< 1500 ms", longest < LONGEST_MS)
    return [Row("the machine", load()), *rows, hanging]


def main() -> None:
    """Print the result."""
    options = argparse.ArgumentParser()
    options.add_argument("--requests", type=int, default=200)
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    print(show("Lookup while a phone rings", report(chosen.requests, chosen.rounds)))


if __name__ == "__main__":
    main()
