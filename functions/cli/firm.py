"""Compose what commands work with, from the same settings as the app, in this very process."""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from functions.calendar_sync.deps import Deps
    from functions.leads.admin import Admin
    from functions.ops.letters import Letters
    from functions.threecx.deps import Deps as PhoneDeps
    from shared.espocrm.client import EspoCrmClient
    from shared.events.bus import Bus
    from shared.events.runner import Runner


class Firm:
    """Everything opens on first use; nothing is imported before."""

    @functools.cached_property
    def bus(self) -> Bus:
        """Give the events; like the all-in-one, a stream is the default transport."""
        from shared.events.bus import Bus

        if not os.environ.get("EVENT_TRANSPORT", "").strip():
            os.environ["EVENT_TRANSPORT"] = "redis"
        return Bus("cli")

    @functools.cached_property
    def deps(self) -> Deps:
        """Give what the calendar sync works with."""
        from functions.calendar_sync.deps import Settings, make_deps
        from shared.settings.advoware import AdvowareSettings
        from shared.settings.base import read
        from shared.settings.calendar import CalendarSettings, GoogleSettings

        settings = Settings(read(AdvowareSettings), read(GoogleSettings), read(CalendarSettings))
        return make_deps(settings, self.bus.client(1), self.bus.client(2), self.bus.evidence.note)

    @functools.cached_property
    def runner(self) -> Runner:
        """Give a runner that works calendar runs off here."""
        from functions.calendar_sync.subscribers import Cascade
        from shared.events import topics

        cascade = Cascade(lambda: self.deps, lambda: self.bus.publisher)
        return self.bus.runner(topics.EMPLOYEES_QUEUE, cascade.subscribers())

    @functools.cached_property
    def letters(self) -> Letters:
        """Give the dead letters of all queues."""
        from functions.ops.letters import Letters

        return Letters(self.bus.queue, self.bus.choices, self.bus.cloud_letters)

    @functools.cached_property
    def espocrm(self) -> EspoCrmClient:
        """Give EspoCRM's client."""
        from shared.espocrm.client import EspoCrmClient
        from shared.espocrm.pause import Pause
        from shared.http import HttpClient
        from shared.settings.base import read
        from shared.settings.espocrm import EspoCrmSettings

        settings = read(EspoCrmSettings)
        return EspoCrmClient(settings, HttpClient("espocrm", settings.timeout_s), Pause(self.bus.client(1)))

    @functools.cached_property
    def leads(self) -> Admin:
        """Give what persons decide about leads."""
        from functions.leads.deps import Deps, Settings
        from shared.settings.advoware import AdvowareSettings
        from shared.settings.base import read
        from shared.settings.common import CommonSettings, EventSettings, RedisSettings
        from shared.settings.espocrm import EspoCrmSettings
        from shared.settings.leads import LeadSettings, OfficeSettings

        bus = self.bus
        settings = Settings(
            read(CommonSettings),
            read(RedisSettings),
            read(EventSettings),
            read(LeadSettings),
            read(OfficeSettings),
            read(EspoCrmSettings),
            read(AdvowareSettings),
        )
        return Deps(settings, bus).admin

    @functools.cached_property
    def phones(self) -> PhoneDeps:
        """Give what the phone functions work with."""
        from functions.threecx.deps import Deps
        from shared.settings.advoware import AdvowareSettings
        from shared.settings.common import CommonSettings
        from shared.settings.espocrm import EspoCrmSettings
        from shared.settings.leads import OfficeSettings
        from shared.settings.threecx import ThreeCxSettings
        from shared.startup import read_parts

        models = CommonSettings, ThreeCxSettings, EspoCrmSettings, AdvowareSettings, OfficeSettings
        return Deps(read_parts(models), self.bus)

    def names(self, kuerzel: str | None) -> list[str]:
        """Name the employee that is meant, or all."""
        if kuerzel is None:
            return sorted(self.deps.employees.all())
        from shared.errors import NotFoundError
        from shared.events.topics import is_kuerzel

        if not is_kuerzel(kuerzel):
            raise NotFoundError("no such employee")
        self.deps.employees.known(kuerzel)
        return [kuerzel]


@contextmanager
def stopping_politely() -> Iterator[None]:
    """Let Ctrl-C stop a run between two writes."""
    from shared.events.task import STOPPING

    def stop(_number: int, _frame: Any) -> None:
        STOPPING.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
