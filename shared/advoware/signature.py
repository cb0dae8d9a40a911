"""Sign and write token requests the way Advoware's token service wants them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

from shared.settings.advoware import AdvowareSettings
from shared.settings.kinds import SecretStr


def sign(product: int, app_id: str, nonce: str, timestamp: str, key_base64: str) -> str:
    """Sign one token request: base64 of HMAC-SHA512 under the base64-decoded API key."""
    message = f"{product}:{app_id}:{nonce}:{timestamp}".encode()
    return base64.b64encode(hmac.digest(base64.b64decode(key_base64), message, hashlib.sha512)).decode()


def stamp(now: datetime) -> str:
    """Write a moment as ISO 8601 in UTC, with milliseconds and a Z."""
    return now.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def token_request(settings: AdvowareSettings, nonce: str, now: datetime) -> dict[str, Any]:
    """Write the body of a token request, signed over the very nonce and timestamp it carries."""
    timestamp = stamp(now)
    app_id = settings.app_id or ""
    return {
        "AppID": app_id,
        "Kanzlei": settings.kanzlei,
        "Database": settings.database,
        "User": settings.user,
        "Role": settings.role,
        "Product": settings.product_id,
        "Password": _plain(settings.password),
        "Nonce": nonce,
        "HMAC512Signature": sign(settings.product_id, app_id, nonce, timestamp, _plain(settings.api_key)),
        "RequestTimeStamp": timestamp,
    }


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
