"""A firm in a test: both doubles over HTTP, a Redis, and runs of the real sync between them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import redis

from functions.calendar_sync.deps import Deps, Settings, make_deps
from functions.calendar_sync.handler import Order, RunFailedError, sync_employee
from sandbox.advoware import Advoware
from sandbox.google import Google, write_service_account
from sandbox.server import serve
from shared.events.task import PostponeError
from shared.settings.advoware import AdvowareSettings
from shared.settings.base import read
from shared.settings.calendar import CalendarSettings, GoogleSettings


class World:
    """Both sides, and a person's hands on each; `env` are settings of the runs."""

    def __init__(self, advoware: Advoware, google: Google, state: redis.Redis, env: dict[str, str]) -> None:
        self.advoware, self.google, self.state, self.env = advoware, google, state, env
        self.ahead = timedelta()
        self.deps = self.make()

    def make(self, **env: str) -> Deps:
        """Build the sync anew, as another process or with other settings."""
        self.env |= env
        settings = Settings(
            read(AdvowareSettings, self.env), read(GoogleSettings, self.env), read(CalendarSettings, self.env)
        )
        self.deps = make_deps(settings, self.state, self.state, clock=self.now)
        return self.deps

    def now(self) -> datetime:
        """Say what time it is in this world."""
        return datetime.now(UTC) + self.ahead

    def run(self, kuerzel: str = "SB", full: bool | None = None) -> dict[str, Any]:
        """Run one employee and give the status row, also of a failed or interrupted run."""
        try:
            return sync_employee(Order(kuerzel, full), self.deps)
        except (RunFailedError, PostponeError):
            return self.deps.memory.status(kuerzel) or {}

    def settle(self, kuerzel: str = "SB", full: bool | None = None, most: int = 5) -> dict[str, Any]:
        """Run until nothing is left to do."""
        for _ in range(most):
            row = self.run(kuerzel, full)
            if self.deps.memory.last_read(kuerzel) is not None and not (row["created"] or row["updated"]):
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


def private(event: dict[str, Any]) -> dict[str, str]:
    """Give an event's private properties."""
    return (event.get("extendedProperties") or {}).get("private") or {}


def day(ahead: int) -> str:
    """Name a day from today on as Advoware writes it."""
    return f"{(datetime.now(UTC) + timedelta(days=ahead)).date().isoformat()}T00:00:00"


def timed(ahead: int, start: str = "10:00", end: str = "11:00", **more: Any) -> dict[str, Any]:
    """Write the body of an event at a Berlin time."""
    date = day(ahead)[:10]
    return {
        "start": {"dateTime": f"{date}T{start}:00", "timeZone": "Europe/Berlin"},
        "end": {"dateTime": f"{date}T{end}:00", "timeZone": "Europe/Berlin"},
        **more,
    }


@contextmanager
def world(state: redis.Redis, *, full: bool = True, quota: int | None = None, **env: str) -> Iterator[World]:
    """Open a firm with two employees and empty calendars."""
    advoware, google = Advoware(), Google(quota_per_minute=quota)
    advoware.employee("SB", name="Berger", vorname="Sabine", email="s.berger@kanzlei.example")
    advoware.employee("KL", name="Klein", vorname="Karl", email="k.klein@kanzlei.example")
    with serve(advoware) as left, serve(google) as right, tempfile.TemporaryDirectory() as directory:
        account = Path(directory) / "sa.json"
        google.office.trust(write_service_account(account, f"{right.url}/token"))
        settings = {
            **advoware.env(left.url),
            "GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH": str(account),
            "GOOGLE_CALENDAR_API_ENDPOINT": f"{right.url}/calendar/v3/",
            "GOOGLE_CALENDAR_RATE_PER_MINUTE": str(quota or 60000),
            "CALENDAR_FULL_CONTENT": str(full).lower(),
            **env,
        }
        yield World(advoware, google, state, settings)
