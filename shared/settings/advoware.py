"""Settings of the Advoware API, its proxy and its cache."""

from __future__ import annotations

import base64
import binascii

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt, SecretStr, field_validator

from shared.settings.base import CommaList, Settings, env


class AdvowareSettings(Settings):
    """Everything needed to talk to Advoware; paths differ between installations."""

    api_base_url: str = env("ADVOWARE_API_BASE_URL", "https://www2.advo-net.net:90/", pattern=r"^https?://[^\s?#]+$")
    auth_url: str = env(
        "ADVOWARE_AUTH_URL", "https://security.advo-net.net/api/v1/Token", pattern=r"^https?://[^\s?#]+$"
    )
    product_id: PositiveInt = env("ADVOWARE_PRODUCT_ID", 64)
    app_id: str | None = env("ADVOWARE_APP_ID", needed=True)
    api_key: SecretStr | None = env("ADVOWARE_API_KEY", needed=True)
    kanzlei: str | None = env("ADVOWARE_KANZLEI", needed=True)
    database: str = env("ADVOWARE_DATABASE", "ADVOWARE")
    user: str | None = env("ADVOWARE_USER", needed=True)
    password: SecretStr | None = env("ADVOWARE_PASSWORD", needed=True)
    role: PositiveInt = env("ADVOWARE_ROLE", 2)
    employees_path: str = env("ADVOWARE_EMPLOYEES_PATH", "employees")
    appointments_path: str = env("ADVOWARE_APPOINTMENTS_PATH", "appointments")
    parties_path: str = env("ADVOWARE_PARTIES_PATH", "beteiligte")
    matters_path: str = env("ADVOWARE_MATTERS_PATH", "akten")
    timeout_s: PositiveFloat = env("ADVOWARE_TIMEOUT_SECONDS", 30)
    write_enabled: bool = env("ADVOWARE_WRITE_ENABLED", True)
    discovery: bool = env("ADVOWARE_DISCOVERY", False)
    delete_parties: bool = env("ADVOWARE_DELETE_PARTIES", False)

    @field_validator("api_base_url")
    @classmethod
    def _ends_with_slash(cls, value: str) -> str:
        return value if value.endswith("/") else value + "/"

    @field_validator("employees_path", "appointments_path", "parties_path", "matters_path")
    @classmethod
    def _relative(cls, value: str) -> str:
        return value.strip("/")

    @field_validator("api_key")
    @classmethod
    def _base64(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            try:
                base64.b64decode(value.get_secret_value(), validate=True)
            except (binascii.Error, ValueError):
                raise ValueError("is not base64") from None
        return value


class ProxySettings(Settings):
    """What the proxy lets through and what it may keep."""

    allow: CommaList = env("ADVOWARE_PROXY_ALLOW", ())
    max_body_bytes: PositiveInt = env("ADVOWARE_PROXY_MAX_BODY_BYTES", 20 * 1024 * 1024)
    cache_s: NonNegativeInt = env("ADVOWARE_CACHE_SECONDS", 0)
    cache_rules: CommaList = env("ADVOWARE_CACHE_RULES", ())

    @field_validator("allow")
    @classmethod
    def _rules(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for rule in value:
            method, colon, _ = rule.partition(":")
            if not colon or method not in {"GET", "POST", "PUT", "DELETE"}:
                raise ValueError("expected METHOD:prefix")
        return value

    @field_validator("cache_rules")
    @classmethod
    def _seconds(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(not rule.rpartition("=")[0] or not rule.rpartition("=")[2].isdigit() for rule in value):
            raise ValueError("expected prefix=seconds")
        return value
