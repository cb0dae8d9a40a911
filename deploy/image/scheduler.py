"""Call the scheduled paths in time, as cron would: one process, one thread per call, never twice at once."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")
CALL_S = 900


@dataclass(frozen=True)
class Call:
    """A path, and when it is due: every so many minutes, or daily at a time of day in Berlin."""

    path: str
    minutes: int = 0
    at: str = ""


CALLS = (
    Call("/calendar/cron", at="05:00"),
    Call("/calendar/cron", minutes=15),
    Call("/vmh/reconcile", minutes=10),
    Call("/vmh/reconcile?full=true", at="02:30"),
    Call("/threecx/reconcile", minutes=60),
    Call("/leads/maintenance", minutes=60),
    Call("/ops/relay", minutes=1),
)


def due_after(call: Call, now: datetime) -> datetime:
    """Say when a call is due next; a time of day that a clock change skips comes an hour later."""
    local = now.astimezone(BERLIN)
    if call.minutes:
        minute = local.hour * 60 + local.minute
        wait = call.minutes - minute % call.minutes
        return local.replace(second=0, microsecond=0) + timedelta(minutes=wait)
    hour, minute = map(int, call.at.split(":"))
    today = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return today if today > local else today + timedelta(days=1)


def wait_s(call: Call, now: datetime) -> float:
    """Say how long to wait in real seconds, which the night of a clock change has more or fewer of."""
    return max(0.0, due_after(call, now).timestamp() - now.timestamp())


def post(path: str) -> int:
    """Call one path with the gateway's secret and tell the status; 0 when nobody answered."""
    request = urllib.request.Request(base() + path, data=b"", method="POST")  # noqa: S310 - our own address
    if secret := _secret():
        request.add_header("X-Gateway-Secret", secret)
    return _status(request, CALL_S)


def health() -> int:
    """Ask this container's own server, or anybody's under WORKER_HTTP_PORT."""
    port = os.environ.get("WORKER_HTTP_PORT") or os.environ.get("PORT") or "8080"
    return _status(urllib.request.Request(f"http://127.0.0.1:{port}/health"), 2)


def base() -> str:
    """Name the application's address."""
    return os.environ.get("BITBYLAW_URL", "http://127.0.0.1:8080").rstrip("/")


def _secret() -> str:
    """Read the gateway's secret from the environment, never from the command line."""
    return os.environ.get("GATEWAY_SECRET", "").strip()


def _status(request: urllib.request.Request, timeout_s: float) -> int:
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310 - our own address
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def keep(call: Call, stopping: threading.Event, send: Callable[[str], int] = post) -> None:
    """Send one call whenever it is due."""
    while not stopping.wait(wait_s(call, datetime.now(BERLIN))):
        started = time.monotonic()
        status = send(call.path)
        took_ms = round((time.monotonic() - started) * 1000)
        say(call.path, status, took_ms)


def say(path: str, status: int, duration_ms: int) -> None:
    """Write one line about a call."""
    line = {"event": "scheduled", "path": path, "status": status, "duration_ms": duration_ms}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def serve() -> int:
    """Keep all calls until told to stop."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    for call in CALLS:
        threading.Thread(target=keep, args=(call, stopping), daemon=True).start()
    stopping.wait()
    return 0


def main(arguments: list[str]) -> int:
    """Run the schedule, or send one call, or ask for health."""
    match arguments:
        case []:
            return serve()
        case ["health"]:
            return 0 if health() == 200 else 1
        case ["call", path]:
            say(path, status := post(path), 0)
            return 0 if status == 200 else 1
    sys.stderr.write("usage: scheduler.py [health | call PATH]\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
