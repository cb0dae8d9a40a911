"""The whole system as processes of its own on loopback, between doubles of its upstreams and a durable Redis."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import redis
from processes import ROOT, children, environment, eventually, get, process
from redis_server import RedisServer, free_port, running

from sandbox.advoware import Advoware
from sandbox.double import Double
from sandbox.espocrm import EspoCrm
from sandbox.faults import Fault
from sandbox.server import serve
from sandbox.threecx import ThreeCx

SECRET, LEAD_SECRET, TEMPLATE_KEY = "phone-secret", "geheim-123", "template-key"
LEASE_S, WORKERS = 6.0, 3
GUNICORN = ("-m", "gunicorn", "-c", "functions/gunicorn_conf.py", "functions.app:app")
SETTINGS = {
    "MALLOC_ARENA_MAX": "1",  # as the image and the units set it
    "EVENT_TRANSPORT": "redis",
    "VERMIETERHELDEN_WEBHOOK_SECRET": LEAD_SECRET,
    "LEAD_ENCRYPTION_KEY": "S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2U=",
    "ESPOCRM_DEFAULT_USER_ID": "1",
    "THREECX_WEBHOOK_SECRET": SECRET,
    "THREECX_TEMPLATE_KEY": TEMPLATE_KEY,
    "THREECX_EXTENSIONS": "102=user-berger",
    "THREECX_RATE_PER_MINUTE": "60000",
    "PUBLIC_BASE_URL": "https://api.example",
    "ADVOWARE_TIMEOUT_SECONDS": "2",
    "ESPOCRM_TIMEOUT_SECONDS": "2",
    "THREECX_TIMEOUT_SECONDS": "2",
    "QUEUE_LEASE_SECONDS": str(LEASE_S),
    "QUEUE_REAP_SECONDS": "1",
    "RETRY_BASE_SECONDS": "0.2",
    "RETRY_CAP_SECONDS": "3",
    "RETRY_ATTEMPTS": "100000",
    "LOG_LEVEL": "ERROR",
    "HOST": "127.0.0.1",
    "WORKERS": "2",
    "THREADS": "16",
}
FAULTS = ("status", "status", "drop_before", "drop_after", "html", "cut", "delay")
QUEUES = (
    (1, "vmh:beteiligte", ("create", "update", "delete")),
    (0, "lead", ("intake",)),
    (0, "threecx", ("journal",)),
)


class Firm:
    """Doubles, Redis, the application with two children, three workers; one child and one worker are never killed."""

    def __init__(self, server: RedisServer, directory: Path) -> None:
        self.espocrm, self.advoware, self.pbx = EspoCrm(), Advoware(), ThreeCx()
        self.server, self.directory, self.port = server, directory, free_port()
        self.env: dict[str, str] = {}
        self.workers: list[subprocess.Popen[bytes]] = []
        self.app_pid = self.spared_child = 0
        self.asleep: set[int] = set()
        self.faults = 0
        self._guard = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def doubles(self) -> tuple[Double, ...]:
        return (self.espocrm, self.advoware, self.pbx)

    def start_worker(self) -> None:
        """Bring up one more worker."""
        with (self.directory / "worker.log").open("ab") as log:
            command = [sys.executable, "-m", "functions.worker"]
            self.workers.append(subprocess.Popen(command, env=self.env, cwd=ROOT, stdout=log, stderr=log))

    def children(self) -> list[int]:
        """List the processes that serve."""
        return children(self.app_pid)

    def kill_child(self) -> None:
        """Kill one that serves; the one that watches brings up another."""
        victims = [each for each in self.children() if each != self.spared_child]
        if victims:
            os.kill(victims[-1], signal.SIGKILL)

    def kill_worker(self) -> None:
        """Kill the oldest worker but one, and start another."""
        victim = self.workers.pop(1)
        victim.kill()
        victim.wait()
        self.start_worker()

    def kill_redis(self, down_s: float, wait: threading.Event) -> None:
        """Kill Redis and start it again a little later."""
        self.server.kill()
        wait.wait(down_s)
        self.server.start(within_s=120)  # it reads all that was written, on a busy machine

    def pause(self, pid: int, seconds: float, wait: threading.Event) -> None:
        """Stop a process for a while."""
        with self._guard:
            self.asleep.add(pid)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            wait.wait(seconds)
            os.kill(pid, signal.SIGCONT)
        with self._guard:
            self.asleep.discard(pid)

    def spoil(self, share: float, chance: random.Random) -> None:
        """Let a share of all calls to the upstreams go wrong from now on, each in a way of its own; 0 ends it."""
        for double in self.doubles:

            def pick(method: str, path: str, query: str) -> Fault | None:
                if share == 0 or "Token" in path or chance.random() >= share:
                    return None
                self.faults += 1
                return Fault(chance.choice(FAULTS), status=chance.choice((500, 502, 503)), seconds=0.2)

            double.board.pick = pick  # type: ignore[method-assign]

    def forget(self) -> None:
        """Forget what the doubles have written down about calls."""
        for double in self.doubles:
            double.board.forget_calls()

    def state(self, db: int) -> redis.Redis:
        return redis.Redis(port=self.server.port, db=db, decode_responses=True, socket_timeout=10)

    def waiting(self) -> int:
        """Count what still waits or is under way in any queue."""
        return sum(
            self.state(db).zcard(f"{name}:processing")
            + self.state(db).zcard(f"{name}:delayed")
            + sum(self.state(db).scard(f"{name}:{op}_pending") for op in ops)
            for db, name, ops in QUEUES
        )

    def dead_letters(self) -> int:
        """Count what was given up."""
        return sum(self.state(db).xlen(f"{name}:dead") for db, name, _ in QUEUES)

    def close(self) -> None:
        """Wake whoever sleeps, and end every worker."""
        for pid in [*self.asleep, *(each.pid for each in self.workers)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        for each in self.workers:
            each.kill()
            each.wait()


@contextmanager
def firm(directory: Path) -> Iterator[Firm]:
    """Open a firm for the length of a block."""
    with ExitStack() as stack:
        house = Firm(stack.enter_context(running(aof=True)), directory)
        urls = [stack.enter_context(serve(double)).url for double in house.doubles]
        upstreams = [house.espocrm.env(urls[0]), house.advoware.env(urls[1]), house.pbx.env(urls[2])]
        merged = {name: value for env in upstreams for name, value in env.items()}
        house.env = environment(**SETTINGS, **merged, REDIS_URL=house.server.url, PORT=str(house.port))
        app = stack.enter_context(process(*GUNICORN, env=house.env, log=directory / "app.log"))
        house.app_pid = app.pid
        stack.callback(_end, house, app)
        stack.callback(house.close)
        for _ in range(WORKERS):
            house.start_worker()
        eventually(lambda: get(f"{house.url}/health")[0] == 200, 60)
        house.spared_child = house.children()[0]
        yield house


def _end(house: Firm, app: subprocess.Popen[bytes]) -> None:
    """Let the application end by itself, so that none of its children is left over."""
    for child in house.children() if app.poll() is None else []:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGCONT)
    app.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        app.wait(40)
