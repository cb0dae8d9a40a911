"""Play many seeds in several processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from functools import partial

from .game import Outcome, play
from .removed import play_without


def played(seeds: range, processes: int, without: str = "") -> Iterator[Outcome]:
    """Play seeds, each once, and give what came of them in whatever order they end."""
    one = partial(_one, without)
    if processes == 1:
        yield from map(one, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap_unordered(one, seeds, chunksize=10)


def _one(without: str, seed: int) -> Outcome:
    outcome = play_without(without, seed) if without else play(seed)
    outcome.told.clear()
    return outcome
