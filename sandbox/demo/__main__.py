"""`make demo`: a firm of ten, brought in step over the protocols of production; ONCE=1 ends after the tables."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from sandbox.demo.chapters import both_ways, first_run, party, plan_and_audit, push, second_run
from sandbox.demo.phone import SHOWN, phone
from sandbox.demo.processes import Firm, started
from sandbox.demo.story import Story


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
            for chapter in (first_run, second_run, both_ways, plan_and_audit, push, party, phone):
                chapter(story)
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
        "who is calling": SHOWN,
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
