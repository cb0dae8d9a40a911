"""Soak: `python -m tests.soak [--seconds 3600] [--rate 50] [--seed 1]`; 1 when anything is lost, doubled or grows."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from functools import partial
from types import FrameType

from .run import Plan, soak


def main() -> int:
    """Run, print the table, and say what is wrong."""
    plan = _plan()
    signal.signal(signal.SIGTERM, _leave)
    say = partial(print, flush=True)
    say(f"soak: {plan.deliveries} deliveries in {plan.seconds:.0f} s, seed {plan.seed}")
    began = time.monotonic()
    outcome = soak(plan, say)
    width = max(len(name) for name, _ in outcome.table)
    for name, value in outcome.table:
        say(f"{name:<{width}}  {value}")
    for each in outcome.violations[:50]:
        say(f"violation: {each}")
    say(f"soak: seed {plan.seed}, {len(outcome.violations)} violations, {time.monotonic() - began:.0f} s")
    return int(bool(outcome.violations))


def _plan() -> Plan:
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--rate", type=float, default=50.0, help="deliveries a second")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    return Plan(given.seconds, given.rate, given.seed)


def _leave(number: int, _frame: FrameType | None) -> None:
    """End by the way that cleans up."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
