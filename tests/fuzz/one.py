"""Fuzz one target: `python -m tests.fuzz.one forms [corpus] [options of libFuzzer]`."""

from __future__ import annotations

import logging
import sys


def main() -> None:
    """Load what is fuzzed under the eye of the fuzzer, then never return."""
    import atheris

    logging.disable()
    with atheris.instrument_imports(include=["functions", "shared"]):
        from .targets import TARGETS, timed
    target = TARGETS[sys.argv[1]]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], lambda data: timed(target, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
