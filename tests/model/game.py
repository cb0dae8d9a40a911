"""Play one seed: people act, runs go wrong, then it becomes quiet and both sides are reckoned up."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from functions.calendar_sync.deps import Deps
from functions.calendar_sync.handler import Order, RunFailedError, sync_employee
from shared.errors import IntegrationError
from shared.events.task import PostponeError

from .office import EMPLOYEES, Office, office, quiet_and_seeded
from .people import People
from .reckoning import reckon, rest
from .watch import Watch
from .wire import Crash, Trouble

ROUNDS = 12


@dataclass
class Outcome:
    """What came of one seed."""

    seed: int
    violations: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    runs: int = 0
    calls: int = 0


class Game:
    """One firm, one seed; `env` are settings beside those that the seed chooses."""

    def __init__(self, seed: int, place: Office, env: Mapping[str, str]) -> None:
        self.rng, self.place, self.outcome = random.Random(seed), place, Outcome(seed)
        place.clock.reset()
        place.redis.flushall()
        advoware, google = place.doubles()
        self._choose(google, advoware)
        self.people = People(self.rng, advoware, google, self.kuerzel, self.tell)
        self.deps = self._deps(env)
        wire = place.wire
        wire.rng, wire.act, wire.flush, wire.tell = self.rng, self._act, place.redis.flushall, self.tell
        wire.calls = wire.written = 0
        wire.redis_rng = random.Random(f"redis {seed}")
        Watch(self.people, wire, self.note, self.mode == "a").stand()

    def _choose(self, google: Any, advoware: Any) -> None:
        chance = self.rng.random
        self.kuerzel = tuple(EMPLOYEES)[: 1 if chance() < 0.5 else 2]
        self.mode = "a" if chance() < 0.5 else "f"
        google.restore_allowed, google.cancel_allowed = chance() < 0.7, chance() < 0.7
        google.manners.page_cap = self.rng.choice([2500, 2500, 3])
        google.manners.empty_first_page = chance() < 0.1
        advoware.diary.visible_after = timedelta(seconds=self.rng.choice([0, 0, 0, 30]))
        self.policy = self.rng.choice(["advoware_wins"] * 4 + ["google_wins", "newest_wins"])
        self.rate = self.rng.choice([0.05, 0.1, 0.15])
        self.tell(f"mode {self.mode}, {self.kuerzel}, {self.policy}, {vars(google.manners)}")
        self.tell(f"restore {google.restore_allowed}, cancel {google.cancel_allowed}, rate {self.rate}")

    def _deps(self, env: Mapping[str, str]) -> Deps:
        full = str(self.mode == "f").lower()
        return self.place.deps(CALENDAR_FULL_CONTENT=full, CALENDAR_CONFLICT_POLICY=self.policy, **env)

    def tell(self, what: str) -> None:
        """Remember what happens, for whoever reads a failing seed."""
        self.outcome.told.append(what)

    def note(self, what: str) -> None:
        """Remember a violation."""
        self.tell(f"!! {what}")
        self.outcome.violations.append(what)

    def play(self) -> Outcome:
        """Play until quiet."""
        try:
            self._play()
        except Exception as error:  # noqa: BLE001  whatever is thrown past the sync's own errors is a finding
            self.note(f"{type(error).__name__}: {error}")
        self.outcome.calls = self.place.wire.calls
        return self.outcome

    def _play(self) -> None:
        self.place.wire.begin(Trouble())
        for _ in range(self.rng.randint(3, 8)):
            self.rng.choice([self.people.a_creates, self.people.g_creates, self.people.both_create])()
        for _ in range(self.rng.randint(6, 15)):
            self._step()
            if self.outcome.violations:
                return
        self._quiet()
        if not self.outcome.violations:
            reckon(self.people, self.mode, self.note)

    def _step(self) -> None:
        chance = self.rng.random()
        if chance < 0.45:
            self._act()
        elif chance < 0.60:
            self._run(self.rng.choice(self.kuerzel))
        elif chance < 0.85:
            self._bad_run(self.rng.choice(self.kuerzel))
        else:
            self._two_runs()
        if self.rng.random() < 0.4:
            self.place.clock.advance(self.rng.choice([1, 60, 300, 1000]))
        if self.rng.random() < 0.03:
            self.tell("flush")
            self.place.redis.flushall()

    def _act(self) -> None:
        """Let somebody do something, which takes a moment."""
        self.place.clock.advance(0.5)
        self.people.act()

    # --- runs

    def _run(self, kuerzel: str) -> dict[str, Any]:
        """Run with nobody and nothing in the way; after a clean one that wrote nothing both sides are at rest."""
        self.place.wire.begin(Trouble())
        before = self.place.wire.written
        row = self._work(kuerzel)
        clean = row.get("state") == "ok" and self.deps.memory.last_read(kuerzel) is not None
        if clean and self.place.wire.written == before:
            rest(self.people, kuerzel, self.mode, self.note)
        return row

    def _bad_run(self, kuerzel: str) -> None:
        self.place.wire.begin(self._trouble())
        self._work(kuerzel)
        self.place.wire.begin(Trouble())

    def _trouble(self) -> Trouble:
        hands = self.rng.choice([0.0, 0.0, 0.08])
        return Trouble(self.rate, hands, self.rng.choice([0.0, 0.01]), self.rng.choice([0.0, 0.05]))

    def _work(self, kuerzel: str) -> dict[str, Any]:
        self.outcome.runs += 1
        try:
            row = sync_employee(Order(kuerzel), self.deps)
        except (RunFailedError, PostponeError):
            self.place.wire.begin(Trouble())
            row = self.deps.memory.status(kuerzel) or {}
        except IntegrationError as error:
            row = {"state": error.slug}
        except Crash:
            row = {"state": "crashed"}
        self.tell(f"  run {kuerzel}: {row.get('state')} {row.get('error', '')}")
        return row

    def _two_runs(self) -> None:
        """Let two workers run at once; at every call the one may stop and the other go on."""
        first = self.rng.choice(self.kuerzel)
        second = first if self.rng.random() < 0.8 else self.rng.choice(self.kuerzel)
        rate = self.rng.choice([0.0, self.rate])
        troubles = [replace(self._trouble(), rate=rate) for _ in range(2)]
        self.tell(f"  two workers: {first}, {second}")
        duel = Duel(self.rng)

        def job(me: int, kuerzel: str) -> Callable[[], None]:
            def work() -> None:
                self.place.wire.begin(troubles[me], lambda: duel.turn(me))
                self._work(kuerzel)

            return work

        duel.fight(job(0, first), job(1, second))

    # --- the end

    def _quiet(self) -> None:
        """Let everything arrive, then run until nothing is written any more."""
        self.tell("quiet")
        self.place.clock.advance(1000)
        idle = 0
        for _ in range(ROUNDS):
            self.place.wire.written = 0
            rows = [self._run(kuerzel) for kuerzel in self.kuerzel]
            self._release(rows)
            if self.outcome.violations:
                return
            good = all(row.get("state") == "ok" for row in rows)
            clean = all(self.deps.memory.last_read(kuerzel) is not None for kuerzel in self.kuerzel)
            idle = idle + 1 if good and clean and not self.place.wire.written else 0
            if idle == 2:
                return
            self.place.clock.advance(600)
        self.note(f"does not come to rest: {rows}")

    def _release(self, rows: list[dict[str, Any]]) -> None:
        """Release what the brake on mass deletions holds, as a person would."""
        for row in rows:
            for hold in row.get("held") or ():
                self.tell(f"release {hold}")
                self.deps.memory.release(row["kuerzel"], hold["hash"])


class Duel:
    """Two threads of which one at a time goes on; chance decides which."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._go = threading.Semaphore(0), threading.Semaphore(0)
        self._over = [False, False]
        self._errors: list[BaseException] = []

    def fight(self, *jobs: Callable[[], None]) -> None:
        """Run both to their end; what one of them raises rises here."""
        threads = [threading.Thread(target=self._work, args=(me, job), daemon=True) for me, job in enumerate(jobs)]
        for thread in threads:
            thread.start()
        self._go[0].release()
        for thread in threads:
            thread.join()
        if self._errors:
            raise self._errors[0]

    def turn(self, me: int) -> None:
        """Perhaps let the other go on."""
        if not self._over[1 - me] and self._rng.random() < 0.5:
            self._go[1 - me].release()
            self._go[me].acquire()

    def _work(self, me: int, job: Callable[[], None]) -> None:
        self._go[me].acquire()
        try:
            job()
        except BaseException as error:  # noqa: BLE001  it rises where both were started
            self._errors.append(error)
        finally:
            self._over[me] = True
            self._go[1 - me].release()


def play(seed: int, env: Mapping[str, str] | None = None) -> Outcome:
    """Play one seed with the sync as it is."""
    with quiet_and_seeded(seed):
        return Game(seed, office(), env or {}).play()
