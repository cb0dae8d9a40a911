"""Check that EspoCRM signed a webhook: base64(webhookId:digest), the digest in hex or, in the old header, raw."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Protocol

HEX_HEADER, RAW_HEADER = "Signature", "X-Signature"
_NOBODY = b"a webhook nobody registered"
_LONGEST = 512


class Headers(Protocol):
    """Whatever gives a header by its name."""

    def get(self, key: str, default: str, /) -> str:
        """Give it, or the default."""


def is_signed(raw: bytes, headers: Headers, secrets: Mapping[str, str]) -> bool:
    """Tell whether one of the two headers proves the raw body; an unknown webhook costs the same time as a known."""
    given = [(headers.get(HEX_HEADER, ""), True), (headers.get(RAW_HEADER, ""), False)]
    return any(_matches(raw, header, secrets, hexed=hexed) for header, hexed in given if header)


def is_key(given: str, expected: str) -> bool:
    """Compare a key in a time that says nothing about either."""
    digests = [hashlib.sha256(text.encode("utf-8", "replace")).digest() for text in (given, expected)]
    return hmac.compare_digest(*digests)


def sign(raw: bytes, webhook_id: str, secret: str) -> dict[str, str]:
    """Sign a body as EspoCRM does, with both headers."""
    digest = hmac.digest(secret.encode(), raw, hashlib.sha256)
    hexed, plain = (webhook_id.encode() + b":" + part for part in (digest.hex().encode(), digest))
    return {HEX_HEADER: base64.b64encode(hexed).decode(), RAW_HEADER: base64.b64encode(plain).decode()}


def _matches(raw: bytes, header: str, secrets: Mapping[str, str], *, hexed: bool) -> bool:
    webhook_id, given = _parts(header)
    secret = secrets.get(webhook_id)
    digest = hmac.digest(_NOBODY if secret is None else secret.encode(), raw, hashlib.sha256)
    same = hmac.compare_digest(digest.hex().encode() if hexed else digest, given)
    return same and secret is not None


def _parts(header: str) -> tuple[str, bytes]:
    """Split a header into webhook id and digest; whatever is no such header matches nothing."""
    try:
        decoded = base64.b64decode(header[:_LONGEST].encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        return "", b""
    webhook_id, _, given = decoded.partition(b":")
    return webhook_id.decode("latin-1"), given
