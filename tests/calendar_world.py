"""A firm in a test: both doubles, a Redis, and runs of the real sync with its real clients between them."""

from __future__ import annotations

import functools
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import redis
from calendar_wire import Direct, Wire
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from functions.calendar_sync.deps import Deps, Settings, make_deps
from functions.calendar_sync.handler import Order, RunFailedError, sync_employee
from sandbox.advoware import Advoware
from sandbox.google import Google, write_service_account
from sandbox.server import serve
from shared.domain.appointment import BERLIN
from shared.events.task import PostponeError
from shared.google.sender import Service
from shared.settings.advoware import AdvowareSettings
from shared.settings.base import read
from shared.settings.calendar import CalendarSettings, GoogleSettings

PLACEHOLDER = "Termin (Advoware)"


class World:
    """Both sides, and a person's hands on each; `env` are settings of the runs."""

    def __init__(self, state: redis.Redis, *, quota: int | None = None) -> None:
        self.state = state
        self.ahead = timedelta()
        self.advoware = Advoware(clock=self.now)
        self.google = Google(quota_per_minute=quota, clock=lambda: self.now().timestamp())
        self.google.office.clock = time.time  # tokens are signed with the true time
        self.advoware.tokens.clock = lambda: datetime.now(UTC)
        self.env: dict[str, str] = {}
        self.wire = Wire()
        self.direct = False
        for kuerzel, name, vorname in (("SB", "Berger", "Sabine"), ("KL", "Klein", "Karl")):
            self.advoware.employee(kuerzel, name=name, vorname=vorname, email=f"{name.lower()}@kanzlei.example")

    def make(self, **env: str) -> Deps:
        """Build the sync anew, as another process or with other settings."""
        self.env |= env
        settings = Settings(
            read(AdvowareSettings, self.env), read(GoogleSettings, self.env), read(CalendarSettings, self.env)
        )
        self.deps = make_deps(settings, self.state, self.state, clock=self.now)
        self._hurry(self.deps)
        return self.deps

    def _hurry(self, deps: Deps) -> None:
        """Let retries not sleep, and in a direct world let no call leave the process."""
        deps.advoware._http.sleep = lambda _s: None
        deps.google._sender = replace(deps.google._sender, sleep=lambda _s: None)
        for name, client, double in (
            ("advoware", deps.advoware._http, self.advoware),
            ("google", deps.google._sender.http, self.google),
        ):
            if self.direct:
                deps.google._service = _service()
                client.session.mount(f"http://{name}.test/", Direct(name, double, self.wire))

    def now(self) -> datetime:
        """Say what time it is in this world."""
        return datetime.now(UTC) + self.ahead

    def later(self, **span: float) -> None:
        """Let time pass."""
        self.ahead += timedelta(**span)

    def order(self, kuerzel: str = "SB", full: bool | None = None, deps: Deps | None = None) -> dict[str, Any]:
        """Run one employee; raises what the run raises."""
        return sync_employee(Order(kuerzel, full), deps or self.deps)

    def run(self, kuerzel: str = "SB", full: bool | None = None) -> dict[str, Any]:
        """Run one employee and give the status row, also of a failed or interrupted run."""
        try:
            return self.order(kuerzel, full)
        except (RunFailedError, PostponeError):
            return self.deps.memory.status(kuerzel) or {}

    def settle(self, kuerzel: str = "SB", full: bool | None = None, most: int = 6) -> dict[str, Any]:
        """Run until a run changes nothing and remembers what it saw."""
        for _ in range(most):
            row = self.run(kuerzel, full)
            idle = not (row["created"] or row["updated"] or row["deleted"] or row["failed"])
            if idle and self.deps.memory.last_read(kuerzel) is not None:
                break
        return row

    def calendar(self, kuerzel: str = "SB") -> str:
        """Give the id of an employee's calendar."""
        return next(entry["id"] for entry in self.google.calendars() if entry["summary"] == f"AW-{kuerzel}")

    def events(self, kuerzel: str = "SB") -> list[dict[str, Any]]:
        """Give the living events of an employee."""
        return self.google.events(self.calendar(kuerzel))

    def event_of(self, fr_nr: int, kuerzel: str = "SB") -> dict[str, Any]:
        """Find the living event of an appointment."""
        found = [event for event in self.events(kuerzel) if private(event).get("adv_fr") == str(fr_nr)]
        assert len(found) == 1, f"{len(found)} events for one appointment"
        return found[0]

    def flush(self) -> None:
        """Lose everything that Redis holds."""
        self.state.flushall()

    def forget_calls(self) -> None:
        """Start counting calls anew on both sides."""
        self.advoware.board.forget_calls()
        self.google.board.forget_calls()

    def calls(self) -> tuple[list[str], list[str]]:
        """Name the calls since then: to Advoware's appointments, to Google's events."""
        left = [c.method + (" one" if c.path != "/appointments" else "") for c in self.advoware.board.calls]
        left = [
            name
            for name, call in zip(left, self.advoware.board.calls, strict=True)
            if call.path.startswith("/appointments")
        ]
        right = [google_call(c) for c in self.google.board.calls if "/events" in c.path]
        return left, right

    def writes(self) -> list[str]:
        """Name the calls that write anything."""
        left, right = self.calls()
        return [name for name in left + right if not name.startswith(("GET", "full", "delta"))]


def google_call(call: Any) -> str:
    """Name one call to Google's events: full, delta, GET, POST, PUT, PATCH, DELETE."""
    if call.method != "GET" or not call.path.endswith("/events"):
        return str(call.method)
    return "delta" if "syncToken" in call.query else "full"


def private(event: dict[str, Any]) -> dict[str, str]:
    """Give an event's private properties."""
    return (event.get("extendedProperties") or {}).get("private") or {}


def today() -> date:
    """Say which day it is in Berlin, where the window begins and ends at midnight."""
    return datetime.now(BERLIN).date()


def autumn_night() -> date:
    """Name a Sunday in the window on which an hour comes twice; they lie 371 days apart at most."""
    days = (today() + timedelta(days=n) for n in range(-25, 360))
    return next(each for each in days if (each.month, each.weekday()) == (10, 6) and each.day >= 25)


def day(ahead: int) -> str:
    """Name a day from today on as Advoware writes it."""
    return f"{today() + timedelta(days=ahead)}T00:00:00"


def termin(ahead: int, text: str, start: str = "10:00", end: str = "11:00", **more: Any) -> dict[str, Any]:
    """Write the fields of an ordinary appointment."""
    hours = {"uhrzeitVon": f"{start}:00", "uhrzeitBis": f"{end}:00"}
    return {"datum": day(ahead), "datumBis": day(ahead), **hours, "text": text, **more}


def timed(ahead: int, start: str = "10:00", end: str = "11:00", **more: Any) -> dict[str, Any]:
    """Write the body of an event at a Berlin time."""
    on = day(ahead)[:10]
    return {
        "start": {"dateTime": f"{on}T{start}:00", "timeZone": "Europe/Berlin"},
        "end": {"dateTime": f"{on}T{end}:00", "timeZone": "Europe/Berlin"},
        **more,
    }


@contextmanager
def world(
    state: redis.Redis, *, full: bool = True, quota: int | None = None, direct: bool = False, **env: str
) -> Iterator[World]:
    """Open a firm with two employees and empty calendars; a `direct` one calls the doubles without a network."""
    firm = World(state, quota=quota)
    firm.direct = direct
    with tempfile.TemporaryDirectory() as directory:
        account = Path(directory) / "sa.json"
        if direct:
            _settle_in(firm, account, ("http://advoware.test", "http://google.test"), full, env)
            yield firm
            return
        with serve(firm.advoware) as left, serve(firm.google) as right:
            _settle_in(firm, account, (left.url, right.url), full, env)
            yield firm


@functools.cache
def _service() -> Service:
    """Build Google's methods once for all direct worlds."""
    return Service("http://google.test/calendar/v3/")


@functools.cache
def _service_account() -> str:
    """Make one key for all tests, a short one: each world reads and checks it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - it signs for a double only
    private, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, private, plain).decode()
    fixed = {"type": "service_account", "project_id": "sandbox", "client_id": "1", "universe_domain": "googleapis.com"}
    return json.dumps({**fixed, "private_key_id": "test", "private_key": pem})


def _settle_in(firm: World, account: Path, urls: tuple[str, str], full: bool, env: dict[str, str]) -> None:
    left, right = urls
    account.write_text(_service_account())
    firm.google.office.trust(write_service_account(account, f"{right}/token"))
    quota = firm.google.quota.per_minute
    firm.env = {
        **firm.advoware.env(left),
        "GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH": str(account),
        "GOOGLE_CALENDAR_API_ENDPOINT": f"{right}/calendar/v3/",
        "GOOGLE_CALENDAR_RATE_PER_MINUTE": str(quota or 600000),
        "GOOGLE_CALENDAR_BURST": "7" if quota else "1000",
        "CALENDAR_FULL_CONTENT": str(full).lower(),
        **env,
    }
    firm.make()
