"""Entries of the party sync: EspoCRM's webhooks, the reconcile, and the subscriber of the three topics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import functions_framework
from werkzeug.wrappers import Request, Response

from functions.vmh_webhooks.direct import answer_directly
from functions.vmh_webhooks.handler import MAX_BODY_BYTES, Proof, Receiver
from shared import startup
from shared.events.bus import MODELS, Bus
from shared.events.cloudevent import from_sdk
from shared.events.task import Subscriber, Task
from shared.events.topics import PARTY
from shared.once import once
from shared.settings.advoware import AdvowareSettings
from shared.settings.common import CommonSettings
from shared.settings.espocrm import EspoCrmSettings
from shared.settings.parties import FieldSettings
from shared.web.call import Call
from shared.web.entry import Entry, Route
from shared.web.framework import install

if TYPE_CHECKING:
    from functions.vmh_webhooks.deps import Deps

ACTIONS = ("create", "update", "delete")
TOPICS = tuple(PARTY + action for action in ACTIONS)
PATH = "/vmh/webhook/beteiligte/"
PARTS = startup.start(
    *MODELS, EspoCrmSettings, AdvowareSettings, FieldSettings, secrets=("GATEWAY_SECRET", "ESPOCRM_WEBHOOK_SECRETS")
)
BUS = Bus("vmh_webhooks")


@once
def deps() -> Deps:
    """Make what the subscriber and the reconcile work with, on first use; a webhook needs none of it."""
    from functions.vmh_webhooks.deps import Settings, make_deps

    return make_deps(Settings(PARTS[EspoCrmSettings], PARTS[AdvowareSettings], PARTS[FieldSettings]), BUS)


def _reconcile(call: Call) -> dict[str, Any]:
    full = call.query.get("full", "").lower() in {"true", "1"}
    return deps().reconcile.full() if full else deps().reconcile.changed()


def _handle(task: Task) -> None:
    deps().sync.handle(task)


def _receivers() -> list[Route]:
    proof = Proof.of(PARTS[EspoCrmSettings])
    receivers = [Receiver(proof, lambda: BUS.publisher, action) for action in ACTIONS]
    return [Route("POST", PATH + each.action, each.receive, max_body=MAX_BODY_BYTES) for each in receivers]


_API = Entry(
    "vmh_webhooks",
    [*_receivers(), Route("POST", "/vmh/reconcile", _reconcile, asks=("full",))],
    PARTS[CommonSettings],
    needs=PARTS.missing,
    redis=BUS.state,
    sends=lambda: BUS.unsendable(*TOPICS),
)
SUBSCRIBERS = {topic: Subscriber(_handle) for topic in TOPICS}
install(_API)
answer_directly(_API, "vmh_webhooks", PATH)


@functions_framework.http
def vmh_webhooks(request: Request) -> Response:
    """Note what EspoCRM says has changed; find what it did not say."""
    return _API(request)


@functions_framework.cloud_event
def beteiligte_sync(event: Any) -> None:
    """Bring one party to Advoware."""
    BUS.deliver(SUBSCRIBERS, from_sdk(event))
