"""What every benchmark returns: lines of what was measured, what came out, what is wanted and whether it holds."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol


class Line(Protocol):
    """One line of a result; `wanted` is empty where nothing is promised."""

    @property
    def what(self) -> str: ...
    @property
    def found(self) -> str: ...
    @property
    def wanted(self) -> str: ...
    @property
    def holds(self) -> bool: ...


@dataclass(frozen=True)
class Row:
    """One line of a result."""

    what: str
    found: str
    wanted: str = ""
    holds: bool = True


@dataclass(frozen=True)
class Bar:
    """One bar of the plot: its length as a multiple, and the mark it must not pass (or must reach)."""

    name: str
    value: float
    limit: float | None = None


def spread(values: Sequence[float]) -> str:
    """Tell how far the rounds of one measurement lie apart: the noise of the machine."""
    middle = statistics.median(values)
    return f"{min(values) / middle:.2f} to {max(values) / middle:.2f} of the median"


def load() -> str:
    """Tell how busy the machine is."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def show(title: str, rows: Iterable[Line]) -> str:
    """Write a result as a Markdown table."""
    lines = [f"## {title}", "", "| what | found | wanted | |", "|---|---|---|---|"]
    for row in rows:
        verdict = "" if not row.wanted else "yes" if row.holds else "**no**"
        lines.append(f"| {row.what} | {row.found} | {row.wanted} | {verdict} |")
    return "\n".join([*lines, ""])
