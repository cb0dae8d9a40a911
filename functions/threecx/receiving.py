"""Receive what the phone system tells: prove it, store it, hand it over, answer."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Request

from functions.threecx.call import Call as PhoneCall
from functions.threecx.links import Links
from functions.threecx.lookup import Found, Lookup
from functions.threecx.matching import Hit
from functions.threecx.telling import Dialect, event_of, event_of_report
from shared.clock import Clock, utc_now
from shared.domain.call import Event, Said
from shared.errors import MediaTypeError, UnauthenticatedError
from shared.events.publisher import Publisher
from shared.events.topics import THREECX_CALL
from shared.log import get_log
from shared.settings.threecx import ThreeCxSettings
from shared.state.budget import within
from shared.threecx.number import Kind, Number, told_number
from shared.threecx.store import CallStore, call_key
from shared.threecx.wire import ReportBody, WebhookBody
from shared.web.call import Call
from shared.web.reading import is_json, strict_json
from shared.webhook import is_secret, is_signed, secrets_of

LOOKUP, REPORT = "/threecx/lookup", "/threecx/report-call"
STRANGER = "unbekannt"
REDIS_S = 1.5  # with the half second that the last question may take, two
log = get_log(__name__)


@dataclass(frozen=True)
class Proof:
    """What the phone system must know; without a secret configured, nothing (production does not start then)."""

    secrets: tuple[str, ...]
    template_keys: tuple[str, ...]
    api_keys: tuple[str, ...]
    basic: tuple[str, ...]
    strict: bool = False  # production: where no secret is configured, nobody gets in

    @classmethod
    def of(cls, settings: ThreeCxSettings, *, strict: bool = False) -> Proof:
        """Read what is configured."""
        secret, template, key, password = (
            each.get_secret_value() if each else ""
            for each in (settings.webhook_secret, settings.template_key, settings.api_key, settings.password)
        )
        basic = (f"{settings.username}:{password}",) if settings.username and password else ()
        return cls(secrets_of(secret), secrets_of(template), (key,) if key else (), basic, strict)

    def require_webhook(self, request: Request, raw: bytes, now_s: float) -> None:
        """Refuse a webhook without signature, key or password."""
        header = request.headers.get
        stamp, signature = header("X-3CX-Timestamp", ""), header("X-3CX-Signature", "")
        proofs = (
            is_signed(raw, stamp, signature, self.secrets, now_s),
            is_secret(header("X-API-Key", ""), self.api_keys),
            is_secret(_basic(header("Authorization", "")), self.basic),
        )
        if (self.secrets or self.strict) and not any(proofs):
            raise UnauthenticatedError("The signature is missing, wrong or too old.")

    def require_template(self, request: Request) -> None:
        """Refuse whoever does not show the template's key."""
        shown = is_secret(request.headers.get("X-API-Key", ""), self.template_keys)
        if (self.template_keys or self.strict) and not shown:
            raise UnauthenticatedError("The key is missing or wrong.")


@dataclass(frozen=True)
class Receiver:
    """Takes events, reports and questions of the phone system."""

    proof: Proof
    dialect: Dialect
    store: Callable[[], CallStore]
    publisher: Callable[[], Publisher]
    find: Callable[[], Lookup]
    links: Links
    names_strangers: bool = False
    clock: Clock = utc_now

    def webhook(self, call: Call) -> dict[str, Any]:
        """Note an event; the start of a call is answered with who it may be."""
        raw, now_s = call.body(), self.clock().timestamp()
        self.proof.require_webhook(call.request, raw, now_s)
        body = WebhookBody.read(_json(call, raw))
        event = event_of(body, self.dialect)
        if event is None:
            return {"contacts": [], "screenpop_url": ""} if body.event == "call.started" else {"stored": True}
        key = call_key(body.call_id)
        self._keep(key, event, body.call_id)
        log.info("call_event", call_id=body.call_id, action=event.said.value, direction=event.direction)
        if event.said is not Said.STARTED:
            return {"stored": True}
        if PhoneCall(self.store().events(key)).over:  # it came late: nothing rings any more
            return {"contacts": [], "screenpop_url": ""}
        found = self._found(told_number(event.number))
        return {
            "contacts": self._contacts(found.hits, event.number),
            "screenpop_url": self.links.screenpop(now_s, call_id=body.call_id),
        }

    def report(self, call: Call) -> dict[str, Any]:
        """Note what the CRM template says about a call that is over."""
        self.proof.require_template(call.request)
        body = ReportBody.read(_json(call, call.body()))
        if self.dialect.read(body.number).kind is Kind.INTERNAL:
            return {"stored": True}
        event = event_of_report(body, self.dialect, self.clock())
        self._keep(self.store().report_key(event), event)
        log.info("call_reported", direction=event.direction)
        return {"stored": True}

    def lookup(self, call: Call) -> dict[str, Any]:
        """Say who has a number; whatever goes wrong, the phone system gets an answer in time."""
        self.proof.require_template(call.request)
        number = self.dialect.read(call.query.get("number"))
        hits = self._found(number).hits
        log.info("lookup", count=len(hits))
        if not hits and self.names_strangers and number.kind is Kind.OUTSIDE:
            hits = (Hit("", "", last_name=number.value, match=STRANGER),)
        return {"contacts": self._contacts(hits, number.value)}

    def _keep(self, key: str, event: Event, call_id: str = "") -> None:
        with within(REDIS_S):
            self.store().add(key, event, call_id)
            self.publisher().publish(THREECX_CALL, key)

    def _found(self, number: Number) -> Found:
        try:
            return self.find().find(number)
        except Exception as error:  # noqa: BLE001 - a phone is ringing: nobody known is an answer, an error is none
            log.error("lookup_failed", exc=error)
            return Found()

    def _contacts(self, hits: tuple[Hit, ...], number: str) -> list[dict[str, str]]:
        now_s = self.clock().timestamp()
        answers = [hit.answer() for hit in hits]
        for answer in answers:
            answer["url"] = answer["url"] or self.links.screenpop(now_s, number=number)
        return answers


def _json(call: Call, raw: bytes) -> Any:
    if not is_json(call.request.headers.get("Content-Type")):
        raise MediaTypeError("Send the body as application/json.")
    return strict_json(raw)


def _basic(header: str) -> str:
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value.strip(), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
