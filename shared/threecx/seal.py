"""Keep calls in Redis so that nobody reads a name or number there: values encrypted, index keys as keyed hashes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from typing import Any

from shared.settings.common import CommonSettings
from shared.settings.threecx import ThreeCxSettings

_NONCE = 12
_DEVELOPMENT = "development only: production refuses to start without a secret"


def base_key(common: CommonSettings, threecx: ThreeCxSettings) -> bytes:
    """Choose the secret from which all keys of calls are derived; SIGNING_KEY keeps them over a change of others."""
    for secret in (common.signing_key, threecx.webhook_secret, common.gateway_secret):
        if secret is not None:
            return secret.get_secret_value().encode()
    return _DEVELOPMENT.encode()


def derived(key: bytes, purpose: str) -> bytes:
    """Derive a key for one purpose."""
    return hmac.digest(key, f"bitbylaw threecx {purpose}".encode(), hashlib.sha256)


class Sealer:
    """Seals values and marks numbers."""

    def __init__(self, key: bytes) -> None:
        self._seal_key, self._mark_key = derived(key, "seal"), derived(key, "mark")

    def mark(self, text: str) -> str:
        """Make a name for something that must not be read from it."""
        return hmac.digest(self._mark_key, text.encode(), hashlib.sha256).hex()[:32]

    def seal(self, value: Any, place: str) -> str:
        """Encrypt a value for one place, so that it cannot be moved to another."""
        nonce = secrets.token_bytes(_NONCE)
        plain = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
        return base64.b64encode(nonce + self._cipher().encrypt(nonce, plain, place.encode())).decode()

    def open(self, sealed: str, place: str) -> Any:
        """Decrypt a value; None when it was sealed with another key or for another place."""
        from cryptography.exceptions import InvalidTag

        try:
            raw = base64.b64decode(sealed, validate=True)
            return json.loads(self._cipher().decrypt(raw[:_NONCE], raw[_NONCE:], place.encode()))
        except (InvalidTag, ValueError):
            return None

    def _cipher(self) -> Any:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(self._seal_key)
