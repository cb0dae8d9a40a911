"""Read what 3CX writes: kinds of calls, moments, lengths; the models of whole messages are in `wire`."""

from __future__ import annotations

import re
from datetime import UTC, datetime

CALL_ID = r"[A-Za-z0-9][A-Za-z0-9._:@+=~-]{0,127}"
CALL_TYPES = {
    "inbound": ("inbound", True),
    "missed": ("inbound", False),
    "outbound": ("outbound", True),
    "notanswered": ("outbound", False),
}


def utc(value: datetime) -> datetime:
    """Read a moment; one without a zone is UTC. Raises ValueError for years in which nobody calls."""
    if not 1970 <= value.year < 3000:
        raise ValueError("no moment of a call")
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
