"""Entries of the calendar sync: scheduler, manual trigger and views, push, and the two topics."""

from __future__ import annotations

import functools

import functions_framework
from cloudevents.http import CloudEvent
from werkzeug.wrappers import Request, Response

from functions.calendar_sync.api import CalendarApi, PlanQuery, SyncRequest
from functions.calendar_sync.channels import Channels
from functions.calendar_sync.deps import Deps, Settings, make_deps
from functions.calendar_sync.push import PushApi
from functions.calendar_sync.subscribers import Cascade
from shared import startup
from shared.events import topics
from shared.events.bus import MODELS, Bus
from shared.events.cloudevent import from_sdk
from shared.once import once
from shared.settings.advoware import AdvowareSettings
from shared.settings.calendar import CalendarSettings, GoogleSettings
from shared.settings.common import CommonSettings, EventSettings
from shared.web.entry import Entry, Route
from shared.web.framework import install

RUN_LIMIT_PUBSUB_S = 540  # a push has to be acknowledged within 600 s
RUN_LIMIT_S = 840
PUSH_PATH = "/calendar/push"

PARTS = startup.start(
    *MODELS, AdvowareSettings, GoogleSettings, CalendarSettings, secrets=("GATEWAY_SECRET", "CALENDAR_PUSH_TOKEN")
)
BUS = {name: Bus(name) for name in ("calendar_sync_cron", "calendar_sync_api", "calendar_push", "calendar_sync_all")}
SETTINGS = Settings(
    PARTS[AdvowareSettings],
    PARTS[GoogleSettings],
    PARTS[CalendarSettings],
    RUN_LIMIT_PUBSUB_S if PARTS[EventSettings].transport == "pubsub" else RUN_LIMIT_S,
)


@once
def deps() -> Deps:
    """Make what handlers work with, on first use."""
    bus = BUS["calendar_sync_all"]
    return make_deps(SETTINGS, bus.client(1), bus.client(2), bus.evidence.note)


def _api(target: str) -> CalendarApi:
    return CalendarApi(deps, lambda: BUS[target].publisher, PARTS[CalendarSettings].wait_s)


def _entry(target: str, sent: tuple[str, ...], *routes: Route) -> Entry:
    bus = BUS[target]
    sends = functools.partial(bus.unsendable, *sent)
    return Entry(target, routes, PARTS[CommonSettings], needs=PARTS.missing, redis=bus.state, sends=sends)


_CRON = _entry(
    "calendar_sync_cron",
    (topics.CALENDAR_SYNC_ALL,),
    Route("POST", "/calendar/cron", _api("calendar_sync_cron").cron),
)
_VIEWS = _api("calendar_sync_api")
_API = _entry(
    "calendar_sync_api",
    (topics.CALENDAR_SYNC_ALL, topics.CALENDAR_SYNC_EMPLOYEE),
    Route("POST", "/calendar/sync", _VIEWS.sync, body=SyncRequest),
    Route("GET", "/calendar/plan", _VIEWS.plan, query=PlanQuery),
    Route("GET", "/calendar/status", _VIEWS.status),
    Route("GET", "/calendar/audit", _VIEWS.audit, query=PlanQuery),
    Route("DELETE", "/calendar/locks/<kuerzel>", _VIEWS.unlock),
)
_TOKEN = PARTS[CalendarSettings].push_token
_PUSH = _entry(
    "calendar_push",
    (topics.CALENDAR_SYNC_EMPLOYEE,),
    Route(
        "POST",
        "/calendar/push",
        PushApi(
            deps,
            lambda: BUS["calendar_push"].publisher,
            _TOKEN.get_secret_value() if _TOKEN else None,
            SETTINGS.bases().keys,
        ).receive,
    ),
)


def plan_text(kuerzel: str) -> str:
    """Plan now and write the plan for people; the all-in-one's console shows it."""
    from functions.calendar_sync.handler import Order
    from functions.calendar_sync.plan_text import as_text
    from functions.calendar_sync.preview import make_plan

    return as_text(make_plan(Order(kuerzel), deps()))


@once
def channels() -> Channels | None:
    """Make the keeper of push channels; None where push is off."""
    address = PARTS[CalendarSettings].push_url
    if address is None:
        return None
    token = _TOKEN.get_secret_value() if _TOKEN else ""
    return Channels(
        deps().state, f"{address.rstrip('/').removesuffix(PUSH_PATH)}{PUSH_PATH}", token, SETTINGS.bases().keys[0]
    )


_CASCADE = Cascade(deps, lambda: BUS["calendar_sync_all"].publisher, channels)
SUBSCRIBERS = _CASCADE.subscribers()
install(_API, sends=lambda: BUS["calendar_sync_all"].unsendable(topics.CALENDAR_SYNC_EMPLOYEE))


@functions_framework.http
def calendar_sync_cron(request: Request) -> Response:
    """Start the daily run, and the poll between."""
    return _CRON(request)


@functions_framework.http
def calendar_sync_api(request: Request) -> Response:
    """Start, preview and release runs; show their state; free a lock."""
    return _API(request)


@functions_framework.http
def calendar_push(request: Request) -> Response:
    """Take a notification of a Google push channel."""
    return _PUSH(request)


@functions_framework.cloud_event
def calendar_sync_all(event: CloudEvent) -> None:
    """Ask for one run per employee."""
    BUS["calendar_sync_all"].deliver(SUBSCRIBERS, from_sdk(event), topics.CALENDAR_SYNC_ALL)


@functions_framework.cloud_event
def calendar_sync_employee(event: CloudEvent) -> None:
    """Run one employee."""
    BUS["calendar_sync_all"].deliver(SUBSCRIBERS, from_sdk(event), topics.CALENDAR_SYNC_EMPLOYEE)
