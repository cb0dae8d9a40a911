"""When who is killed or stopped: a list made from the seed, and a thread that goes through it."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from .firm import LEASE_S, Firm

PER_HOUR = {"child killed": 140, "worker killed": 140, "redis killed": 20, "child stopped": 50, "worker stopped": 50}
LONG_S = 60.0  # only in longer runs somebody is stopped for longer than his lease
QUIET_S = 2.0  # nobody is hurt at the very beginning and end


@dataclass(frozen=True)
class Blow:
    """Something that happens to somebody, and for how long where it lasts."""

    at_s: float
    what: str
    seconds: float


def blows(seconds: float, chance: random.Random, least: int = 1) -> list[Blow]:
    """Choose moments at random, of each kind its share, at least one."""
    found, longest = [], 2.0 if seconds >= LONG_S else 0.5
    for what, per_hour in PER_HOUR.items():
        for _ in range(max(least, round(per_hour * seconds / 3600))):
            lasts = chance.uniform(0.2, 1.5) if what == "redis killed" else chance.uniform(0.3, longest) * LEASE_S
            found.append(Blow(chance.uniform(QUIET_S, seconds - QUIET_S), what, lasts))
    return sorted(found, key=lambda each: each.at_s)


class Harm:
    """Strikes when it is time; `done` counts, `error` tells what ended the striking too early."""

    def __init__(self, firm: Firm, plan: list[Blow], chance: random.Random) -> None:
        self.firm, self.plan, self.random = firm, plan, chance
        self.done: Counter[str] = Counter()
        self.stop = threading.Event()
        self._pauses: list[threading.Thread] = []
        self._main = threading.Thread(target=self._strike_all)
        self.error: BaseException | None = None

    def start(self) -> None:
        self._main.start()

    def end(self) -> None:
        """Stop striking, wake everybody, and wait until all that was begun is over."""
        self.stop.set()
        for each in (self._main, *self._pauses):
            each.join()

    def _strike_all(self) -> None:
        began = time.monotonic()
        for blow in self.plan:
            if self.stop.wait(max(0.0, began + blow.at_s - time.monotonic())):
                return
            try:
                self._strike(blow)
            except Exception as error:  # noqa: BLE001 - whoever judges tells of it
                self.error = error
                return
            self.done[blow.what] += 1

    def _strike(self, blow: Blow) -> None:
        match blow.what:
            case "child killed":
                self.firm.kill_child()
            case "worker killed":
                self.firm.kill_worker()
            case "redis killed":
                self.firm.kill_redis(blow.seconds, self.stop)
            case "child stopped":
                self._pause(self.random.choice(self.firm.children()), blow.seconds)
            case "worker stopped":
                self._pause(self.random.choice(self.firm.workers).pid, blow.seconds)

    def _pause(self, pid: int, seconds: float) -> None:
        if pid in self.firm.asleep:
            return
        pausing: Callable[[], None] = lambda: self.firm.pause(pid, seconds, self.stop)  # noqa: E731
        self._pauses.append(threading.Thread(target=pausing))
        self._pauses[-1].start()
