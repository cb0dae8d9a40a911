"""How much memory a process keeps, and whether that grows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

Samples = list[tuple[float, float]]


def resident_mb(pid: int) -> float:
    """Read how much of a process is in memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def slope_mb_per_10_min(samples: Sequence[tuple[float, float]], warm_up_s: float) -> float:
    """Fit a line through what was measured after the warm-up."""
    rows = [(at, size) for at, size in samples if at >= warm_up_s]
    mean_at, mean_size = (sum(row[place] for row in rows) / len(rows) for place in (0, 1))
    spread = sum((at - mean_at) ** 2 for at, _ in rows)
    return 600 * sum((at - mean_at) * (size - mean_size) for at, size in rows) / spread if spread else 0.0
