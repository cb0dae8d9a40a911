"""What 3CX, its CRM template and the bridge send us, as they spell it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

_LITERAL = re.compile(r"\[\w+\]")
CALL_ID = r"[A-Za-z0-9][A-Za-z0-9._:@+=~-]{0,127}"


def _text(value: Any) -> Any:
    """Read what an older phone system leaves as it stands in the template as empty, and a number as its digits."""
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return "" if isinstance(value, str) and _LITERAL.fullmatch(value.strip()) else value


Text = Annotated[str, BeforeValidator(_text), Field(max_length=200)]


class WebhookBody(BaseModel):
    """One event of one call."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    event: Literal["call.started", "call.ended", "call.transferred"]
    call_id: str = Field(pattern=rf"^{CALL_ID}$")
    direction: Literal["inbound", "outbound"]
    caller: Text = ""
    callee: Text = ""
    extension: Text = ""
    queue: Text = ""
    timestamp: datetime
    answered: bool | None = None
    duration_s: float | None = Field(default=None, ge=0, le=7 * 86400)
    recording_id: Text = ""
    recording_consent: Literal["none", "asked", "given", "refused", "withdrawn"] | None = None
    transferred_to: Text = ""

    @field_validator("call_id", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return _text(value)

    @field_validator("timestamp")
    @classmethod
    def _zoned(cls, value: datetime) -> datetime:
        return utc(value)


class ReportBody(BaseModel):
    """What the CRM template posts after a call."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    call_type: Text
    number: Text = ""
    agent: Text = ""
    agent_email: Text = ""
    queue: Text = ""
    duration: Text = ""
    started_at: Text = ""
    ended_at: Text = ""
    entity_id: Text = ""
    entity_type: Text = ""
    recording_url: Text = ""

    @field_validator("call_type")
    @classmethod
    def _known(cls, value: str) -> str:
        if value.strip().casefold() not in CALL_TYPES:
            raise ValueError("expected Inbound, Outbound, Missed or Notanswered")
        return value.strip().casefold()


CALL_TYPES = {
    "inbound": ("inbound", True),
    "missed": ("inbound", False),
    "outbound": ("outbound", True),
    "notanswered": ("outbound", False),
}


def utc(value: datetime) -> datetime:
    """Read a moment; one without a zone is UTC."""
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)


def moment(text: str) -> datetime | None:
    """Read a moment from text; nothing for what is none."""
    try:
        return utc(datetime.fromisoformat(text.strip()))
    except (ValueError, OverflowError):
        return None


def seconds(text: str) -> float | None:
    """Read a length, as hh:mm:ss or as seconds."""
    parts = text.strip().split(":")
    if not 1 <= len(parts) <= 3 or not all(re.fullmatch(r"\d{1,7}(\.\d+)?", part) for part in parts):
        return None
    total = 0.0
    for part in parts:
        total = total * 60 + float(part)
    return min(total, 7 * 86400.0)
