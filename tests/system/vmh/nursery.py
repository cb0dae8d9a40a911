"""Bring workers into the world fast enough to kill many: one process has loaded everything, each worker is a fork.

It reads lines from its input: each "spawn" forks a worker and prints its process id.
"""

from __future__ import annotations

import functools
import importlib
import os
import signal
import sys


def say(what: object) -> None:
    """Tell whoever started us."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def load_everything() -> None:
    """Import what a worker needs, without opening a connection."""
    for name in ("functions.worker", "functions.vmh_webhooks.deps", "requests", "phonenumbers", "redis"):
        importlib.import_module(name)
    import phonenumbers

    phonenumbers.parse("0511 123456", "DE")


def work() -> None:
    """Be a worker until killed."""
    system = os.environ["SYSTEM"]
    if system == "naive":
        importlib.import_module("naive").work()
    deps = importlib.import_module("functions.vmh_webhooks.deps")
    deps.make_deps = functools.partial(deps.make_deps, settle_s=1.0)  # the doubles are never later than that
    main = importlib.import_module("functions.vmh_webhooks.main")
    from functions import worker

    worker.run(worker.consumers(main.BUS, main.SUBSCRIBERS, 4))


def main() -> None:
    """Fork on request."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    load_everything()
    say("ready")
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os.close(0)
            try:
                work()
            finally:
                os._exit(0)
        say(pid)


if __name__ == "__main__":
    main()
