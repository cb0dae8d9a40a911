"""Seeds that fail when a rule is taken away, found by searching and kept for `make test`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

PATH = Path(__file__).with_name("kept_seeds.json")


def kept() -> dict[str, list[int]]:
    """Read them all."""
    return json.loads(PATH.read_text()) if PATH.exists() else {}


def keep(rule: str, seeds: Iterable[int]) -> None:
    """Put the seeds of one rule in the place of those kept before."""
    PATH.write_text(json.dumps(kept() | {rule: sorted(seeds)}, indent=2) + "\n")
