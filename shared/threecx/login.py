"""Log in to a 3CX v20: one token for all processes, because each new one ends the one before."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import requests

from shared.errors import (
    NotConfiguredError,
    UpstreamAuthenticationError,
    UpstreamMalformedError,
    UpstreamUnavailableError,
)
from shared.http import HttpClient, json_of, raise_for
from shared.settings.threecx import ThreeCxSettings
from shared.state.token import FetchedToken, TokenCache, TokenKeys, TokenUnavailable
from shared.threecx.provider import ME

if TYPE_CHECKING:
    import redis

TOKEN_KEY = "threecx:token:"  # noqa: S105 - STRING by hash of root and client id; at most 50 min
MINUTES_BELOW = 300  # some builds say 60 and mean minutes
LONGEST_S, SHARE = 50 * 60, 0.8
COOLDOWN_S = 60.0


class NoTokenError(UpstreamUnavailableError):
    """There was no token to send, so nothing was sent."""


class Login:
    """Holds the token of one API client."""

    def __init__(self, settings: ThreeCxSettings, http: HttpClient, client: redis.Redis | None) -> None:
        self._settings, self._http = settings, http
        self._tokens = TokenCache(client, token_keys(settings))

    def authorized(self, send: Callable[[dict[str, str]], requests.Response]) -> requests.Response:
        """Send with the token; after a 401 once more with a new one, then leave the account alone for a minute."""
        for _ in range(2):
            token = self._token_to_send()
            response = send({"Authorization": f"Bearer {token}", "Accept": "application/json"})
            if response.status_code != 401:
                return response
            response.close()
            self._tokens.invalidate(token)
        self._tokens.cooldown(COOLDOWN_S)
        raise UpstreamAuthenticationError(ME, upstream_status=401, retry_after_s=int(COOLDOWN_S))

    def _token_to_send(self) -> str:
        try:
            return self.token()
        except (UpstreamUnavailableError, UpstreamMalformedError) as error:
            raise NoTokenError(ME, retry_after_s=error.retry_after_s or 5) from error

    def token(self) -> str:
        """Give the token; among all who miss it, one fetches."""
        try:
            return self._tokens.get(self._fetch)
        except TokenUnavailable as error:
            raise UpstreamAuthenticationError(ME, retry_after_s=int(error.retry_after_s) + 1) from error
        except UpstreamAuthenticationError:
            self._tokens.cooldown(COOLDOWN_S)
            raise

    def _fetch(self) -> FetchedToken:
        if not self._settings.client_id or self._settings.client_secret is None:
            raise NotConfiguredError("missing settings: THREECX_CLIENT_ID, THREECX_CLIENT_SECRET")
        form = {
            "client_id": self._settings.client_id,
            "client_secret": self._settings.client_secret.get_secret_value(),
            "grant_type": "client_credentials",
        }
        url = f"{self._settings.api_base_url.rstrip('/')}/connect/token"
        body = urlencode(form)
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        response = self._http.send("POST", url, headers=headers, data=body)
        if response.status_code in {400, 403}:  # a wrong secret; more tries would block our address
            raise UpstreamAuthenticationError(ME, upstream_status=response.status_code)
        raise_for(ME, response)
        answer = json_of(ME, response)
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token:
            raise UpstreamMalformedError(ME, f"{ME} answered no token")
        return FetchedToken(token, life_for_cache(answer.get("expires_in")))


def token_keys(settings: ThreeCxSettings) -> TokenKeys:
    """Name the token of one API client."""
    name = f"{settings.api_base_url}|{settings.client_id}"
    key = TOKEN_KEY + hashlib.sha256(name.encode()).hexdigest()[:16]
    return TokenKeys(key, f"{key}:timestamp")


def life_for_cache(expires_in: object) -> float:
    """Choose a life of which the cache uses what we want: four fifths, at most 50 minutes."""
    said = float(expires_in) if isinstance(expires_in, int | float) and not isinstance(expires_in, bool) else 3600.0
    life_s = said * 60 if 0 < said < MINUTES_BELOW else said or 3600.0
    use_s = min(LONGEST_S, SHARE * life_s)
    return use_s + 7 * 60 if use_s >= 7 * 60 else 2 * use_s
