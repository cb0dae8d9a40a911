"""Rows as a plain table that fits a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Align columns; numbers to the right."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(line[place]) for line in [list(head), *cells]) for place in range(len(head))]
    right = [all(isinstance(row[place], int | float) for row in rows) and bool(rows) for place in range(len(head))]

    def line(values: Sequence[str]) -> str:
        parts = zip(values, widths, right, strict=True)
        return "  ".join(text.rjust(width) if end else text.ljust(width) for text, width, end in parts).rstrip()

    return "\n".join([line(head), *(line(row) for row in cells)])


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


RUN_HEAD = ("finished", "state", "created", "updated", "deleted", "conflicts", "skipped", "failed", "calls", "seconds")


def run_cells(row: Mapping[str, Any]) -> list[Any]:
    """Write one run in the order of RUN_HEAD, the error at the end."""
    figures = [row[name] for name in ("created", "updated", "deleted", "conflicts", "skipped", "failed")]
    calls = f"{row['advoware_calls']}+{row['google_calls']}"
    return [row["last_finished"], row["state"], *figures, calls, row["duration_s"]]


def held_text(row: Mapping[str, Any]) -> str:
    """Say what waits for a person, and its hash."""
    holds = row.get("held") or []
    parts = [
        f"{each['count']} deletions {each['direction'].replace('_', ' ')} held, hash {each['hash']}" for each in holds
    ]
    return "; ".join(parts) or str(row.get("error") or "")
