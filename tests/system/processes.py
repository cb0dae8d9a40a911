"""Start processes of ours for tests, wait for what they do, and end them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
HERE = Path(__file__).parent


def environment(**more: str) -> dict[str, str]:
    """Give a process nothing but what it needs."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {"PYTHONPATH": f"{ROOT}:{HERE}", "PYTHONUNBUFFERED": "1"} | more


@contextmanager
def process(*arguments: str, env: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run Python with these arguments for the length of a block; its stderr goes to a file."""
    with log.open("ab") as stderr:
        running = subprocess.Popen([sys.executable, *arguments], env=dict(env), cwd=ROOT, stderr=stderr, stdout=stderr)
        try:
            yield running
        finally:
            if running.poll() is None:
                running.send_signal(signal.SIGKILL)
                running.wait()


def children(pid: int) -> list[int]:
    """List the processes that a process has started."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def eventually(what: Callable[[], object], within_s: float = 15.0) -> None:
    """Wait until something is true."""
    ends = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < ends, "it never happened"
        time.sleep(0.05)


def get(
    url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> tuple[int, bytes, dict[str, str]]:
    """Fetch a page (with a body: POST), whatever its status; 0 when nobody answers."""
    request = urllib.request.Request(url, data=body, headers=dict(headers or {}))
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read(), {k.lower(): v for k, v in answer.headers.items()}
    except urllib.error.HTTPError as error:
        return error.code, error.read(), {k.lower(): v for k, v in error.headers.items()}
    except OSError:
        return 0, b"", {}
