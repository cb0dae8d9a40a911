"""Entries of the phone functions: calls, events, reports, lookup and screen pop; the journal subscriber."""

from __future__ import annotations

from typing import Any

import functions_framework
from werkzeug.wrappers import Request, Response

from functions.threecx.deps import Deps
from functions.threecx.links import SIGNED
from functions.threecx.receiving import LOOKUP, REPORT
from shared import startup
from shared.events.bus import MODELS, Bus
from shared.events.cloudevent import from_sdk
from shared.events.task import Subscriber, Task
from shared.events.topics import THREECX_CALL
from shared.once import once
from shared.settings.advoware import AdvowareSettings
from shared.settings.common import CommonSettings
from shared.settings.espocrm import EspoCrmSettings
from shared.settings.leads import OfficeSettings
from shared.settings.threecx import ThreeCxSettings
from shared.web.call import Call
from shared.web.entry import Entry, Route
from shared.web.framework import install

PARTS = startup.start(
    *MODELS,
    ThreeCxSettings,
    EspoCrmSettings,
    AdvowareSettings,
    OfficeSettings,
    secrets=("GATEWAY_SECRET", "THREECX_WEBHOOK_SECRET", "THREECX_TEMPLATE_KEY"),
)
BUS = Bus("threecx")


@once
def deps() -> Deps:
    """Give what the entries work with."""
    return Deps(PARTS, BUS)


def _place(call: Call) -> dict[str, Any]:
    return deps().calls.place(call)


def _status(call: Call) -> dict[str, Any]:
    return deps().calls.status(call)


def _recording(call: Call) -> Response:
    return deps().calls.recording(call)


def _lookup(call: Call) -> dict[str, Any]:
    return deps().receiver.lookup(call)


def _screenpop(call: Call) -> Response:
    return deps().screenpop.show(call)


def _webhook(call: Call) -> dict[str, Any]:
    return deps().receiver.webhook(call)


def _report(call: Call) -> dict[str, Any]:
    return deps().receiver.report(call)


def _reconcile(call: Call) -> dict[str, Any]:
    del call
    return deps().reconcile.run()


def _journal(task: Task) -> None:
    deps().journal.handle(task)


ROUTES = (
    Route("POST", "/threecx/calls", _place, limited=True),
    Route("GET", "/threecx/calls/<id>", _status, limited=True),
    Route("GET", "/threecx/calls/<id>/recording", _recording, limited=True),
    Route("GET", LOOKUP, _lookup, asks=("number", "direction")),
    Route("GET", "/threecx/screenpop", _screenpop, gated=False, asks=(*SIGNED, "exp", "sig"), page=True),
    Route("POST", "/threecx/webhook", _webhook),
    Route("POST", REPORT, _report),
    Route("POST", "/threecx/reconcile", _reconcile),
)
_API = Entry(
    "threecx",
    ROUTES,
    PARTS[CommonSettings],
    needs=PARTS.missing,
    redis=BUS.state,
    sends=lambda: BUS.unsendable(THREECX_CALL),
)
SUBSCRIBERS = {THREECX_CALL: Subscriber(_journal)}
install(_API)


@functions_framework.http
def threecx(request: Request) -> Response:
    """Connect the phones with the firm's knowledge."""
    return _API(request)


@functions_framework.cloud_event
def call_journal(event: Any) -> None:
    """Write one call into EspoCRM."""
    BUS.deliver(SUBSCRIBERS, from_sdk(event))
