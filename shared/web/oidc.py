"""Recognise a caller by a Google OIDC token, as Pub/Sub's push and Cloud Scheduler send it."""

from __future__ import annotations

import base64
import functools
import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from shared.log import get_log

log = get_log(__name__)
CERTS_URL: Final = "https://www.googleapis.com/oauth2/v1/certs"
ISSUERS: Final = frozenset({"https://accounts.google.com", "accounts.google.com"})
KEPT_S: Final = 3600.0
AT_MOST_EVERY_S: Final = 60.0  # who sends unknown keys must not make us fetch each time
TIMEOUT_S: Final = 3.0
LONGEST: Final = 8192
SKEW_S: Final = 10
_REMOVED: Final = ".SIGNATURE_REMOVED_BY_GOOGLE"  # what Cloud Run puts there after it has checked a token itself

Certs = Mapping[str, str]


class CertStore:
    """Keeps Google's certificates for an hour, and looks again when a token names one that is not there."""

    def __init__(self, fetch: Callable[[], Certs], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._fetch, self._monotonic = fetch, monotonic
        self._certs: Certs = {}
        self._at = self._tried_at = float("-inf")
        self._lock = threading.Lock()

    def certs(self, key_id: str) -> Certs:
        """Give the certificates, with `key_id` among them if it exists at all."""
        with self._lock:
            now = self._monotonic()
            stale = now - self._at > KEPT_S or key_id not in self._certs
            if stale and now - self._tried_at > AT_MOST_EVERY_S:
                self._tried_at = now
                self._renew(now)
            return self._certs

    def _renew(self, now: float) -> None:
        try:
            self._certs, self._at = self._fetch(), now
        except Exception as error:  # noqa: BLE001 - without new certificates the known ones stand
            log.warning("request_failed", upstream="google-certs", exception=type(error).__name__)


def is_caller(
    token: str, audience: str, account: str, store: CertStore | None = None, *, by_platform: bool = False
) -> bool:
    """Tell whether a token is Google's, valid now, for us, and of this account.

    `by_platform` believes a token without signature, as a service gets it that only Cloud Run's IAM lets anybody reach.
    """
    from google.auth import exceptions

    if not token or len(token) > LONGEST:
        return False
    try:
        claims = _believed(token, audience) if by_platform and token.endswith(_REMOVED) else None
        claims = claims or _verified(token, audience, store or _google())
    except (exceptions.GoogleAuthError, ValueError, TypeError, KeyError) as error:
        log.info("token_refused", exception=type(error).__name__)
        return False
    return claims.get("iss") in ISSUERS and claims.get("email") == account and claims.get("email_verified") is True


def _verified(token: str, audience: str, store: CertStore) -> Mapping[str, Any]:
    from google.auth import jwt

    key_id = str(jwt.decode_header(token).get("kid", ""))  # type: ignore[no-untyped-call]
    claims: Mapping[str, Any] = jwt.decode(token, certs=store.certs(key_id), audience=audience)  # type: ignore[no-untyped-call]
    return claims


def _believed(token: str, audience: str) -> Mapping[str, Any]:
    """Read the claims of a token whose signature somebody else has checked; its time and audience still count."""
    text = token.split(".")[1]
    claims: Mapping[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    now = time.time()
    if claims["aud"] != audience or not claims["iat"] - SKEW_S <= now <= claims["exp"] + SKEW_S:
        raise ValueError("not for us, or not now")
    return claims


@functools.cache
def _google() -> CertStore:
    return CertStore(_fetch)


def _fetch() -> Certs:
    from shared.http import new_session

    answer = new_session().get(CERTS_URL, timeout=TIMEOUT_S, allow_redirects=False)
    answer.raise_for_status()
    return {str(name): str(value) for name, value in answer.json().items()}
