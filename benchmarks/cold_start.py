"""Cold start of every target: process start to the first real answer, as multiples of a hello-world function."""

from __future__ import annotations

import os
import signal
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

from sandbox.embedded_redis import free_port, running

ROOT = Path(__file__).parents[1]
HELLO = """
import functions_framework

@functions_framework.http
def hello(request):
    return "hello"
"""


@dataclass(frozen=True)
class Target:
    """What is started and what its first real request is; `limit` is the multiple that is promised."""

    name: str
    source: str
    request: Callable[[str], urllib.request.Request]
    limit: float


def _post(path: str, body: bytes) -> Callable[[str], urllib.request.Request]:
    def make(base: str) -> urllib.request.Request:
        return urllib.request.Request(base + path, body, {"Content-Type": "application/json"})

    return make


def _get(path: str) -> Callable[[str], urllib.request.Request]:
    return lambda base: urllib.request.Request(base + path)


TARGETS = (
    Target(
        "vmh_webhooks",
        "functions/vmh_webhooks/main.py",
        _post("/vmh/webhook/beteiligte/update", b'[{"id":"6b04f6cb7536b613d"}]'),
        2.0,
    ),
    Target("advoware_proxy", "functions/advoware_proxy/main.py", _get("/advoware/employees?aktiv=true"), 2.5),
    Target("calendar_sync_api", "functions/calendar_sync/main.py", _get("/calendar/status"), 3.0),
    Target("calendar_sync_cron", "functions/calendar_sync/main.py", _post("/calendar/cron", b""), 3.0),
    Target("leads", "functions/leads/main.py", _post("/api/leads/vermieterhelden", b"{}"), 2.8),
    Target("threecx", "functions/threecx/main.py", _get("/threecx/lookup?number=0511123456"), 2.5),
)


def seconds_to_first_answer(
    target: str, source: str, request: Callable[[str], urllib.request.Request], env: dict[str, str]
) -> float:
    """Start one target, ask until it answers, end it; an answer of any status counts, a refused connection does not."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "functions_framework",
        "--target",
        target,
        "--source",
        source,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        while time.perf_counter() - started < 30:
            try:
                urllib.request.urlopen(request(f"http://127.0.0.1:{port}"), timeout=10).read()
            except urllib.error.HTTPError:
                pass
            except OSError:
                time.sleep(0.005)
                continue
            return time.perf_counter() - started
        raise TimeoutError(target)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def measure(rounds: int = 9) -> list[tuple[str, float, float, float]]:
    """Give name, median seconds, multiple of hello world and promised multiple; rounds alternate over all targets."""
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
        there = [target for target in TARGETS if (ROOT / target.source).exists()]
        runs: dict[str, list[float]] = {"hello": [], **{target.name: [] for target in there}}
        for _ in range(rounds):
            runs["hello"].append(seconds_to_first_answer("hello", str(hello), _get("/"), env))
            for target in there:
                runs[target.name].append(seconds_to_first_answer(target.name, target.source, target.request, env))
    base = statistics.median(runs["hello"])
    limits = {target.name: target.limit for target in there}
    return [
        (name, statistics.median(times), statistics.median(times) / base, limits.get(name, 1.0))
        for name, times in runs.items()
    ]


def main() -> None:
    """Print the table."""
    print("cold start: process start to the first real answer\n")
    print(f"{'target':<20} {'seconds':>8} {'x hello':>8} {'promised':>9}")
    for name, seconds, multiple, limit in measure():
        print(f"{name:<20} {seconds:>8.3f} {multiple:>8.2f} {limit:>9.1f}")


if __name__ == "__main__":
    main()
