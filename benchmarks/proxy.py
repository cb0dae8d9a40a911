"""Compare calls through the proxy with direct calls to the same double, in the same run: python benchmarks/proxy.py.

Direct and proxied calls alternate at a steady rate, so that both see the same machine at the same moment; their
difference is what the proxy adds. The double runs in a process of its own.
"""

from __future__ import annotations

import argparse
import http.client
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import local
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import proxy_rig as rig  # noqa: E402
from redis_server import free_port, running  # noqa: E402

from benchmarks.table import Row, load  # noqa: E402
from sandbox.advoware import Advoware  # noqa: E402
from shared.advoware.auth import fetch_token  # noqa: E402
from shared.http import HttpClient  # noqa: E402
from shared.settings.advoware import AdvowareSettings  # noqa: E402
from shared.settings.base import read  # noqa: E402

AIMS_MS = {"median": 6.0, "p99": 20.0}
Sample = tuple[float, float]


@contextmanager
def double() -> Iterator[str]:
    """Run the double of Advoware in a process of its own."""
    port = free_port()
    command = [sys.executable, "-m", "sandbox.advoware", "--port", str(port), "--seed", "demo"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        while not reachable(port):
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def reachable(port: int) -> bool:
    """Tell whether somebody listens."""
    try:
        rig.raw(port, b"GET /_sandbox/health HTTP/1.0\r\n\r\n")
    except OSError:
        return False
    return True


class Caller:
    """Calls one address over connections that stay open, one per thread."""

    def __init__(self, url: str, path: str, headers: dict[str, str]) -> None:
        self._host, self._path, self._headers, self._mine = urlsplit(url).netloc, path, headers, local()

    def __call__(self) -> float:
        """Make one call and say how many milliseconds it took."""
        if time.perf_counter() > getattr(self._mine, "until", 0.0):  # functions-framework hangs up after 2 s
            self._mine.wire = http.client.HTTPConnection(self._host, timeout=10)
        self._mine.until = time.perf_counter() + 1.0
        started = time.perf_counter()
        self._mine.wire.request("GET", self._path, headers=self._headers)
        answer = self._mine.wire.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{self._path}: {answer.status}")
        return (time.perf_counter() - started) * 1000


def sample(direct: Caller, proxied: Caller, rate: float, seconds: float) -> list[Sample]:
    """Send `rate` proxied calls a second, each beside a direct one half a step later."""
    step, count = 1 / rate, int(rate * seconds)
    with ThreadPoolExecutor(32) as pool:
        began = time.perf_counter() + 0.1
        futures = []
        for number in range(count * 2):
            time.sleep(max(0.0, began + number * step / 2 - time.perf_counter()))
            futures.append(pool.submit(proxied if number % 2 == 0 else direct))
        times = [future.result() for future in futures]
    return list(zip(times[1::2], times[0::2], strict=True))


def percentile(values: list[float], share: float) -> float:
    """Give the value below which a share of all lie."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def table(samples: list[Sample]) -> list[str]:
    """Show both ways and what the proxy adds."""
    direct, proxied = [pair[0] for pair in samples], [pair[1] for pair in samples]
    lines = [f"{'ms':8}{'direct':>10}{'proxied':>10}{'added':>10}{'aim':>10}"]
    for name, share in (("median", 0.5), ("p90", 0.9), ("p99", 0.99)):
        plain = statistics.median(direct) if name == "median" else percentile(direct, share)
        through = statistics.median(proxied) if name == "median" else percentile(proxied, share)
        aim = f"{AIMS_MS[name]:.0f}" if name in AIMS_MS else ""
        lines.append(f"{name:8}{plain:10.2f}{through:10.2f}{through - plain:10.2f}{aim:>10}")
    return lines


def measure(options: argparse.Namespace) -> list[Sample]:
    """Serve the double and the proxy, and call both."""
    with double() as url, running() as state, tempfile.TemporaryDirectory() as directory:
        env = rig.settings(Advoware(), state.url, url=url, THREADS="16")
        with rig.running(options.kind, env, Path(directory)) as server:
            token = fetch_token(read(AdvowareSettings, env), HttpClient("advoware", 5)).value
            direct = Caller(url, f"/{options.path}", {"Authorization": f"Bearer {token}"})
            proxied = Caller(server.url, f"/advoware/{options.path}", {})
            sample(direct, proxied, options.rate, 1)
            return sample(direct, proxied, options.rate, options.seconds)


def report() -> list[Row]:
    """Say what the proxy adds at a steady rate."""
    samples = measure(arguments().parse_args([]))
    direct, proxied = [pair[0] for pair in samples], [pair[1] for pair in samples]
    rows = [Row("direct calls (the reference)", f"median {statistics.median(direct):.2f} ms, 100/s; {load()}")]
    for name, share in (("median", 0.5), ("p99", 0.99)):
        added, aim = percentile(proxied, share) - percentile(direct, share), AIMS_MS[name]
        rows.append(Row(f"added by the proxy, {name}", f"{added:.2f} ms", f"≤ {aim:.0f} ms", added <= aim))
    return rows


def arguments() -> argparse.ArgumentParser:
    """List what may be chosen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=100.0, help="proxied calls per second")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--path", default="employees")
    parser.add_argument("--kind", choices=("app", "framework"), default="app")
    return parser


def main() -> None:
    """Measure and print."""
    options = arguments().parse_args()
    samples = measure(options)
    print(f"{len(samples)} calls each at {options.rate:.0f}/s, GET /{options.path}, {options.kind}")
    print("\n".join(table(samples)))


if __name__ == "__main__":
    main()
