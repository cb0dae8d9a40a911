"""Believe a sender: by signature, by a shared secret in a header, or by a token in the address where one is set."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from werkzeug.datastructures import Headers

from functions.leads.errors import ClockError, NotEntitledError
from shared.settings.leads import LeadSettings

TOLERANCE_S = 300


@dataclass(frozen=True)
class Proof:
    """What a sender must know; with nothing configured, nothing (production does not start like that)."""

    secrets: tuple[bytes, ...]
    token: bytes | None

    @classmethod
    def of(cls, settings: LeadSettings) -> Proof:
        """Read what is configured; two secrets may hold while one replaces the other."""
        secret, token = settings.webhook_secret, settings.query_token
        parts = secret.get_secret_value().split(",") if secret else []
        return cls(
            tuple(part.strip().encode() for part in parts if part.strip()),
            token.get_secret_value().encode() if token else None,
        )

    def require(self, raw: bytes, headers: Headers, token: str | None, now_s: float) -> str:
        """Name the way in which the sender proved itself; one text for all the ways in which it did not."""
        if not self.secrets and self.token is None:
            return "offen"
        right = _signed(raw, headers, self.secrets)
        in_time = _in_time(headers.get("X-VH-Timestamp", ""), now_s)
        if right and in_time:
            return "signatur"
        if _known(headers.get("X-Webhook-Secret", ""), self.secrets):
            return "geheimnis"
        if self.token is not None and _known(token or "", (self.token,)):
            return "adresse"
        if right:
            raise ClockError
        raise NotEntitledError


def _signed(raw: bytes, headers: Headers, secrets: tuple[bytes, ...]) -> bool:
    stamp = headers.get("X-VH-Timestamp", "").encode("latin-1", "replace")
    scheme, _, given = headers.get("X-VH-Signature", "").strip().partition("=")
    expected = [hmac.new(secret, stamp + b"." + raw, hashlib.sha256).hexdigest() for secret in secrets]
    matches = [_same(given.strip().lower().encode("latin-1", "replace"), each.encode()) for each in expected]
    return scheme.lower() == "sha256" and any(matches)


def _in_time(stamp: str, now_s: float) -> bool:
    plain = stamp.strip()
    return plain.isascii() and plain.isdigit() and len(plain) < 15 and abs(now_s - int(plain)) <= TOLERANCE_S


def _known(given: str, expected: tuple[bytes, ...]) -> bool:
    matches = [_same(given.strip().encode("latin-1", "replace"), each) for each in expected]
    return any(matches)


def _same(given: bytes, expected: bytes) -> bool:
    return hmac.compare_digest(hashlib.sha256(given).digest(), hashlib.sha256(expected).digest())
