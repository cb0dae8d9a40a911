"""Judge a history afterwards: what was told and acknowledged against what is there in the end."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Told:
    """One version of one record, told to us: `ok` was acknowledged, `unknown` may have arrived or not."""

    record: str
    version: int
    outcome: Literal["ok", "unknown"]


@dataclass
class History:
    """What all senders did, in no particular order."""

    entries: list[Told] = field(default_factory=list)
    _guard: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def note(self, record: str, version: int, *, ok: bool) -> None:
        """Write down how one telling ended."""
        with self._guard:
            self.entries.append(Told(record, version, "ok" if ok else "unknown"))

    def count(self, outcome: str) -> int:
        return sum(each.outcome == outcome for each in self.entries)


def verdict(history: Iterable[Told], targets: Iterable[tuple[str, int]], sources: Mapping[str, int]) -> list[str]:
    """Say what is wrong: `targets` are record and version as the target shows them, `sources` the newest of each.

    Every acknowledged version has arrived, or a newer one; nothing is there twice; nothing comes from nowhere.
    """
    rows = list(targets)
    there, counts = dict(rows), Counter(record for record, _ in rows)
    newest: dict[str, int] = {}
    for told in history:
        if told.outcome == "ok":
            newest[told.record] = max(newest.get(told.record, 0), told.version)
    wrong = [f"doubled: {record}" for record, count in counts.items() if count > 1]
    wrong += [f"lost: {record} at {version}" for record, version in newest.items() if record not in there]
    wrong += [
        f"stale: {record} shows {there[record]}, acknowledged was {version}"
        for record, version in newest.items()
        if record in there and there[record] < version
    ]
    wrong += [
        f"from nowhere: {record} at {version}"
        for record, version in there.items()
        if record not in sources or version > sources[record]
    ]
    return sorted(wrong)
