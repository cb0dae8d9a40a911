"""A firm for benchmarks: both doubles over HTTP, with calendars that are in step already, or (`--apart`) still empty.

Run: python -m benchmarks.firm --employees 1000 --appointments 500 --redis redis://127.0.0.1:6379 --directory DIR
It prints the settings of a client as one line of JSON, then obeys lines on its input until that ends:
`edit KUERZEL COUNT` changes the text of so many appointments and answers `done`.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from random import Random
from typing import Any

import redis

from benchmarks.calendar_runs import kuerzel_of
from functions.calendar_sync.deps import Settings, make_deps
from functions.calendar_sync.handler import Order, make_run
from functions.calendar_sync.report import Report
from functions.calendar_sync.run import Limit
from functions.calendar_sync.writes import new_event
from sandbox.advoware import Advoware
from sandbox.google import Google, write_service_account
from sandbox.google import events as google_events
from sandbox.google.oauth import ACCOUNT
from sandbox.seed.firm import calendar
from sandbox.server import serve
from shared.domain.appointment import BERLIN
from shared.settings.advoware import AdvowareSettings
from shared.settings.base import read
from shared.settings.calendar import CalendarSettings, GoogleSettings
from shared.state.connection import connect


class Firm:
    """Both doubles and who works there."""

    def __init__(self, employees: int, appointments: int) -> None:
        self.names = [kuerzel_of(number) for number in range(employees)]
        self.appointments = appointments
        self.advoware, self.google = Advoware(), Google(quota_per_minute=None)
        self.numbers: dict[str, list[int]] = {}

    def fill_advoware(self, today: date) -> None:
        """Give everybody the same invented calendar, each entry with its own number."""
        rows = calendar(Random(1), self.appointments, today)
        for name in self.names:
            self.advoware.employee(name)
            self.numbers[name] = [self.advoware.create(name, **row) for row in rows]

    def fill_google(self, env: dict[str, str], state: redis.Redis) -> None:
        """Put every event where a first sync would have put it, and remember the calendars."""
        settings = Settings(read(AdvowareSettings, env), read(GoogleSettings, env), read(CalendarSettings, env))
        deps = make_deps(settings, state, state)
        for name in self.names:
            made = self.google.store.add_calendar(f"AW-{name}", ACCOUNT)
            state.set(f"calendar_sync:calendar:{name}", json.dumps({"id": made.id}))
            run = make_run(Order(name), deps, Report(), Limit(60), made.id)
            for row in self.advoware.appointments(name):
                ours = run.reader.ours(row)
                body = new_event(run, ours, run.reader.ids.make(ours.fr_nr), "a")
                self.google.put(made, google_events.created(body, made.zone), ACCOUNT)

    def obey(self, lines: Iterator[str]) -> None:
        """Change what is wished until nobody wishes any more."""
        for line in lines:
            _, name, count = line.split()
            for number in self.numbers[name][: int(count)]:
                text = self.advoware.get(number)["text"]
                self.advoware.edit(number, text=f"{text} *")
            print("done", flush=True)


def settings(advoware: Advoware, urls: tuple[str, str], account: Path, redis_url: str) -> dict[str, Any]:
    """Write the settings of a client that fits, with the quota lifted."""
    left, right = urls
    return {
        **advoware.env(left),
        "REDIS_URL": redis_url,
        "GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH": str(account),
        "GOOGLE_CALENDAR_API_ENDPOINT": f"{right}/calendar/v3/",
        "GOOGLE_CALENDAR_RATE_PER_MINUTE": "600000",
        "GOOGLE_CALENDAR_BURST": "10000",
        "CALENDAR_FULL_CONTENT": "true",
    }


def main() -> None:
    """Serve until the input ends."""
    options = argparse.ArgumentParser()
    options.add_argument("--employees", type=int, default=1000)
    options.add_argument("--appointments", type=int, default=500)
    options.add_argument("--redis", required=True)
    options.add_argument("--directory", type=Path, required=True)
    options.add_argument("--apart", action="store_true", help="leave the Google calendars empty")
    chosen = options.parse_args()
    firm = Firm(chosen.employees, chosen.appointments)
    account = chosen.directory / "service-account.json"
    with serve(firm.advoware) as left, serve(firm.google) as right:
        firm.google.office.trust(write_service_account(account, f"{right.url}/token"))
        env = settings(firm.advoware, (left.url, right.url), account, chosen.redis)
        firm.fill_advoware(datetime.now(BERLIN).date())
        if not chosen.apart:
            firm.fill_google(env, connect(chosen.redis, 1, timeout_s=5))
        print(json.dumps(env), flush=True)
        firm.obey(iter(sys.stdin))


if __name__ == "__main__":
    main()
