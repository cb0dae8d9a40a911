"""Say what Google refused and why; Google's own text and addresses never get in here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from shared.errors import (
    UpstreamAuthenticationError,
    UpstreamError,
    UpstreamMalformedError,
    UpstreamRejectedError,
    UpstreamUnavailableError,
)
from shared.http import retry_after_s

ME = "google"
RATE_REASONS = frozenset({"rateLimitExceeded", "userRateLimitExceeded"})
QUOTA_REASONS = frozenset({"quotaExceeded", "dailyLimitExceeded"})
QUOTA_PAUSE_S = 3600


class RateLimitedError(UpstreamUnavailableError):
    """Google wants fewer calls just now; this one was not carried out."""

    slug, title = "google-rate-limited", "Google wants fewer calls"


class OutOfTimeError(UpstreamUnavailableError):
    """The caller's deadline has come; the call was not sent."""

    slug, title = "google-out-of-time", "No time left"


class NoTokenError(UpstreamUnavailableError):
    """There is no token just now; the call was not sent."""

    slug, title = "google-no-token", "No access to Google just now"


class QuotaExhaustedError(UpstreamError):
    """A quota of Google is used up for hours; nothing helps but waiting."""

    slug, title = "google-quota-exhausted", "Google's quota is used up"


class EventExistsError(UpstreamRejectedError):
    """The id is in use, perhaps by a deleted event or by an earlier try of this very insert."""

    slug, title = "google-event-exists", "The event id is in use"


class EventChangedError(UpstreamRejectedError):
    """The event was changed since its etag was read, perhaps by an earlier try of this very write."""

    slug, title = "google-event-changed", "The event was changed meanwhile"


class EventGoneError(UpstreamRejectedError):
    """There is no such event, or it was deleted."""

    slug, title = "google-event-gone", "No such event"


class EventRefusedError(UpstreamRejectedError):
    """Google takes this event neither now nor later."""

    slug, title = "google-event-refused", "Google refuses the event"


class CalendarGoneError(UpstreamRejectedError):
    """There is no such calendar, or not for us."""

    slug, title = "google-calendar-gone", "No such calendar"


class SyncTokenExpiredError(UpstreamRejectedError):
    """The sync token has ended; a full list is needed."""

    slug, title = "google-sync-token-expired", "The sync token has ended"


GONE = (404, 410)
EVENT_ERRORS: Mapping[int, type[UpstreamRejectedError]] = {
    400: EventRefusedError,
    403: EventRefusedError,
    404: EventGoneError,
    409: EventExistsError,
    410: EventGoneError,
    412: EventChangedError,
}
LIST_ERRORS: Mapping[int, type[UpstreamRejectedError]] = {
    403: CalendarGoneError,
    404: CalendarGoneError,
    410: SyncTokenExpiredError,
}


def translate(
    status: int, headers: Mapping[str, str], content: bytes, meaning: Mapping[int, type[UpstreamRejectedError]]
) -> UpstreamError:
    """Turn an answer outside 200–299 into the error it stands for."""
    reasons = _reasons(content)
    detail, wait = f"{ME} answered {status}", retry_after_s(headers.get("retry-after"))
    known: dict[str, Any] = {"upstream_status": status, "retry_after_s": int(wait or 5)}
    if status in {403, 429} and reasons & QUOTA_REASONS:
        return QuotaExhaustedError(ME, detail, upstream_status=status, retry_after_s=QUOTA_PAUSE_S)
    if status == 429 or (status == 403 and reasons & RATE_REASONS):
        return RateLimitedError(ME, detail, **known)
    if status == 401:
        return UpstreamAuthenticationError(ME, detail, **known)
    if status == 408 or status >= 500:
        return UpstreamUnavailableError(ME, detail, **known)
    if status < 400 or (status in GONE and not _is_googles_word(content)):
        return UpstreamMalformedError(ME, detail, upstream_status=status)
    return meaning.get(status, UpstreamRejectedError)(ME, detail, upstream_status=status)


def _is_googles_word(content: bytes) -> bool:
    """Tell a 404 of the API (JSON, or nothing) from a page of something on the way."""
    return not content.strip() or isinstance(_parsed(content), dict)


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _reasons(content: bytes) -> frozenset[str]:
    answer = _parsed(content)
    error = answer.get("error") if isinstance(answer, dict) else None
    details = error.get("errors") if isinstance(error, dict) else None
    if not isinstance(details, list):
        return frozenset()
    return frozenset(str(detail.get("reason")) for detail in details if isinstance(detail, dict))
