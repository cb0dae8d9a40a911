"""What all games of one process share: the clients, built once, and the doubles' keys and tokens."""

from __future__ import annotations

import logging
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fakeredis

from functions.calendar_sync import run as run_module
from functions.calendar_sync.deps import Deps, Settings, make_deps
from functions.calendar_sync.employees import Employees
from sandbox.advoware import Advoware
from sandbox.google import Google, write_service_account
from sandbox.google.oauth import ACCOUNT
from shared.advoware.client import AdvowareClient
from shared.google.client import GoogleCalendar
from shared.http import HttpClient
from shared.settings.advoware import AdvowareSettings
from shared.settings.base import read
from shared.settings.calendar import CalendarSettings, GoogleSettings
from shared.state.token import FetchedToken

from .wire import Clock, Session, Trouble, Wire

GRACE_S = 900
EMPLOYEES = {"SB": ("Berger", "Sabine"), "KL": ("Klein", "Karl")}


class Pass:
    """A token kept in the process: the cache has tests of its own."""

    def __init__(self) -> None:
        self._token: str | None = None

    def get(self, fetch: Callable[[], FetchedToken]) -> str:
        """Give the token."""
        self._token = self._token or fetch().value
        return self._token

    def invalidate(self, _failed: str) -> None:
        """Forget the token."""
        self._token = None

    def cooldown(self, _seconds: float) -> None:
        """Do nothing."""


class NoRate:
    """No limit on calls: the bucket has tests of its own."""

    def acquire(self, _units: int, **_until: Any) -> float:
        """Wait for nothing."""
        return 0.0

    def drain(self) -> None:
        """Do nothing."""


class NoLocks:
    """Everybody may run at any time: correctness must not need the lock."""

    def acquire(self, _kuerzel: str) -> Any:
        """Give what looks like a lock."""
        return SimpleNamespace(clear_dirty=lambda: None, release=lambda **_how: "free", checkpoint=lambda: None)


class Redis(fakeredis.FakeRedis):
    """A Redis before each of whose commands the process may die."""

    wire: Wire | None = None

    def execute_command(self, *words: Any, **options: Any) -> Any:
        """Carry out one command."""
        if self.wire is not None:
            self.wire.redis(str(words[0]))
        return super().execute_command(*words, **options)


class Office:
    """Holds what is dear to make."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.wire = Wire(self.clock)
        self.redis = Redis(decode_responses=True)
        self.redis.wire = self.wire
        self._google, self._advoware = Google(None, clock=time.time), Advoware()
        self._google.office.token_ttl_s = 3600 * 1000
        self._advoware.tokens.clock = lambda: datetime.now(UTC)
        self._advoware.tokens.lifetime_s = 3600 * 1000
        self._passes = Pass(), Pass()
        self._made: dict[tuple[tuple[str, str], ...], Deps] = {}
        self._directory = tempfile.TemporaryDirectory()
        self._account = Path(self._directory.name) / "sa.json"
        self._google.office.trust(write_service_account(self._account, "http://google.test/token"))
        self._sign_in()

    def _sign_in(self) -> None:
        """Fetch both tokens before the first game, so that a seed does not hang on what was played before it."""
        self.wire.begin(Trouble())
        self.doubles()
        deps = self.deps()
        deps.advoware.employees()
        deps.google.find_calendar("none")

    def doubles(self) -> tuple[Advoware, Google]:
        """Make both sides anew, empty, with the tokens that are out."""
        advoware = Advoware(clock=self.clock.now)
        advoware.tokens = self._advoware.tokens
        google = Google(None, clock=self.clock.time)
        google.office = self._google.office
        for kuerzel, (name, vorname) in EMPLOYEES.items():
            advoware.employee(kuerzel, name=name, vorname=vorname, email=f"{name.lower()}@kanzlei.example")
            google.add_calendar(f"AW-{kuerzel}", ACCOUNT, calendar_id=calendar_of(kuerzel), timeZone="Europe/Berlin")
        self.wire.doubles = {"advoware": advoware, "google": google}
        return advoware, google

    def deps(self, **env: str) -> Deps:
        """Give the sync with these settings."""
        key = tuple(sorted(env.items()))
        if key not in self._made:
            self._made[key] = self._make(env)
        return self._made[key]

    def _make(self, env: dict[str, str]) -> Deps:
        env = {
            **self._advoware.env("http://advoware.test"),
            "GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH": str(self._account),
            "GOOGLE_CALENDAR_API_ENDPOINT": "http://google.test/calendar/v3/",
            "CALENDAR_INTENT_GRACE_SECONDS": str(GRACE_S),
            **env,
        }
        settings = Settings(read(AdvowareSettings, env), read(GoogleSettings, env), read(CalendarSettings, env))
        deps = make_deps(settings, self.redis, self.redis, clock=self.clock.now)
        left, right = (
            HttpClient(name, 30.0, session=Session(name, self.wire), sleep=self.clock.sleep)  # type: ignore[arg-type]
            for name in ("advoware", "google")
        )
        advoware = AdvowareClient(settings.advoware, left, self._passes[0])
        how = {"http": right, "sleep": self.clock.sleep, "clock": self.clock.time}
        return replace(
            deps,
            advoware=advoware,
            google=GoogleCalendar(settings.google, self._passes[1], NoRate(), **how),
            locks=NoLocks(),
            employees=Employees(self.redis, advoware, {}, deps.calendars.digest, now=self.clock.time),
            monotonic=self.clock.time,
        )


def calendar_of(kuerzel: str) -> str:
    """Name an employee's calendar."""
    return f"c_{kuerzel.lower()}@group.calendar.google.com"


_local = threading.local()


def office() -> Office:
    """Give this process's office."""
    if not hasattr(_local, "office"):
        _local.office = Office()
    return _local.office


@contextmanager
def quiet_and_seeded(seed: int) -> Iterator[None]:
    """Keep the log still, and let markers come from the seed."""
    import random

    chance = random.Random(f"marker {seed}")
    kept, level = run_module.secrets, logging.root.manager.disable
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
    run_module.secrets = SimpleNamespace(token_urlsafe=lambda _n: "".join(chance.choices(letters, k=22)))
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        run_module.secrets = kept
        logging.disable(level)
