"""Compare our webhook with a bare functions-framework function that does the same SADD, and with Motia doing it.

Beside the bare function ours has one process too: alone, as the framework serves it, and in the all-in-one.
Motia starts processes and so uses every core: beside it the all-in-one has a process for each.

Run: python benchmarks/webhooks.py [--requests 600] [--rounds 9]; it starts a Redis (AOF always) and both functions.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from redis_server import free_port, running  # noqa: E402

from benchmarks import motia  # noqa: E402
from benchmarks.caller import PATH, WEBHOOK, sequential, throughput  # noqa: E402
from benchmarks.table import Row, load, show, spread  # noqa: E402

BARE = """
import functions_framework, json, os, redis
client = redis.Redis.from_url(os.environ["REDIS_URL"], db=1, decode_responses=True)
@functions_framework.http
def bare(request):
    ids = [item["id"] for item in json.loads(request.get_data())]
    return {"added": client.sadd("bare:pending", *ids)}
"""
CORES, ALONE, WHOLE, MANY = os.cpu_count() or 1, "vmh_webhooks", "all-in-one", "all-in-one, a process for each core"
MOTIA_CALLS = 12  # a turn, one after the other, and as many of several callers at once
CALLERS = {MANY: 4 * CORES}  # at once; four keep one process busy, and Motia too


@dataclass
class Figures:
    """What was found in all turns: median and p99 of calls one after the other, answers a second of several callers."""

    ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    per_s: list[float] = field(default_factory=list)

    def take(self, port: int, count: int, first: int, callers: int) -> None:
        """Measure one turn."""
        times = sequential(port, count, first)
        self.ms.append(statistics.median(times))
        self.p99_ms.append(statistics.quantiles(times, n=100)[98])
        self.per_s.append(throughput(port, count, first + 100_000, callers))


def alone(target: str, source: str) -> list[str]:
    """Say how the framework serves a function."""
    return ["-m", "functions_framework", "--target", target, "--source", source]


def as_deployed() -> list[str]:
    """Say how the image and the units serve all functions."""
    return ["-m", "gunicorn", "-c", "functions/gunicorn_conf.py", "functions.app:app"]


@contextlib.contextmanager
def served(command: list[str], redis_url: str, processes: int = 1) -> Iterator[int]:
    """Serve something; give its port once it answers."""
    port = free_port()
    env = {**os.environ, "REDIS_URL": redis_url, "PYTHONPATH": str(ROOT), "LOG_LEVEL": "INFO"}
    env |= {"ESPOCRM_WEBHOOK_SECRETS": ":".join(WEBHOOK), "EVENT_TRANSPORT": "redis"}
    env |= {"WORKERS": str(processes), "THREADS": "8", "HOST": "127.0.0.1", "PORT": str(port)}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen([sys.executable, *command], env=env, cwd=ROOT, **quiet)
    try:
        while server.poll() is None:
            with contextlib.suppress(OSError):
                sequential(port, 1, 0)
                break
            time.sleep(0.01)
        yield port
    finally:
        server.terminate()
        server.wait()


def measure(rounds: int, requests: int, redis_url: str, folder: Path) -> tuple[dict[str, Figures], str]:
    """Serve all at once, call them in short turns so that they meet the same machine; tells why Motia is missing."""
    bare = folder / "bare.py"
    bare.write_text(BARE)
    ours = str(ROOT / "functions" / "vmh_webhooks" / "main.py")
    ways = {"bare": (alone("bare", str(bare)), 1), ALONE: (alone(ALONE, ours), 1), WHOLE: (as_deployed(), 1)}
    ways[MANY] = (as_deployed(), CORES)
    calls = dict.fromkeys(ways, requests)
    found: dict[str, Figures] = {}
    with contextlib.ExitStack() as stack:
        ports = {name: stack.enter_context(served(how, redis_url, many)) for name, (how, many) in ways.items()}
        try:
            ports["motia"], calls["motia"] = stack.enter_context(motia.running(folder, PATH, redis_url)), MOTIA_CALLS
            missing = ""
        except motia.NotMeasuredError as error:
            missing = str(error)
        for name, port in ports.items():
            throughput(port, min(400, calls[name]), 1_000, CALLERS.get(name, 4))  # so that every process is warm
        for turn in range(rounds):
            first = (turn + 1) * 1_000_000
            for name in ports if turn % 2 else reversed(ports):
                found.setdefault(name, Figures()).take(ports[name], calls[name], first, CALLERS.get(name, 4))
    return found, missing


def beside(ours: Figures, other: Figures) -> list[float]:
    """Compare what two do in a second, turn by turn."""
    return [mine / reference for mine, reference in zip(ours.per_s, other.per_s, strict=True)]


def beside_bare(found: dict[str, Figures], name: str, what: str) -> Row:
    """Set one of ours beside the bare function."""
    ratios = beside(found[name], found["bare"])
    ratio, times = statistics.median(ratios), f"turns {min(ratios):.2f} to {max(ratios):.2f}"
    return Row(what, f"{ratio:.2f} of bare ({times})", "≥ 0.85 of bare", ratio >= 0.85)


def beside_motia(found: dict[str, Figures], missing: str) -> list[Row]:
    """Set our webhook beside the predecessor's framework, if it could be run."""
    if missing:
        return [Row("Motia doing the same", f"not measured: {missing}")]
    theirs, many, ratios = found["motia"], found[MANY], beside(found[MANY], found["motia"])
    ratio, single = statistics.median(ratios), statistics.median(beside(found[ALONE], theirs))
    took = f"{statistics.median(theirs.per_s):.1f}/s, p50 {statistics.median(theirs.ms):.0f} ms"
    times = f"{ratio:.0f} x Motia (turns {min(ratios):.0f} to {max(ratios):.0f}), {statistics.median(many.per_s):.0f}/s"
    waits = [them / us for them, us in zip(theirs.ms, found[WHOLE].ms, strict=True)]
    wait = f"{statistics.median(waits):.0f} x Motia (turns {min(waits):.0f} to {max(waits):.0f})"
    return [
        Row(f"Motia {motia.VERSION} doing the same", f"{took}; {spread(theirs.per_s)}"),
        Row("webhook alone with one process, throughput beside Motia", f"{single:.0f} x Motia"),
        Row("all-in-one with one process, one call after the other beside Motia", wait),
        Row(f"{MANY}, throughput beside Motia", times, "≥ 150 x Motia", ratio >= 150),
    ]


def report(rounds: int = 9, requests: int = 600) -> list[Row]:
    """Measure and compare turn by turn."""
    with running(aof=True) as server, tempfile.TemporaryDirectory() as folder:
        found, missing = measure(rounds, requests, server.url, Path(folder))
    ours, bare = found[ALONE], found["bare"]
    p99 = statistics.median(ours.p99_ms)
    reference = f"{statistics.median(bare.per_s):.0f}/s; {rounds} turns, {spread(bare.per_s)}; {load()}"
    return [
        Row("bare function with the same SADD, Redis with AOF always (the reference)", reference),
        beside_bare(found, ALONE, "webhook alone, throughput"),
        beside_bare(found, WHOLE, "webhook in the all-in-one, throughput"),
        Row(
            "webhook alone, one after the other",
            f"p50 {statistics.median(ours.ms):.2f} ms, p99 {p99:.2f} ms"
            f" (bare {statistics.median(bare.ms):.2f} and {statistics.median(bare.p99_ms):.2f} ms,"
            f" all-in-one {statistics.median(found[WHOLE].ms):.2f} ms)",
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
