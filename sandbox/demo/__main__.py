"""`make demo`: a firm of ten, brought in step over the protocols of production; ONCE=1 ends after the tables."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import requests
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from sandbox.demo.people import AdvowareUser, GoogleUser
from sandbox.demo.processes import Firm, started

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
        before = {row["kuerzel"]: row["last_finished"] for row in self._rows()}
        inserted = self._inserted()
        started_at = time.monotonic()
        requests.post(f"{self.firm.app}/calendar/cron", timeout=10).raise_for_status()
        with self._bar() as progress:
            task = progress.add_task(title, total=planned or EMPLOYEES)
            while True:
                rows = self._rows()
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

    def _rows(self) -> list[dict[str, Any]]:
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


def first_run(story: Story) -> None:
    """Fill ten empty calendars."""
    rows = story.cascade("First run: ten empty calendars are filled", EMPLOYEES * APPOINTMENTS)
    story.expect(all(row["state"] == "ok" for row in rows), "every run ended well")
    user, planned = GoogleUser(story.firm), EMPLOYEES * APPOINTMENTS
    calendars = {name: id_ for name, id_ in user.calendars().items() if name.startswith("AW-")}
    found = sum(len(user.events(id_)) for id_ in calendars.values())
    story.expect(len(calendars) == EMPLOYEES and found == planned, f"{len(calendars)} calendars hold {found} events")


def second_run(story: Story) -> None:
    """Show that nothing changes, and what that costs."""
    time.sleep(1.1)  # status times have whole seconds
    rows = story.cascade("Second run: nothing changed", 0)
    changed = sum(row[name] for row in rows for name in FIGURES[:6])
    one_each = all(row["advoware_calls"] == row["google_calls"] == 1 for row in rows)
    story.expect(changed == 0 and all(row["state"] == "ok" for row in rows), "nothing was written")
    story.expect(one_each, "each employee cost one list call to Advoware and one to Google")


def both_ways(story: Story) -> None:
    """Let people edit, create and delete on both sides."""
    kuerzel = story._rows()[0]["kuerzel"]
    google, advoware = GoogleUser(story.firm), AdvowareUser(story.firm)
    calendar = google.calendars()[f"AW-{kuerzel}"]
    numbers = {
        event["id"]: event["extendedProperties"]["private"]["adv_fr"]
        for event in google.events(calendar)
        if "recurrence" not in event and "dateTime" in event["start"]
    }
    (edited, number), (removed, removed_number), (moved, moved_number) = list(numbers.items())[:3]
    google.rename(calendar, edited, "In Google umbenannt")
    google.remove(calendar, removed)
    created = google.add(calendar, "In Google angelegt", 10)
    rows = {str(row["frNr"]): row for row in advoware.appointments(kuerzel)}
    advoware.move(rows[moved_number], "16:15:00", "17:45:00")
    story.console.print(
        f"\nTwo ways: in {kuerzel}'s calendars, people rename, delete and create in Google, move in Advoware"
    )
    row = story.run(kuerzel)
    story.expect(
        row["state"] == "ok",
        f"the run ended: {row['created']} created, {row['updated']} updated, {row['deleted']} deleted",
    )
    rows = {str(row["frNr"]): row for row in advoware.appointments(kuerzel)}
    story.expect(rows[number]["text"] == "In Google umbenannt", "the new title is in Advoware")
    story.expect(
        any(row["text"] == "In Google angelegt" for row in rows.values()), "the new appointment is in Advoware"
    )
    story.expect(removed_number not in rows, "the deleted appointment is gone from Advoware")
    events = {event["id"]: event for event in google.events(calendar)}
    story.expect("T16:15:00" in events[moved]["start"]["dateTime"], "the moved appointment has moved in Google")
    linked = events[created].get("extendedProperties", {}).get("private", {}).get("adv_fr")
    story.expect(bool(linked), "the new event knows its appointment")


def main() -> int:
    """Tell the story; the exit code says whether everything was as it should be."""
    console = Console()
    real = os.environ.get("QUOTA") == "real"
    rate = 600 if real else 6000
    with tempfile.TemporaryDirectory(prefix="bitbylaw-demo-") as directory:
        console.print("[bold]bitbylaw demo[/]: Redis, Advoware and Google doubles, the app and one worker on loopback")
        if real:
            console.print("Google's true rate: 600 calls a minute; the first run takes about three and a half minutes.")
        else:
            console.print(
                f"Google's double allows {rate} calls a minute, ten times the true rate (QUOTA=real keeps 600)."
            )
        with started(Path(directory), rate=rate) as firm:
            story = Story(firm, console)
            first_run(story)
            second_run(story)
            both_ways(story)
            if story.wrong:
                console.print(f"[bold red]{len(story.wrong)} things are wrong[/]")
                _show_logs(firm, console)
                return 1
            console.print("[bold green]Everything is in step.[/]")
            if os.environ.get("ONCE") != "1":
                _stay(firm, console)
    return 0


def _show_logs(firm: Firm, console: Console) -> None:
    for name in ("app", "worker"):
        lines = (firm.logs / f"{name}.log").read_text(errors="replace").splitlines()[-15:]
        console.print(f"[bold]{name}[/]", *lines, sep="\n", markup=False)


def _stay(firm: Firm, console: Console) -> None:
    pages = {
        "status of all employees": "/calendar/status",
        "what a run would do now": "/calendar/plan",
        "metrics": "/metrics",
        "readiness": "/ready",
    }
    console.print("\nStill running, to look at (Ctrl-C ends it):")
    for what, path in pages.items():
        console.print(f"  {firm.app}{path}  {what}")
    console.print(f"  {firm.worker}/metrics  the worker's metrics\n  {firm.logs}  logs")
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        console.print("ended")


if __name__ == "__main__":
    sys.exit(main())
