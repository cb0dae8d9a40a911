"""Fetch a bearer token from Advoware's token service."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import requests

from shared import metrics
from shared.advoware.signature import token_request
from shared.errors import NotConfiguredError, UpstreamAuthenticationError, UpstreamMalformedError
from shared.http import HttpClient, json_of, raise_for
from shared.settings.advoware import AdvowareSettings
from shared.settings.base import missing
from shared.state.token import FetchedToken

TIMEOUT_S = 8.0  # the lock around a refresh lives 15 s


def fetch_token(settings: AdvowareSettings, http: HttpClient) -> FetchedToken:
    """Ask for a new token; never repeated, because every failed login brings the account closer to being locked."""
    require(settings)
    quick = replace(http, timeout_s=min(TIMEOUT_S, http.timeout_s))
    body = token_request(settings, str(uuid.uuid4()), datetime.now(UTC))
    response = quick.send("POST", settings.auth_url, headers={"Accept": "application/json"}, json=body)
    token = _read(http.upstream, response)
    metrics.TOKEN_REFRESHES.labels(http.upstream).inc()
    return token


def require(settings: AdvowareSettings) -> None:
    """Raise NotConfiguredError naming every setting that access to Advoware lacks."""
    names = missing([settings])
    if names:
        raise NotConfiguredError("missing settings: " + ", ".join(names))


def _read(upstream: str, response: requests.Response) -> FetchedToken:
    if response.status_code in {401, 403}:
        raise UpstreamAuthenticationError(
            upstream, f"{upstream} refuses the login", upstream_status=response.status_code, retry_after_s=30
        )
    raise_for(upstream, response)
    answer = json_of(upstream, response)
    token = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(token, str) or not _fits_a_header(token):
        raise UpstreamMalformedError(upstream, f"{upstream} answered no token", upstream_status=response.status_code)
    return FetchedToken(token, _life_s(answer.get("expires_in")))


def _fits_a_header(token: str) -> bool:
    return token.isascii() and token.isprintable() and bool(token) and " " not in token


def _life_s(expires_in: Any) -> float | None:
    if isinstance(expires_in, str) and expires_in.isascii() and expires_in.isdigit():
        expires_in = int(expires_in)
    known = isinstance(expires_in, int | float) and not isinstance(expires_in, bool) and expires_in > 0
    return float(expires_in) if known else None
