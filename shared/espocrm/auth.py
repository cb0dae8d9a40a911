"""Prove to EspoCRM who we are: by API key, or by HMAC where its secret is set."""

from __future__ import annotations

import base64
import hashlib
import hmac

from shared.settings.espocrm import EspoCrmSettings


def credentials(settings: EspoCrmSettings, method: str, path: str) -> dict[str, str]:
    """Make the header of one call; `path` is the one below api/v1/, without query."""
    key = settings.api_key.get_secret_value() if settings.api_key else ""
    if settings.hmac_secret is None:
        return {"X-Api-Key": key}
    message = f"{method} /{path}".encode()
    digest = hmac.new(settings.hmac_secret.get_secret_value().encode(), message, hashlib.sha256).hexdigest()
    return {"X-Hmac-Authorization": base64.b64encode(f"{key}:{digest}".encode()).decode()}
