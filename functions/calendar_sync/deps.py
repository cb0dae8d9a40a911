"""Everything the calendar sync works with, made once per process and opened on first use."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import redis

from functions.calendar_sync.bases import Bases, derived_key
from functions.calendar_sync.calendars import Calendars
from functions.calendar_sync.employees import Employees
from functions.calendar_sync.guard import Limits
from functions.calendar_sync.identity import OwnIds, tenant_hash
from functions.calendar_sync.memory import Memory
from functions.calendar_sync.pairing import Reader
from shared.advoware.client import AdvowareClient
from shared.clock import Clock, utc_now
from shared.google.auth import subject_hash
from shared.google.client import GoogleCalendar
from shared.http import HttpClient, Witness, nobody
from shared.settings.advoware import AdvowareSettings
from shared.settings.calendar import CalendarSettings, GoogleSettings
from shared.state.bucket import Bucket
from shared.state.lock import EmployeeLocks
from shared.state.token import TokenCache, TokenKeys

GRACE_MARGIN_S = 60
SHORT_GRACE_S = 120


@dataclass(frozen=True)
class Settings:
    """The settings of the calendar sync, part by part."""

    advoware: AdvowareSettings
    google: GoogleSettings
    calendar: CalendarSettings
    default_run_limit_s: float = 840

    @property
    def run_limit_s(self) -> float:
        """Give the time after which a run stops: below the grace, so that no POST of it outlives the grace."""
        limit = self.calendar.run_limit_s or self.default_run_limit_s
        grace = self.calendar.intent_grace_s
        return min(limit, grace - GRACE_MARGIN_S) if grace > SHORT_GRACE_S else limit

    def bases(self) -> Bases:
        """Make the hash keys: the configured ones, else one derived from Advoware's API key."""
        configured = self.calendar.hmac_key.get_secret_value() if self.calendar.hmac_key else ""
        keys = [part.strip() for part in configured.split(",") if part.strip()]
        if keys:
            return Bases.of(keys)
        secret = self.advoware.api_key.get_secret_value() if self.advoware.api_key else ""
        return Bases((derived_key(secret),))

    def reader(self) -> Reader:
        """Make the reader of both sides."""
        tenant = tenant_hash(self.advoware.kanzlei or "", self.advoware.database)
        return Reader(OwnIds(tenant), self.calendar.all_day_field)


@dataclass(frozen=True)
class Deps:
    """What handlers use; `state` is DB 1."""

    settings: Settings
    state: redis.Redis
    advoware: AdvowareClient
    google: GoogleCalendar
    memory: Memory
    locks: EmployeeLocks
    calendars: Calendars
    employees: Employees
    limits: Limits
    clock: Clock = utc_now
    monotonic: Callable[[], float] = time.monotonic


def make_deps(
    settings: Settings,
    state: redis.Redis,
    rates: redis.Redis,
    answered: Witness = nobody,
    clock: Clock = utc_now,
) -> Deps:
    """Wire the clients and the state; nothing is called yet."""
    http = HttpClient("advoware", settings.advoware.timeout_s, answered=answered)
    bucket = Bucket(rates, rate_per_minute=settings.google.rate_per_minute, burst=settings.google.burst)
    advoware = AdvowareClient(settings.advoware, http, TokenCache(state, TokenKeys.advoware()))
    google_tokens = TokenCache(state, TokenKeys.google(subject_hash(settings.google)))
    google_http = HttpClient("google", 30.0, answered=answered)
    calendars = Calendars(state, settings.calendar.name_template, settings.bases().keys[0])
    return Deps(
        settings,
        state,
        advoware,
        GoogleCalendar(settings.google, google_tokens, bucket, http=google_http),
        Memory(state),
        EmployeeLocks(state, ttl_s=settings.calendar.lock_s),
        calendars,
        Employees(state, advoware, settings.calendar.share_with, calendars.digest),
        Limits(settings.calendar.max_delete_share, settings.calendar.max_deletes),
        clock,
    )
