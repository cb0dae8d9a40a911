"""Entries of the leads: the website's forms, the newsletter's confirmation, the clock, and the topic."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent
from werkzeug.wrappers import Request, Response

from functions.leads.deps import Deps, Settings
from functions.leads.errors import describe
from functions.leads.handler import MAX_BODY_BYTES, Receiver
from functions.leads.identity import Identity
from functions.leads.paths import CONFIRM
from functions.leads.proof import Proof
from functions.leads.submission import Submission
from shared import startup
from shared.clock import utc_now
from shared.events import topics
from shared.events.bus import MODELS, Bus
from shared.events.cloudevent import from_sdk
from shared.events.task import Subscriber, Task
from shared.once import once
from shared.settings.advoware import AdvowareSettings
from shared.settings.common import CommonSettings, EventSettings, RedisSettings
from shared.settings.espocrm import EspoCrmSettings
from shared.settings.leads import LeadSettings, OfficeSettings
from shared.web.call import Call
from shared.web.entry import Entry, Route
from shared.web.framework import install

PARTS = startup.start(
    *MODELS,
    LeadSettings,
    OfficeSettings,
    EspoCrmSettings,
    secrets=("GATEWAY_SECRET", "VERMIETERHELDEN_WEBHOOK_SECRET", "LEAD_ENCRYPTION_KEY"),
)
BUS = Bus("leads")
SETTINGS = Settings(
    PARTS[CommonSettings],
    PARTS[RedisSettings],
    PARTS[EventSettings],
    PARTS[LeadSettings],
    PARTS[OfficeSettings],
    PARTS[EspoCrmSettings],
    startup.read_parts([AdvowareSettings])[AdvowareSettings],
)


@once
def deps() -> Deps:
    """Make what handlers work with, on first use."""
    return Deps(SETTINGS, BUS)


def _hand_off(lead_id: str) -> None:
    deps().hand_off(lead_id)


def _direct(submission: Submission, identity: Identity, at: datetime) -> bool:
    return deps().direct.create(submission, identity, at)


def _show(call: Call) -> Response:
    return deps().newsletter.show(call)


def _confirm(call: Call) -> Response:
    return deps().newsletter.confirm(call)


def _maintain(call: Call) -> dict[str, Any]:
    return deps().maintenance.run(call)


def _work(task: Task) -> None:
    deps().intake.handle(task)


_RECEIVER = Receiver(
    Proof.of(SETTINGS.leads),
    lambda: deps().vault,
    lambda: deps().store,
    deps().reader,
    SETTINGS.leads.rate_per_minute,
    _hand_off,
    _direct,
    utc_now,
)
_LEADS = Entry(
    "leads",
    [
        Route("POST", "/api/leads/vermieterhelden", _RECEIVER.receive, MAX_BODY_BYTES, asks=("typ", "token")),
        Route("GET", CONFIRM, _show, asks=("token",), page=True),
        Route("POST", CONFIRM, _confirm, asks=("token",), page=True),
    ],
    PARTS[CommonSettings],
    needs=PARTS.missing,
    redis=BUS.state,
    sends=lambda: BUS.unsendable(topics.LEAD_RECEIVED),
    describe=describe,
)
_MAINTENANCE = Entry(
    "leads_maintenance",
    [Route("POST", "/leads/maintenance", _maintain)],
    PARTS[CommonSettings],
    needs=PARTS.missing,
    redis=BUS.state,
    sends=lambda: BUS.unsendable(topics.LEAD_RECEIVED),
)
SUBSCRIBERS = {topics.LEAD_RECEIVED: Subscriber(_work)}
install(_LEADS)


@functions_framework.http
def leads(request: Request) -> Response:
    """Take a lead, or the confirmation of a newsletter."""
    return _LEADS(request)


@functions_framework.http
def leads_maintenance(request: Request) -> Response:
    """Do what the clock asks for."""
    return _MAINTENANCE(request)


@functions_framework.cloud_event
def lead_intake(event: CloudEvent) -> None:
    """Work one lead off."""
    BUS.deliver(SUBSCRIBERS, from_sdk(event), topics.LEAD_RECEIVED)
