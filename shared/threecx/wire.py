"""What 3CX, its CRM template and the bridge send us, as they spell it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shared.threecx.reading import CALL_ID, CALL_TYPES, moment, utc
from shared.web.fields import (
    UnfitError,
    fitting,
    number_between,
    one_of,
    or_none,
    read_fields,
    text_of_at_most,
    yes_or_no,
)

__all__ = ["CALL_ID", "ReportBody", "WebhookBody", "moment"]
_LITERAL = re.compile(r"\[\w+\]")
_SHORT = text_of_at_most(200)
_MS_ABOVE = 2e10  # a moment as a number of seconds would be in the year 2603
LONGEST_S = 7 * 86400


def _text(value: Any) -> str:
    """Read what an older phone system leaves as it stands in the template as empty, and a number as its digits."""
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    text: str = _SHORT(value)
    return "" if _LITERAL.fullmatch(text.strip()) else text


def _moment(value: Any) -> datetime:
    """Read a moment: ISO 8601, or seconds or milliseconds since 1970."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return utc(datetime.fromtimestamp(value / 1000 if value > _MS_ABOVE else value, UTC))
        return utc(datetime.fromisoformat(value))
    except (ValueError, OverflowError, OSError, TypeError):
        raise UnfitError("datetime_parsing", "a moment in ISO 8601") from None


def _call_type(value: Any) -> str:
    word = _text(value).strip().casefold()
    if word not in CALL_TYPES:
        raise UnfitError("value_error", "expected Inbound, Outbound, Missed or Notanswered")
    return word


@dataclass(frozen=True)
class WebhookBody:
    """One event of one call."""

    event: str
    call_id: str
    direction: str
    timestamp: datetime
    caller: str = ""
    callee: str = ""
    extension: str = ""
    queue: str = ""
    answered: bool | None = None
    duration_s: float | None = None
    recording_id: str = ""
    recording_consent: str | None = None
    transferred_to: str = ""

    @classmethod
    def read(cls, value: Any) -> WebhookBody:
        """Read what was sent; raises InvalidRequestError that names every bad field."""
        return cls(**read_fields(_WEBHOOK, frozenset({"event", "call_id", "direction", "timestamp"}), value))


@dataclass(frozen=True)
class ReportBody:
    """What the CRM template posts after a call."""

    call_type: str
    number: str = ""
    agent: str = ""
    agent_email: str = ""
    queue: str = ""
    duration: str = ""
    started_at: str = ""
    ended_at: str = ""
    entity_id: str = ""
    entity_type: str = ""
    recording_url: str = ""

    @classmethod
    def read(cls, value: Any) -> ReportBody:
        """Read what was sent; raises InvalidRequestError that names every bad field."""
        return cls(**read_fields(_REPORT, frozenset({"call_type"}), value))


_WEBHOOK = dict.fromkeys(WebhookBody.__dataclass_fields__, _text) | {
    "event": one_of("call.started", "call.ended", "call.transferred"),
    "call_id": fitting(CALL_ID, _text),
    "direction": one_of("inbound", "outbound"),
    "timestamp": _moment,
    "answered": or_none(yes_or_no),
    "duration_s": or_none(number_between(0, LONGEST_S)),
    "recording_consent": or_none(one_of("none", "asked", "given", "refused", "withdrawn")),
}
_REPORT = dict.fromkeys(ReportBody.__dataclass_fields__, _text) | {"call_type": _call_type}
