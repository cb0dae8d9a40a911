"""Pure: what webhook and template say, as events of a call; numbers read, ends told apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.call import Consent, Event, Said
from shared.settings.threecx import ThreeCxSettings
from shared.threecx.number import Kind, Number, digits_of, read_number
from shared.threecx.reading import CALL_TYPES, moment, seconds
from shared.threecx.wire import ReportBody, WebhookBody

_SAID = {"call.started": Said.STARTED, "call.ended": Said.ENDED, "call.transferred": Said.TRANSFERRED}
ENTITIES = frozenset({"Contact", "Lead", "Account"})
_RECORD_ID = re.compile(r"[0-9A-Za-z-]{1,40}")  # anything else would be a path of its own at EspoCRM


@dataclass(frozen=True)
class Dialect:
    """How numbers are written by this phone system."""

    outside_prefix: str = ""
    area_code: str = ""

    @classmethod
    def of(cls, settings: ThreeCxSettings) -> Dialect:
        """Read what is configured."""
        return cls(settings.outside_prefix, settings.area_code or "")

    def read(self, text: str | None) -> Number:
        """Read a number."""
        return read_number(text, self.outside_prefix, self.area_code)


def event_of(body: WebhookBody, dialect: Dialect) -> Event | None:
    """Read a webhook as an event; None for a call that stays in the house."""
    caller, callee = dialect.read(body.caller), dialect.read(body.callee)
    outside, inside = (caller, callee) if body.direction == "inbound" else (callee, caller)
    if caller.kind is callee.kind is Kind.INTERNAL:
        return None
    said = _SAID[body.event]
    agent = extension(body.extension) or (inside.value if inside.kind is Kind.INTERNAL else "")
    length = body.duration_s if said is Said.ENDED else None
    return Event(
        said,
        body.timestamp,
        body.direction,
        _kept(outside, body.caller if body.direction == "inbound" else body.callee),
        agent,
        extension(body.queue),
        moved_to=extension(body.transferred_to),
        answered=body.answered if said is Said.ENDED else None,
        start=None,
        duration_s=length,
        recording_id=body.recording_id,
        consent=Consent.of(body.recording_consent),
    )


def event_of_report(body: ReportBody, dialect: Dialect, now: datetime) -> Event:
    """Read a report as an event; what it does not say about times is worked out from what it does."""
    direction, answered = CALL_TYPES[body.call_type]
    number, length = dialect.read(body.number), seconds(body.duration)
    start, end = moment(body.started_at), moment(body.ended_at)
    end = end or (start + timedelta(seconds=length or 0) if start else now)
    known = body.entity_type in ENTITIES and _RECORD_ID.fullmatch(body.entity_id)
    return Event(
        Said.REPORT,
        max(end, start or end),
        direction,
        _kept(number, body.number),
        extension(body.agent),
        extension(body.queue),
        answered=answered,
        start=start or end - timedelta(seconds=length or 0),
        duration_s=length,
        entity_type=body.entity_type if known else "",
        entity_id=body.entity_id if known else "",
        agent_email=body.agent_email.strip().lower(),
    )


def _kept(number: Number, text: str) -> str:
    """Keep a number as it is told on: E.164, or the digits that nobody could read."""
    if number.kind is Kind.OUTSIDE:
        return number.value
    return digits_of(text) if number.kind is Kind.UNREADABLE else ""


def extension(text: str) -> str:
    """Read an extension; a name or address in front of the digits is dropped."""
    bare = text.strip().removeprefix("sip:").partition("@")[0].strip()
    return bare[:40]
