"""What one run did, in figures; and the status row made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from functions.calendar_sync.plan import Hold

FIGURES = ("created", "updated", "deleted", "conflicts", "skipped", "failed")


@dataclass
class Report:
    """The figures of a run while it goes on; `clean` says that nothing is left for a second look."""

    created: int = 0
    updated: int = 0
    deleted: int = 0
    conflicts: int = 0
    skipped: int = 0
    failed: int = 0
    advoware_calls: int = 0
    google_calls: int = 0
    clean: bool = True
    more: bool = False
    holds: Sequence[Hold] = ()
    suspects: set[str] = field(default_factory=set)
    restored: set[str] = field(default_factory=set)
    replaced: set[str] = field(default_factory=set)
    error: str = ""

    def skip(self) -> None:
        """Count something that the next run has to look at again."""
        self.skipped += 1
        self.clean = False

    def fail(self) -> None:
        """Count something that did not work."""
        self.failed += 1
        self.clean = False

    @property
    def state(self) -> str:
        """Name the outcome: a failure outweighs a hold."""
        if self.error or self.failed:
            return "failed"
        return "held" if self.holds else "ok"

    def figures(self) -> dict[str, int]:
        """Give the counted figures."""
        return {name: getattr(self, name) for name in FIGURES}

    def message(self) -> str:
        """Say in one line what is wrong, without any content."""
        if self.error:
            return self.error
        if self.failed:
            return f"{self.failed} of the changes failed"
        held = sum(hold.count for hold in self.holds)
        return f"{held} deletions held" if self.holds else ""


def held_rows(holds: Sequence[Hold]) -> list[dict[str, Any]] | None:
    """Write holds as the contract shows them; None when there are none."""
    return [{"direction": hold.direction, "count": hold.count, "hash": hold.hash} for hold in holds] or None


def status_row(kuerzel: str, report: Report, started: str, finished: str, duration_s: float) -> dict[str, Any]:
    """Write the status row of a finished run."""
    return {
        "kuerzel": kuerzel,
        "state": report.state,
        "last_started": started,
        "last_finished": finished,
        **report.figures(),
        "held": held_rows(report.holds),
        "more": report.more,
        "advoware_calls": report.advoware_calls,
        "google_calls": report.google_calls,
        "duration_s": round(duration_s, 3),
        "error": report.message(),
    }


def empty_row(kuerzel: str) -> dict[str, Any]:
    """Write the row of an employee who has never been synchronised."""
    return status_row(kuerzel, Report(), "", "", 0.0) | {
        "state": "never",
        "last_started": None,
        "last_finished": None,
    }
