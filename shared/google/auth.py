"""Fetch an access token for Google Calendar with the key of a service account."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from shared import metrics
from shared.errors import NotConfiguredError, UpstreamAuthenticationError, UpstreamMalformedError
from shared.google.errors import ME
from shared.http import HttpClient, raise_for
from shared.settings.calendar import GoogleSettings
from shared.state.token import FetchedToken

SCOPE = "https://www.googleapis.com/auth/calendar"
TIMEOUT_S = 8.0  # the lock around a refresh lives 15 s


@dataclass(frozen=True)
class Answer:
    """What google-auth wants to know about an answer."""

    status: int
    headers: Mapping[str, str]
    data: bytes


@dataclass(frozen=True)
class Transport:
    """Carries google-auth's calls over our HTTP client; every failure rises at once, past google-auth's own repeats."""

    http: HttpClient

    def __call__(self, url: str, method: str = "GET", body: Any = None, headers: Any = None, **_: Any) -> Answer:
        """Send one call and return its good answer."""
        response = self.http.send(method, url, headers=headers, data=body)
        if response.status_code in {400, 401, 403}:
            raise UpstreamAuthenticationError(
                ME, f"{ME} refuses the service account", upstream_status=response.status_code, retry_after_s=30
            )
        raise_for(ME, response)
        return Answer(response.status_code, response.headers, response.content)


def subject_hash(settings: GoogleSettings) -> str:
    """Name the identity behind a token without showing it."""
    return hashlib.sha256((settings.subject or settings.service_account_path or "").encode()).hexdigest()[:16]


def fetch_token(settings: GoogleSettings, http: HttpClient) -> FetchedToken:
    """Ask the token service that the key file names for a new token."""
    from google.auth.exceptions import GoogleAuthError

    credentials = load_credentials(settings)
    try:
        credentials.refresh(Transport(replace(http, timeout_s=min(TIMEOUT_S, http.timeout_s))))
    except (GoogleAuthError, AttributeError, KeyError, TypeError, ValueError):
        raise UpstreamMalformedError(ME, f"{ME} answered no token") from None
    token = FetchedToken(_usable(credentials.token), _life_s(credentials.expiry))
    metrics.TOKEN_REFRESHES.labels(ME).inc()
    return token


def load_credentials(settings: GoogleSettings) -> Any:
    """Read the key file; the file is read for every token, so that an exchanged key needs no restart."""
    from google.auth.exceptions import GoogleAuthError
    from google.oauth2.service_account import Credentials

    try:
        return Credentials.from_service_account_file(  # type: ignore[no-untyped-call]
            settings.service_account_path, scopes=[SCOPE], subject=settings.subject
        )
    except (OSError, ValueError, TypeError, AttributeError, KeyError, GoogleAuthError):
        raise NotConfiguredError("GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH names no readable service account key") from None


def _usable(token: Any) -> str:
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable() or " " in token:
        raise UpstreamMalformedError(ME, f"{ME} answered no token")
    return token


def _life_s(expiry: datetime | None) -> float | None:
    if expiry is None:
        return None
    return max(1.0, (expiry.replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds())
