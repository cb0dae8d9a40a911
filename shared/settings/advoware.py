"""Settings of the Advoware API, its proxy and its cache."""

from __future__ import annotations

import hashlib
import hmac

from shared.settings.base import Settings, env
from shared.settings.kinds import (
    URL,
    SecretStr,
    UnreadableError,
    above_zero,
    base64_secret,
    comma_list,
    folder_url,
    matching,
    secret,
    switch,
    text,
    whole,
)


def _relative(value: str) -> str:
    return value.strip("/")


class AdvowareSettings(Settings):
    """Everything needed to talk to Advoware; paths differ between installations."""

    api_base_url: str = env("ADVOWARE_API_BASE_URL", "https://www2.advo-net.net:90/", folder_url)
    auth_url: str = env("ADVOWARE_AUTH_URL", "https://security.advo-net.net/api/v1/Token", matching(URL))
    product_id: int = env("ADVOWARE_PRODUCT_ID", 64, whole(1))
    app_id: str | None = env("ADVOWARE_APP_ID", None, text, needed=True)
    api_key: SecretStr | None = env("ADVOWARE_API_KEY", None, base64_secret, needed=True)
    kanzlei: str | None = env("ADVOWARE_KANZLEI", None, text, needed=True)
    database: str = env("ADVOWARE_DATABASE", "ADVOWARE", text)
    user: str | None = env("ADVOWARE_USER", None, text, needed=True)
    password: SecretStr | None = env("ADVOWARE_PASSWORD", None, secret, needed=True)
    role: int = env("ADVOWARE_ROLE", 2, whole(1))
    employees_path: str = env("ADVOWARE_EMPLOYEES_PATH", "employees", _relative)
    appointments_path: str = env("ADVOWARE_APPOINTMENTS_PATH", "appointments", _relative)
    parties_path: str = env("ADVOWARE_PARTIES_PATH", "beteiligte", _relative)
    matters_path: str = env("ADVOWARE_MATTERS_PATH", "akten", _relative)
    timeout_s: float = env("ADVOWARE_TIMEOUT_SECONDS", 30.0, above_zero)
    write_enabled: bool = env("ADVOWARE_WRITE_ENABLED", True, switch)
    discovery: bool = env("ADVOWARE_DISCOVERY", False, switch)
    delete_parties: bool = env("ADVOWARE_DELETE_PARTIES", False, switch)

    @property
    def content_key(self) -> bytes:
        """Derive the key of hashes over parties from a secret we have anyway."""
        secret = self.api_key.get_secret_value() if self.api_key else ""
        return hmac.digest(secret.encode(), b"bitbylaw party content", hashlib.sha256)


def _rules(value: str) -> tuple[str, ...]:
    rules = comma_list(value)
    for rule in rules:
        method, colon, _ = rule.partition(":")
        if not colon or method not in {"GET", "POST", "PUT", "DELETE"}:
            raise UnreadableError("expected METHOD:prefix")
    return rules


def _cache_rules(value: str) -> tuple[str, ...]:
    rules = comma_list(value)
    if any(not rule.rpartition("=")[0] or not rule.rpartition("=")[2].isdigit() for rule in rules):
        raise UnreadableError("expected prefix=seconds")
    return rules


class ProxySettings(Settings):
    """What the proxy lets through and what it may keep."""

    allow: tuple[str, ...] = env("ADVOWARE_PROXY_ALLOW", (), _rules)
    max_body_bytes: int = env("ADVOWARE_PROXY_MAX_BODY_BYTES", 20 * 1024 * 1024, whole(1))
    cache_s: int = env("ADVOWARE_CACHE_SECONDS", 0, whole(0))
    cache_rules: tuple[str, ...] = env("ADVOWARE_CACHE_RULES", (), _cache_rules)
