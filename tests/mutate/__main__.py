# ruff: noqa: T201 - what it prints is what it is for
"""Change and try: `python -m tests.mutate [target …]`; 1 when a survivor is not in docs/mutations.md."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from .listed import known
from .mutant import Mutant
from .run import Row, Tried, each_tried, table
from .targets import TARGETS

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Try every mutant of the named targets, or of all."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # so that the copies are cleaned up
    parts = {name: TARGETS[name] for name in options.targets or TARGETS}
    reasons, rows, unknown = known(ROOT), dict[str, Row](), list[Tried]()
    for tried in each_tried(ROOT, parts, options.processes, lambda mutant: _is_wanted(mutant, options)):
        row = rows.setdefault(tried.target, Row())
        row.count(tried, is_listed=tried.mutant.name in reasons)
        if tried.ending == "survived" and tried.mutant.name not in reasons:
            unknown.append(tried)
            print(f"survived: {tried.mutant.name}", flush=True)
        if sum(each.all for each in rows.values()) % 100 == 0:
            print(f"  {table(rows)[-1]}", flush=True)
    print("\n".join(table(rows)))
    if unknown:
        print(f"{len(unknown)} survivors are not in docs/mutations.md:")
        print("\n".join(sorted(f"- {tried.mutant.name}" for tried in unknown)))
    return int(bool(unknown))


def _is_wanted(mutant: Mutant, options: argparse.Namespace) -> bool:
    """Tell whether a mutant is to be tried in this run."""
    survivors = options.again.read_text("utf-8").splitlines() if options.again else [f"survived: {mutant.name}"]
    return options.file in mutant.path and f"survived: {mutant.name}" in survivors


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutate")
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], help="which targets; none: all")
    parser.add_argument("--processes", type=int, default=min(4, os.cpu_count() or 1))
    parser.add_argument("--file", default="", help="only files whose path contains this")
    parser.add_argument("--again", type=Path, help="only mutants that the output of an earlier run calls survivors")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
