"""What 3CX, its CRM template and the bridge send us, as they spell it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from shared.threecx.reading import CALL_ID, CALL_TYPES, moment, utc

__all__ = ["CALL_ID", "ReportBody", "WebhookBody", "moment"]
_LITERAL = re.compile(r"\[\w+\]")


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
