"""Run the worker, or serve the all-in-one, over the toy function of tests/entries."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "entries"))

from functions import app as all_in_one

all_in_one.load = lambda: [(importlib.import_module("toy_main"), {"/toy": "toy"})]  # type: ignore[assignment]

if __name__ == "__main__":
    import os

    from functions import worker

    os._exit(worker.main())
else:
    app = all_in_one.build()
