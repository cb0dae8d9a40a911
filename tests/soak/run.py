"""Open the firm, let everybody speak for a while, hurt it, let it come to rest, and judge."""

from __future__ import annotations

import contextlib
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis
from processes import get

from .firm import Firm, firm
from .harm import Harm, blows
from .ledger import Ledger
from .memory import Samples, resident_mb, slope_mb_per_10_min
from .traffic import Telling, Traffic

SENDERS, FAULTY = 96, 0.02
BURST = 800
BURST_FROM_S = 600.0
JUDGED_FROM_S, WARM_UP = 1800.0, 0.5  # shorter runs say nothing about memory; the first part is not counted
MOST_MB_PER_10_MIN = 1.0
Say = Callable[[str], None]


@dataclass
class Plan:
    """How long, how much, and by which seed."""

    seconds: float = 3600.0
    rate: float = 50.0
    seed: int = 1
    rest_s: float = 1800.0

    @property
    def deliveries(self) -> int:
        return round(self.seconds * self.rate)


@dataclass
class Outcome:
    """What came of it."""

    table: list[tuple[str, str]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)


class Soak:
    """One run."""

    def __init__(self, plan: Plan, house: Firm, say: Say) -> None:
        self.plan, self.firm, self.say = plan, house, say
        self.ledger = Ledger()
        self.traffic = Traffic(house, self.ledger, random.Random(plan.seed))
        chance = random.Random(plan.seed + 1)
        self.harm = Harm(house, blows(plan.seconds, chance), chance)
        self.memory: dict[str, Samples] = {"app": [], "worker": []}
        self.rested_s = 0.0
        self._began, self._over = time.monotonic(), threading.Event()

    def run(self) -> Outcome:
        """Storm, rest, judge."""
        self.traffic.open()
        self.firm.spoil(FAULTY, random.Random(self.plan.seed + 2))
        self._began = time.monotonic()
        with self._watched():
            self.harm.start()
            try:
                self._speak()
            finally:
                self.harm.end()
        self.firm.spoil(0, random.Random())
        return self._outcome(at_rest=self._rest())

    def _speak(self) -> None:
        """Send at an even pace, whatever the answers; once everything comes at the same moment."""
        burst_at = self.plan.deliveries // 2 if self.plan.seconds >= BURST_FROM_S else -1
        with ThreadPoolExecutor(SENDERS) as pool:
            sending = []
            try:
                for number in range(self.plan.deliveries):
                    self._over.wait(max(0.0, self._began + number / self.plan.rate - time.monotonic()))
                    for _ in range(BURST if number == burst_at else 1):
                        sending.append(pool.submit(self._send, self.traffic.next(), self.traffic.delay_s()))
                for each in sending:
                    each.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)  # told to leave: nobody waits for the rest
                raise

    def _send(self, telling: Telling, delay_s: float) -> None:
        self._over.wait(delay_s)
        self.traffic.send(telling, self._over)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        watching = threading.Thread(target=self._watch)
        watching.start()
        try:
            yield
        finally:
            self._over.set()
            watching.join()

    def _watch(self) -> None:
        """Look at memory every few seconds; each minute tell how it goes and do what a scheduler does."""
        minute = 0
        while not self._over.wait(min(5.0, self.plan.seconds / 20)):
            at = time.monotonic() - self._began
            self.memory["app"].append((at, resident_mb(self.firm.spared_child)))
            self.memory["worker"].append((at, resident_mb(self.firm.workers[0].pid)))
            if at // 60 > minute:
                minute = int(at // 60)
                get(f"{self.firm.url}/metrics")
                get(f"{self.firm.url}/leads/maintenance", body=b"")
                self.firm.forget()
                self.say(f"{minute:3} min: {self._so_far()}")

    def _so_far(self) -> str:
        with contextlib.suppress(redis.RedisError):  # it may be down just now
            waiting: object = self.firm.waiting()
            return (
                f"{self.traffic.counts.total()} delivered, {self.ledger.count('unknown')} without an answer, "
                f"{self.harm.done.total()} killed or stopped, {waiting} waiting, "
                f"app {self.memory['app'][-1][1]:.1f} MB, worker {self.memory['worker'][-1][1]:.1f} MB"
            )
        return "Redis is down"

    def _rest(self) -> bool:
        """Wait until nothing is to be done any more; leads that came past the store get their Tasks."""
        began, ends = time.monotonic(), time.monotonic() + self.plan.rest_s
        calm = 0
        while calm < 3 and time.monotonic() < ends:
            time.sleep(0.5)  # looks again, three times in a row
            calm = calm + 1 if self.firm.waiting() == 0 else 0
        for double in self.firm.doubles:
            double.settle()
        get(f"{self.firm.url}/leads/maintenance", body=b"")
        self.rested_s = time.monotonic() - began
        return calm == 3

    def _outcome(self, *, at_rest: bool) -> Outcome:
        outcome = Outcome(violations=self.ledger.judge(self.firm.espocrm, self.firm.advoware))
        if not at_rest:  # what still waits is not lost; what is doubled is doubled
            outcome.violations = [
                each for each in outcome.violations if " lost: " not in each and " stale: " not in each
            ]
            outcome.violations.append(f"not at rest after {self.plan.rest_s:.0f} s: {self.firm.waiting()} wait")
        if self.harm.error is not None:
            outcome.violations.append(f"the harm ended too early: {self.harm.error!r}")
        if dead := self.firm.dead_letters():
            outcome.violations.append(f"dead letters: {dead}")
        odd = {status: count for status, count in self.traffic.statuses.items() if status not in (0, 200, 503)}
        if odd:
            outcome.violations.append(f"answers that no sender should see: {odd}")
        outcome.table = [*self._told(), *self._kept(outcome)]
        return outcome

    def _told(self) -> list[tuple[str, str]]:
        seconds, statuses = sorted(self.traffic.seconds), self.traffic.statuses
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.traffic.counts.items()))
        answers = ", ".join(f"{count} × {status or 'none'}" for status, count in sorted(statuses.items()))
        slow = ", ".join(f"p{share} {1000 * seconds[len(seconds) * share // 100]:.0f}" for share in (50, 95, 99))
        return [
            ("deliveries", f"{self.traffic.counts.total()} ({kinds})"),
            ("answers", answers),
            ("answer time in ms, stopped and killed included", f"{slow}, max {1000 * seconds[-1]:.0f}"),
            ("harm", ", ".join(f"{count} {what}" for what, count in sorted(self.harm.done.items()))),
            ("spoilt calls to the upstreams", str(self.firm.faults)),
            ("at rest after", f"{self.rested_s:.1f} s"),
        ]

    def _kept(self, outcome: Outcome) -> list[tuple[str, str]]:
        rows = [(f"memory of the {who}", self._memory(who, outcome)) for who in self.memory]
        told, sent = self.ledger, self.ledger.sent
        things = f"{len(told.versions)} parties, {sent.get('lead', 0)} leads, {sent.get('call', 0)} calls"
        rows += [("there in the end, each once", things)]
        rows += [
            ("acknowledged versions and things", f"{told.count('ok')} (without an answer: {told.count('unknown')})")
        ]
        return [*rows, ("lost, doubled, stale, from nowhere or given up", str(len(outcome.violations)))]

    def _memory(self, who: str, outcome: Outcome) -> str:
        samples = self.memory[who]
        sizes = f"{samples[0][1]:.1f} MB at first, {samples[-1][1]:.1f} MB at last"
        slope = slope_mb_per_10_min(samples, WARM_UP * self.plan.seconds)
        if self.plan.seconds < JUDGED_FROM_S:
            return f"{sizes}, slope {slope:+.2f} MB in 10 min (too short to judge)"
        if slope > MOST_MB_PER_10_MIN:
            outcome.violations.append(f"memory of the {who} grows: {slope:.2f} MB in 10 min")
        return f"{sizes}, slope {slope:+.2f} MB in 10 min (at most {MOST_MB_PER_10_MIN:.0f})"


def soak(plan: Plan, say: Say) -> Outcome:
    """Run once, in a directory of its own."""
    with tempfile.TemporaryDirectory(prefix="bitbylaw-soak-") as directory, firm(Path(directory)) as house:
        outcome = Soak(plan, house, say).run()
        if outcome.violations:
            say("".join((Path(directory) / f"{name}.log").read_text()[-2000:] for name in ("app", "worker")))
        return outcome
