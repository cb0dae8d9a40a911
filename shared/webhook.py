"""Believe a webhook: a timestamp and an HMAC over it and the raw body, or a secret that the sender simply shows."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

WINDOW_S = 300
_SCHEME = "sha256="


def sign(raw: bytes, secret: str, timestamp: int) -> str:
    """Make the signature header of a body."""
    return _SCHEME + _digest(raw, secret, str(timestamp)).hex()


def is_signed(raw: bytes, timestamp: str, signature: str, secrets: Iterable[str], now_s: float) -> bool:
    """Tell whether the signature is by one of our secrets and not older or younger than five minutes."""
    fresh = timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 16
    fresh = fresh and abs(now_s - int(timestamp)) <= WINDOW_S
    given = signature.strip().removeprefix(_SCHEME).lower().encode("latin-1", "replace")
    found = [hmac.compare_digest(_digest(raw, each, timestamp).hex().encode(), given) for each in secrets]
    return any(found) and fresh


def is_secret(given: str, secrets: Iterable[str]) -> bool:
    """Compare what a sender shows with each secret, in a time that says nothing about either."""
    found = [hmac.compare_digest(_hashed(given), _hashed(each)) for each in secrets]
    return any(found)


def secrets_of(setting: str | None) -> tuple[str, ...]:
    """Read a setting that may hold two secrets while they are being changed."""
    return tuple(part.strip() for part in (setting or "").split(",") if part.strip())


def _digest(raw: bytes, secret: str, timestamp: str) -> bytes:
    message = timestamp.encode("utf-8", "replace") + b"." + raw
    return hmac.digest(secret.encode(), message, hashlib.sha256)


def _hashed(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
