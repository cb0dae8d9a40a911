"""The measured process: run the real sync for some employees and tell what each run cost.

Run: python -m benchmarks.calendar_runs, with the settings in the environment. Each line of its input names a first
and a last employee; the answer is one line of JSON: `runs` (calls, changes, CPU and wall seconds of each),
`rss_kb` after 10, 100, 1,000 … runs and at the end, and `peak_kb`, the most that the process ever held.
"""

import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from functions.calendar_sync.deps import Deps, Settings, make_deps
from functions.calendar_sync.handler import Order, sync_employee
from shared.settings.advoware import AdvowareSettings
from shared.settings.base import read
from shared.settings.calendar import CalendarSettings, GoogleSettings
from shared.state.connection import connect

FIGURES = ("created", "updated", "deleted", "failed", "advoware_calls", "google_calls")


def kuerzel_of(number: int) -> str:
    """Name the employee with this number."""
    return f"K{number:04}"


def held(name: str) -> int:
    """Read a figure of this process's memory in kB: VmRSS now, VmHWM at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1])


def one(kuerzel: str, deps: Deps) -> dict[str, Any]:
    """Run for one employee."""
    wall, cpu = time.perf_counter(), time.process_time()
    row = sync_employee(Order(kuerzel), deps)
    seconds = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}
    return {name: row[name] for name in FIGURES} | seconds


def main() -> None:
    """Obey until the input ends."""
    env = dict(os.environ)
    url = env["REDIS_URL"]
    settings = Settings(read(AdvowareSettings, env), read(GoogleSettings, env), read(CalendarSettings, env))
    deps = make_deps(settings, connect(url, 1, timeout_s=5), connect(url, 2, timeout_s=5))
    for line in sys.stdin:
        first, last = (int(number) for number in line.split())
        runs, rss = [], {}
        for count, number in enumerate(range(first, last + 1), 1):
            runs.append(one(kuerzel_of(number), deps))
            if count in {10, 100, 1000} or number == last:
                gc.collect()
                rss[str(count)] = held("VmRSS")
        print(json.dumps({"runs": runs, "rss_kb": rss, "peak_kb": held("VmHWM")}), flush=True)


if __name__ == "__main__":
    main()
