"""Run tests again and again in one copy of the tree, with everything from outside loaded once.

`python -m tests.mutate.server` does it:
Each line of its input is an order, each line of its output says how the tests ended.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
import time
from typing import Any

QUICKLY = ("-x", "-q", "-p", "no:schemathesis", "-p", "no:anyio")  # two plugins that are slow to load
OUTSIDERS = (
    "pytest _pytest.assertion.rewrite hypothesis.stateful hypothesis.strategies fakeredis lupa.lua51 redis requests "
    "pydantic werkzeug.test flask cryptography.fernet phonenumbers httplib2 prometheus_client pytest_timeout "
    "_pytest.debugging _pytest.junitxml _hypothesis_pytestplugin faulthandler xml.etree.ElementTree tomllib"
).split()


def main() -> None:
    """Load, say so, and work orders off."""
    for name in OUTSIDERS:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    say({"ready": True})
    for line in sys.stdin:
        order = json.loads(line)
        say(run(order))


def say(what: dict[str, Any]) -> None:
    """Tell whoever started us."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def run(order: dict[str, Any]) -> dict[str, Any]:
    """Try the tests in a process of their own; whatever they started ends with them."""
    began, pid = time.monotonic(), os.fork()
    if pid == 0:
        _be_the_tests(order)
    ends, status = began + order["seconds"], None
    while status is None and time.monotonic() < ends:
        done, code = os.waitpid(pid, os.WNOHANG)
        status = os.waitstatus_to_exitcode(code) if done else None
        time.sleep(0.005)  # waits for a process
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    if status is None:
        os.kill(pid, signal.SIGKILL)  # it may be so slow that it has no group of its own yet
        os.waitpid(pid, 0)
    return {"code": status, "seconds": time.monotonic() - began}


def _be_the_tests(order: dict[str, Any]) -> None:
    os.setsid()
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for number in (1, 2):
        os.dup2(log, number)
    sys.dont_write_bytecode = not order["keep"]
    code = 3
    try:
        import pytest
        from hypothesis import Phase, settings

        settings.register_profile("mutants", derandomize=True, database=None, phases=[Phase.explicit, Phase.generate])
        settings.load_profile("mutants")
        code = int(pytest.main([*QUICKLY, f"--basetemp={order['base']}", *order["tests"]]))
    finally:
        sys.stdout.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
