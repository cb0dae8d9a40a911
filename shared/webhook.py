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
    return is_ours(raw, timestamp, signature, secrets) and is_fresh(timestamp, now_s)


def is_ours(raw: bytes, timestamp: str, signature: str, secrets: Iterable[str]) -> bool:
    """Tell whether one of our secrets made the signature, whenever."""
    given = signature.strip().removeprefix(_SCHEME).lower().encode("latin-1", "replace")
    found = [hmac.compare_digest(_digest(raw, each, timestamp).hex().encode(), given) for each in secrets]
    return any(found)


def is_fresh(timestamp: str, now_s: float) -> bool:
    """Tell whether a timestamp is a whole number of seconds within five minutes of now."""
    plain = timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 16
    return plain and abs(now_s - int(timestamp)) <= WINDOW_S


def is_secret(given: str, secrets: Iterable[str]) -> bool:
    """Compare what a sender shows with each secret, in a time that says nothing about either.

    Headers arrive as Latin-1 of what was sent, mostly UTF-8; both spellings count.
    """
    shown = (_hashed(given.encode("utf-8", "replace")), _hashed(given.encode("latin-1", "replace")))
    found = [hmac.compare_digest(each, _hashed(secret.encode())) for secret in secrets for each in shown]
    return any(found)


def secrets_of(setting: str | None) -> tuple[str, ...]:
    """Read a setting that may hold two secrets while they are being changed."""
    return tuple(part.strip() for part in (setting or "").split(",") if part.strip())


def _digest(raw: bytes, secret: str, timestamp: str) -> bytes:
    message = timestamp.encode("utf-8", "replace") + b"." + raw
    return hmac.digest(secret.encode(), message, hashlib.sha256)


def _hashed(value: bytes) -> bytes:
    return hashlib.sha256(value).digest()
