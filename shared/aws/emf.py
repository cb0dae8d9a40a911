"""Say in CloudWatch's embedded metric format what an invocation changed in our metrics: nobody scrapes Lambda."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final, TextIO

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import REGISTRY

NAMESPACE: Final = "bitbylaw"
PREFIX: Final = "bitbylaw_"
_PARTS: Final = {"counter": ("_total",), "histogram": ("_sum", "_count"), "gauge": ("",)}

Labels = tuple[tuple[str, str], ...]
Snapshot = dict[tuple[str, Labels], float]


class Reporter:
    """Remembers the last figures and writes what came since, one line for each set of labels."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._last = snapshot(REGISTRY.collect())

    def report(self, now_ms: int) -> None:
        """Write the lines of one invocation to stdout, past the log's own format."""
        current = snapshot(REGISTRY.collect())
        for line in lines(self._last, current, now_ms):
            print(line, file=self._stream or sys.stdout, flush=True)
        self._last = current


def snapshot(families: Iterable[Metric]) -> Snapshot:
    """Read our counters, gauges, and sums and counts of histograms."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        if family.name.startswith(PREFIX)
        for sample in family.samples
        if any(sample.name == family.name + part for part in _PARTS.get(family.type, ()))
    }


def lines(before: Snapshot, after: Snapshot, now_ms: int) -> list[str]:
    """Make one document per set of labels; gauges say their value, everything else what it grew by."""
    by_labels: dict[Labels, dict[str, Any]] = {}
    for (name, labels), value in after.items():
        grown = value - before.get((name, labels), 0.0)
        figures = by_labels.setdefault(labels, {})
        if name.endswith("_count"):
            if grown:
                mean = (after[(name[:-6] + "_sum", labels)] - before.get((name[:-6] + "_sum", labels), 0.0)) / grown
                figures[name[:-6]] = {"Values": [round(mean, 6)], "Counts": [int(grown)]}
        elif name.endswith("_total"):
            figures |= {name: grown} if grown else {}
        elif not name.endswith("_sum") and (value or (name, labels) in before):
            figures[name] = value
    return [_line(labels, figures, now_ms) for labels, figures in by_labels.items() if figures]


def _line(labels: Labels, figures: Mapping[str, Any], now_ms: int) -> str:
    metrics = [{"Name": name, "Unit": "Seconds" if name.endswith("_seconds") else "Count"} for name in figures]
    directive = {"Namespace": NAMESPACE, "Dimensions": [[name for name, _ in labels]], "Metrics": metrics}
    return json.dumps({"_aws": {"Timestamp": now_ms, "CloudWatchMetrics": [directive]}, **dict(labels), **figures})
