"""Place calls, say how they are, and let those listen to recordings who may."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import redis
from pydantic import BaseModel, ConfigDict, Field, model_validator
from werkzeug.wrappers import Response

from functions.threecx import dialling
from functions.threecx.call import Call as PhoneCall
from functions.threecx.dialling import Whom
from functions.threecx.directory import KINDS, MOST
from functions.threecx.matching import exactly, is_opted_out
from functions.threecx.telling import Dialect
from shared.clock import Clock, iso, utc_now
from shared.domain.call import Consent, Event, Said
from shared.errors import (
    FieldProblem,
    ForbiddenError,
    InvalidRequestError,
    NotConfiguredError,
    NotFoundError,
    UpstreamError,
)
from shared.espocrm.client import EspoCrmClient
from shared.log import get_log
from shared.office_hours import BERLIN, OfficeHours
from shared.state.budget import within
from shared.threecx.limits import DialLimits, Limit
from shared.threecx.number import Kind, Number
from shared.threecx.provider import Provider, RateLimitedError, Seen, UnknownOutcomeError
from shared.threecx.store import Binding, CallStore, call_key
from shared.threecx.wire import CALL_ID
from shared.web.call import Call

log = get_log(__name__)
REDIS_S = 1.0  # of the time in which somebody waits for a phone to ring
_ON_ITS_WAY = timedelta(minutes=10)
_DAY_S, _HOUR_S, _LEAD_S = 2 * 86400, 3600, 180 * 86400


class NoRecordingConsentError(ForbiddenError):
    """Nobody listens to a recording to which the other side has not agreed."""

    slug, title = "no-consent", "There is no consent to this recording"


class CallBody(BaseModel):
    """Whom to call, from where, and who asks for it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    lead_id: str | None = Field(default=None, min_length=1, max_length=40, pattern=r"^[0-9A-Za-z-]+$")
    contact_id: str | None = Field(default=None, min_length=1, max_length=40, pattern=r"^[0-9A-Za-z-]+$")
    number: str | None = Field(default=None, min_length=1, max_length=60)
    extension: str | None = Field(default=None, max_length=40, pattern=r"^[0-9A-Za-z._-]*$")
    mode: Literal["manual", "automatic"] = "manual"

    @model_validator(mode="after")
    def _one_target(self) -> CallBody:
        if sum(each is not None for each in (self.lead_id, self.contact_id, self.number)) != 1:
            raise ValueError("exactly one of lead_id, contact_id and number is needed")
        return self


@dataclass(frozen=True)
class Calls:
    """The calls that we place and look after."""

    provider: Callable[[], Provider]
    espocrm: Callable[[], EspoCrmClient]
    store: Callable[[], CallStore]
    limits: Callable[[], DialLimits]
    dialect: Dialect
    hours: OfficeHours
    automatic_extension: str = ""
    automatic_per_hour: int = 10
    clock: Clock = utc_now

    def place(self, call: Call) -> dict[str, Any]:
        """Have a phone ring and then dial, where the rules allow it."""
        body = call.json(CallBody)
        with within(REDIS_S):
            return self._placed(body, self.clock())

    def _placed(self, body: CallBody, now: datetime) -> dict[str, Any]:
        store, whom = self.store(), self._whom(body)
        automatic = body.mode == "automatic"
        extension = body.extension or (self.automatic_extension if automatic else "")
        if not extension:
            raise _invalid("extension", "missing", "An extension is needed.")
        dialling.check_number(whom.number)
        dialling.check_person(self._as_flagged(whom))
        limits: list[Limit] = []
        if automatic:
            dialling.check_automatic(whom, now, self.hours)
            limits = self._take(whom, now)
        placed = self._initiate(extension, whom, limits)
        direction, number = "outbound", whom.number.value
        said = Event(Said.DIALLED, now, direction, number, extension, start=now, entity_type=whom.kind)
        try:
            store.add(call_key(placed.call_id), said, placed.call_id)
        except redis.RedisError as error:  # it rings all the same: whoever hears of a failure dials once more
            log.error("call_not_noted", exc=error, call_id=placed.call_id)
        log.info("call_placed", call_id=placed.call_id, mode=body.mode)
        return {"call_id": placed.call_id, "status": placed.status.word, "number": number}

    def status(self, call: Call) -> dict[str, Any]:
        """Say how a call is: what the phone system says, and what it has told before."""
        call_id = _call_id(call)
        key = call_key(call_id)
        known, written = PhoneCall(self.store().events(key)), self.store().bindings([key]).get(key, Binding())
        try:
            seen = self.provider().status(call_id)
        except (UpstreamError, RateLimitedError):
            if not known.events:
                raise
            seen = None
        if seen is None and not known.events:
            raise NotFoundError("There is no such call.")
        consent = max(known.consent, written.consent)
        recording = {"available": bool(known.recording_id or written.recording), "consent": consent.word}
        return {"call_id": call_id, **_described(known, seen), "recording": recording}

    def recording(self, call: Call) -> Response:
        """Stream the audio of a call to which the other side has agreed; every access leaves a line."""
        call_id, granted = _call_id(call), False
        try:
            key = call_key(call_id)
            known = PhoneCall(self.store().events(key))
            written = self.store().bindings([key]).get(key, Binding())
            recording_id = known.recording_id or written.recording
            if max(known.consent, written.consent) is not Consent.GIVEN:
                raise NoRecordingConsentError
            granted = True
            number = known.number if known.events else ""
            audio = self.provider().recording(call_id, recording_id, call.request.headers.get("Range", ""), number)
            if audio is None:
                raise NotFoundError("There is no recording of this call.", retry_after_s=self._again_s(known))
            return Response(audio.body, audio.status, audio.headers, direct_passthrough=True)
        finally:
            log.info("recording_access", call_id=call_id, granted=granted)

    def _again_s(self, known: PhoneCall) -> int | None:
        """Ask for patience where a recording may still be on its way."""
        young = bool(known.events) and known.last + _ON_ITS_WAY > self.clock()
        return 30 if young else None

    def _whom(self, body: CallBody) -> Whom:
        if body.number is not None:
            return Whom(self._number(body.number))
        kind, record_id = ("Lead", body.lead_id) if body.lead_id else ("Contact", str(body.contact_id))
        row = self.espocrm().read(kind, str(record_id))
        if row is None:
            raise NotFoundError(f"There is no such {kind.lower()}.")
        return dialling.whom_of(kind, row, self._number(str(row.get("phoneNumber") or "")))

    def _number(self, text: str) -> Number:
        if dialling.is_emergency(text):
            raise dialling.EmergencyError
        number = self.dialect.read(text)
        if number.kind is not Kind.OUTSIDE:
            raise _invalid("number", "unparseable", "This is no phone number.")
        return number

    def _as_flagged(self, whom: Whom) -> Whom:
        """Find the wish not to be called also on other records of the number."""
        if whom.do_not_call:
            return whom
        where = [*exactly(whom.number), {"type": "isTrue", "attribute": "doNotCall"}]
        try:
            flagged = any(self.espocrm().find(kind, where, limit=1) for kind in ("Contact", "Lead"))
            flagged = flagged or any(self._opted_out(kind, whom.number) for kind in KINDS)
        except NotConfiguredError:
            flagged = False
        return Whom(whom.number, whom.kind, whom.record_id, flagged, whom.wants_call)

    def _opted_out(self, kind: str, number: Number) -> bool:
        rows = self.espocrm().find(kind, exactly(number), select=("name",), limit=MOST)
        records = (self.espocrm().read(kind, str(row["id"])) or {} for row in rows)
        return any(is_opted_out(record, number) for record in records)

    def _take(self, whom: Whom, now: datetime) -> list[Limit]:
        day, hour = now.astimezone(BERLIN).strftime("%Y-%m-%d"), now.strftime("%Y-%m-%dT%H")
        lead = Limit(f"lead {whom.record_id}", dialling.PER_LEAD, _LEAD_S)
        daily = Limit(f"number {whom.number.value} {day}", dialling.PER_NUMBER, _DAY_S)
        hourly = Limit(f"hour {hour}", self.automatic_per_hour, _HOUR_S)
        exceeded = self.limits().take([lead, daily, hourly])
        if exceeded is lead:
            raise dialling.LeadLimitError
        if exceeded is daily:
            raise dialling.DailyLimitError
        if exceeded is hourly:
            rest_s = _HOUR_S - int(now.timestamp()) % _HOUR_S
            raise RateLimitedError("Enough automatic calls for this hour.", retry_after_s=rest_s)
        return [lead, daily, hourly]

    def _initiate(self, extension: str, whom: Whom, limits: list[Limit]) -> Any:
        try:
            return self.provider().initiate(extension, whom.number.value)
        except UnknownOutcomeError:
            raise
        except Exception:  # surely not placed
            if limits:
                self.limits().give_back(limits)
            raise


def _described(known: PhoneCall, seen: Seen | None) -> dict[str, Any]:
    """Join both; the status never goes back."""
    events = bool(known.events)
    status = max(known.status, seen.status) if seen else known.status
    started = known.start if events else seen and seen.started_at
    answered = (known.answered_at if events else None) or (seen and seen.answered_at)
    ended = (known.end if events else None) or (seen and seen.ended_at)
    return {
        "status": status.word,
        "direction": (known.direction if events else "") or (seen.direction if seen else "") or None,
        "number": (known.number if events else "") or (seen.number if seen else "") or None,
        "agent": (known.agent if events else "") or (seen.agent if seen else "") or None,
        "started_at": iso(started) if started else None,
        "answered_at": iso(answered) if answered else None,
        "ended_at": iso(ended) if ended else None,
    }


def _call_id(call: Call) -> str:
    call_id = call.params["id"]
    if not re.fullmatch(CALL_ID, call_id):
        raise NotFoundError("There is no such call.")
    return call_id


def _invalid(field: str, code: str, message: str) -> InvalidRequestError:
    return InvalidRequestError("Some fields are not valid.", fields=[FieldProblem(field, code, message)])
