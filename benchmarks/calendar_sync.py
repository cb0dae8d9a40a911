"""What a run of the calendar sync costs: calls, CPU and memory, at several sizes and for a firm of 1,000.

Run: python -m benchmarks.calendar_sync [--employees 1000] [--appointments 500]; it starts a Redis and both doubles,
which carry their own processes, so that the measured one holds nothing but the sync.
"""

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from benchmarks.table import Row
from sandbox.embedded_redis import running

SIZES = (100, 250, 500, 1000, 2500)
PEAK_MB, FLAT_MB = 120, 10
Runs = dict[str, Any]


class Talker:
    """A process that answers each line with a line."""

    def __init__(self, module: str, *arguments: str, env: dict[str, str] | None = None) -> None:
        command = [sys.executable, "-m", module, *arguments]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, env=env
        )

    def hear(self) -> Any:
        """Take the next line; structured log lines of the process are passed over."""
        for line in self.process.stdout or ():
            if line.startswith(('{"runs"', '{"ADVOWARE', "done")):
                return line if line.startswith("done") else json.loads(line)
        raise RuntimeError("a process of the benchmark ended early")

    def ask(self, line: str) -> Any:
        """Send a line and take the answer."""
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self.hear()

    def end(self) -> None:
        """Let it end."""
        if self.process.stdin:
            self.process.stdin.close()
        self.process.wait(60)


@contextlib.contextmanager
def firm(employees: int, appointments: int, *, apart: bool) -> Iterator[tuple[Talker, Talker]]:
    """Open a firm and the process that is measured."""
    with running() as redis, tempfile.TemporaryDirectory() as folder:
        wishes = ["--employees", str(employees), "--appointments", str(appointments), "--redis", redis.url]
        hands = Talker("benchmarks.firm", *wishes, "--directory", folder, *(["--apart"] if apart else []))
        try:
            sync = Talker("benchmarks.calendar_runs", env={**hands.hear(), "LOG_LEVEL": "ERROR"})
            try:
                yield hands, sync
            finally:
                sync.end()
        finally:
            hands.end()


def calls(run: Runs) -> str:
    """Write the calls of a run."""
    return f"{run['advoware_calls']} + {run['google_calls']}"


def by_size() -> list[Row]:
    """Measure one employee: first sync, nothing changed, 1% changed; fit what a run costs in the end."""
    cpu: dict[str, list[float]] = {"first": [], "read whole": [], "unchanged": [], "1% changed": []}
    rows = []
    for size in SIZES:
        with firm(1, size, apart=True) as (hands, sync):
            found = {"first": sync.ask("0 0"), "read whole": sync.ask("0 0"), "unchanged": sync.ask("0 0")}
            hands.ask(f"edit K0000 {max(1, size // 100)}")
            found["1% changed"] = sync.ask("0 0")
        for kind, answer in found.items():
            run = answer["runs"][0]
            cpu[kind].append(run["cpu_s"])
            right = kind != "unchanged" or (run["advoware_calls"], run["google_calls"]) == (1, 1)
            cost = f"calls {calls(run)}, {run['wall_s']:.2f} s, CPU {run['cpu_s'] * 1000:.0f} ms"
            rows.append(Row(f"{size} appointments, {kind}", cost, "calls 1 + 1" if kind == "unchanged" else "", right))
        peak = found["1% changed"]["peak_kb"] / 1024
        if size == SIZES[-1]:
            rows.append(Row(f"peak with {size} appointments", f"{peak:.0f} MB", f"< {PEAK_MB} MB", peak < PEAK_MB))
    return rows + [fitted(kind, seconds) for kind, seconds in cpu.items()]


def fitted(kind: str, seconds: list[float]) -> Row:
    """Fit a + b x appointments to all sizes but the largest, which must then not lie above the line."""
    line = statistics.linear_regression(SIZES[:-1], seconds[:-1])
    foretold = line.intercept + line.slope * SIZES[-1]
    share = seconds[-1] / foretold
    text = f"{line.intercept * 1000:.0f} ms + {line.slope * 1e6:.0f} µs each; {SIZES[-1]} cost {share:.2f} of that"
    return Row(f"CPU, {kind}", text, "≤ 1.25", share <= 1.25)


def whole_firm(employees: int, appointments: int) -> list[Row]:
    """Run twice for a whole firm in step: the first time everything is read, the second time nothing is new."""
    with firm(employees, appointments, apart=False) as (_, sync):
        first, second = (sync.ask(f"0 {employees - 1}") for _ in range(2))
    name = f"{employees} x {appointments}"
    rows = [
        row
        for kind, answer in (("nothing remembered", first), ("nothing changed", second))
        for row in of_firm(f"{name}, {kind}", answer)
    ]
    rss = {**first["rss_kb"], "all again": second["rss_kb"][str(employees)]}
    small, last = rss.get("10", 0), rss["all again"]
    grown = (last - small) / 1024
    text = ", ".join(f"{count}: {kb / 1024:.0f}" for count, kb in rss.items())
    return [*rows, Row(f"{name}, memory by employees (MB)", text, f"grows < {FLAT_MB} MB", grown < FLAT_MB)]


def of_firm(name: str, answer: Runs) -> list[Row]:
    """Sum up the runs for all employees."""
    runs = answer["runs"]
    kinds = sorted({calls(run) for run in runs})
    wrote = sum(run["created"] + run["updated"] + run["deleted"] + run["failed"] for run in runs)
    cpu, wall = sum(run["cpu_s"] for run in runs), sum(run["wall_s"] for run in runs)
    return [
        Row(f"{name}: calls each", ", ".join(kinds), "1 + 1", kinds == ["1 + 1"]),
        Row(f"{name}: writes", str(wrote), "0", wrote == 0),
        Row(f"{name}: time", f"{wall:.0f} s, CPU {cpu:.0f} s, {cpu / len(runs) * 1000:.0f} ms each"),
    ]


def report(employees: int = 1000, appointments: int = 500) -> list[Row]:
    """Measure all of it."""
    return [*by_size(), *whole_firm(employees, appointments)]


def main() -> None:
    """Print all of it."""
    options = argparse.ArgumentParser()
    options.add_argument("--employees", type=int, default=1000)
    options.add_argument("--appointments", type=int, default=500)
    chosen, _ = options.parse_known_args()
    rows = report(chosen.employees, chosen.appointments)
    for row in rows:
        wanted = f"  (wanted {row.wanted}{'' if row.holds else ': NO'})" if row.wanted else ""
        print(f"calendar: {row.what}: {row.found}{wanted}")


if __name__ == "__main__":
    main()
