"""How the demo shows what it does: progress, tables, and ticks; what is not as it should be is remembered."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import requests
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from sandbox.demo.processes import ROOT, Firm

EMPLOYEES, APPOINTMENTS = 10, 200
FIGURES = ("created", "updated", "deleted", "conflicts", "skipped", "failed", "advoware_calls", "google_calls")
LONGEST_S = 600


class Story:
    """The demo step by step; `wrong` collects what should have been otherwise."""

    def __init__(self, firm: Firm, console: Console) -> None:
        self.firm, self.console = firm, console
        self.wrong: list[str] = []

    def expect(self, right: bool, what: str) -> None:
        """Say whether something is as it should be."""
        self.console.print(f"  [{'green' if right else 'bold red'}]{'✓' if right else '✗'}[/] {what}")
        if not right:
            self.wrong.append(what)

    def cascade(self, title: str, planned: int) -> list[dict[str, Any]]:
        """Run everybody and show how it went."""
        before = {row["kuerzel"]: row["last_finished"] for row in self.rows()}
        inserted = self._inserted()
        started_at = time.monotonic()
        requests.post(f"{self.firm.app}/calendar/cron", timeout=10).raise_for_status()
        with self._bar() as progress:
            task = progress.add_task(title, total=planned or EMPLOYEES)
            while True:
                rows = self.rows()
                done = [row for row in rows if _done(row, before)]
                progress.update(task, completed=self._inserted() - inserted if planned else len(done))
                if len(done) == len(rows) == EMPLOYEES or time.monotonic() - started_at > LONGEST_S:
                    break
                time.sleep(0.2)
        self._table(title, rows, time.monotonic() - started_at)
        return rows

    def run(self, kuerzel: str) -> dict[str, Any]:
        """Run one employee and wait for the end."""
        body = {"kuerzel": kuerzel, "wait": True}
        return dict(requests.post(f"{self.firm.app}/calendar/sync", json=body, timeout=150).json())

    def command(self, *words: str) -> tuple[int, str]:
        """Run `bitbylaw` as an operator would, and show what it says."""
        self.console.print(f"  [bold]$ bitbylaw {' '.join(words)}[/]", highlight=False)
        done = subprocess.run(
            [sys.executable, "-m", "functions.cli", *words],
            cwd=ROOT,
            env=self.firm.env | {"LOG_LEVEL": "ERROR"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        for line in (done.stdout or done.stderr).splitlines():
            self.console.print(f"    {line}", markup=False, highlight=False)
        return done.returncode, done.stdout

    def within(self, seconds: float, what: Any) -> float | None:
        """Wait for something; gives the seconds it took, None when it did not come in time."""
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            if what():
                return time.monotonic() - started
            time.sleep(0.2)
        return None

    def rows(self) -> list[dict[str, Any]]:
        return list(requests.get(f"{self.firm.app}/calendar/status", timeout=10).json()["employees"])

    def _inserted(self) -> int:
        calls = requests.get(f"{self.firm.google}/_sandbox/calls", timeout=10).json()["calls"]
        return sum(1 for call in calls if call["method"] == "POST" and call["path"].endswith("/events"))

    def _bar(self) -> Progress:
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        return Progress(*columns, console=self.console)

    def _table(self, title: str, rows: list[dict[str, Any]], seconds: float) -> None:
        table = Table(title=f"{title}: {seconds:.1f} s")
        for name in ("kuerzel", "state", *FIGURES, "seconds"):
            table.add_column(name, justify="left" if name in {"kuerzel", "state"} else "right")
        for row in rows:
            table.add_row(
                row["kuerzel"], row["state"], *(str(row[name]) for name in FIGURES), f"{row['duration_s']:.2f}"
            )
        self.console.print(table)


def _done(row: dict[str, Any], before: dict[str, Any]) -> bool:
    fresh = row["last_finished"] and row["last_finished"] != before.get(row["kuerzel"])
    return bool(fresh) and row["state"] in {"ok", "held", "failed"} and not row.get("more")
