# ruff: noqa: T201
"""Play many seeds: `python -m tests.model`; one seed, told in full: `--tell 17`; look for seeds: `--without RULE`."""

from __future__ import annotations

import argparse
import sys
import time

from .game import play
from .kept import keep
from .many import played
from .removed import RULES, play_without

ENOUGH = 5


def main() -> int:
    """Play, and say what came of it; 1 when a promise was broken."""
    options = _options()
    if options.tell is not None:
        outcome = play_without(options.without, options.tell) if options.without else play(options.tell)
        print("\n".join([*outcome.told, *outcome.violations]))
        return int(bool(outcome.violations))
    if options.without:
        return _search(options)
    seeds = range(options.first, options.first + options.runs)
    print(f"model: seeds {seeds.start} to {seeds.stop - 1}, {options.processes} processes", flush=True)
    began, failed, runs, calls = time.monotonic(), [], 0, 0
    for number, outcome in enumerate(played(seeds, options.processes, ""), 1):
        runs, calls = runs + outcome.runs, calls + outcome.calls
        if outcome.violations:
            failed.append(outcome.seed)
            print(f"seed {outcome.seed}: {outcome.violations[0]}", flush=True)
        if number % 5000 == 0:
            print(f"  {number} runs, {len(failed)} violations, {time.monotonic() - began:.0f} s", flush=True)
    print(
        f"model: seeds {seeds.start} to {seeds.stop - 1}: {len(seeds)} runs ({runs} syncs, {calls} calls), "
        f"{len(failed)} violations, {time.monotonic() - began:.0f} s"
    )
    return int(bool(failed))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.model")
    parser.add_argument("--runs", type=int, default=40_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--tell", type=int, help="play one seed and tell all that happens")
    parser.add_argument("--without", choices=[*RULES], help="take a rule away, and keep the seeds that fail without it")
    return parser.parse_args()


def _search(options: argparse.Namespace) -> int:
    found = []
    for outcome in played(range(options.first, options.first + options.runs), options.processes, options.without):
        if outcome.violations:
            found.append(outcome.seed)
            print(f"seed {outcome.seed}: {outcome.violations[0]}", flush=True)
            keep(options.without, found)
        if len(found) >= ENOUGH:
            break
    print(f"{len(found)} seeds fail without: {options.without}")
    return int(not found)


if __name__ == "__main__":
    sys.exit(main())
