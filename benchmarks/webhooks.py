"""Compare our webhook with a bare functions-framework function that does the same SADD, and both cold starts.

Run: python benchmarks/webhooks.py [--requests 2000] [--rounds 3]; it starts a Redis (AOF always) and both functions.
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
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from redis_server import free_port, running  # noqa: E402

from shared.espocrm.signature import sign  # noqa: E402

BARE = """
import functions_framework, json, os, redis
client = redis.Redis.from_url(os.environ["REDIS_URL"], db=1, decode_responses=True)
@functions_framework.http
def bare(request):
    ids = [item["id"] for item in json.loads(request.get_data())]
    return {"added": client.sadd("bare:pending", *ids)}
"""
HELLO = """
import functions_framework
@functions_framework.http
def hello(request):
    return "ok"
"""
PATH, WEBHOOK = "/vmh/webhook/beteiligte/update", ("6b04f6cb7536b613d", "5b2ad7d3f7a3502bf6058bd6d9f06a53")


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
    return http.client.HTTPConnection("127.0.0.1", port, timeout=10)


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


def main() -> None:
    """Measure in turns, so that both meet the same machine."""
    options = argparse.ArgumentParser()
    options.add_argument("--requests", type=int, default=2000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--starts", type=int, default=5)
    chosen = options.parse_args()
    with running(aof=True) as server, tempfile.TemporaryDirectory() as folder:
        sources = {"bare": BARE, "hello": HELLO}
        for name, text in sources.items():
            Path(folder, f"{name}.py").write_text(text)
        files = {name: f"{folder}/{name}.py" for name in sources}
        files["vmh_webhooks"] = str(ROOT / "functions" / "vmh_webhooks" / "main.py")
        found: dict[str, dict[str, list[float]]] = {name: {} for name in files}
        for _ in range(chosen.starts):
            for name, file in files.items():
                with function(name, file, server.url) as (_port, seconds):
                    found[name].setdefault("start_ms", []).append(seconds * 1000)
        for turn in range(chosen.rounds):
            for name in ("bare", "vmh_webhooks"):
                with function(name, files[name], server.url) as (port, _):
                    first = (turn * 100 + 1) * 1_000_000
                    sequential(port, 100, first)
                    times = sequential(port, chosen.requests, first + 1000)
                    found[name].setdefault("p50_ms", []).append(statistics.median(times))
                    found[name].setdefault("p99_ms", []).append(statistics.quantiles(times, n=100)[98])
                    rate = throughput(port, chosen.requests, first + 100_000)
                    found[name].setdefault("per_s", []).append(rate)
    report(found)


def report(found: dict[str, dict[str, list[float]]]) -> None:
    """Print the best of all turns, which the rest of the machine disturbs least, and the ratios turn by turn."""
    best = {
        name: {key: max(values) if key == "per_s" else min(values) for key, values in each.items()}
        for name, each in found.items()
    }
    print(json.dumps({name: {key: round(value, 2) for key, value in each.items()} for name, each in best.items()}))
    ours, bare, hello = (best[name] for name in ("vmh_webhooks", "bare", "hello"))
    turns = ", ".join(
        f"{mine / other:.2f}"
        for mine, other in zip(found["vmh_webhooks"]["per_s"], found["bare"]["per_s"], strict=True)
    )
    print(f"p99 sequential {ours['p99_ms']:.2f} ms (bare {bare['p99_ms']:.2f} ms)")
    print(f"throughput ratio {ours['per_s'] / bare['per_s']:.2f} (by turns {turns})")
    print(f"cold start ratio to hello {ours['start_ms'] / hello['start_ms']:.2f}")


if __name__ == "__main__":
    main()
