"""Settings of the 3CX phone system."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import PositiveFloat, PositiveInt, SecretStr

from shared.settings.base import EqualsMap, Settings, env


class ThreeCxSettings(Settings):
    """Everything needed to talk to 3CX and to believe what it sends."""

    optional: ClassVar[bool] = True

    provider: Literal["rest", "v20"] = env("THREECX_PROVIDER", "rest")
    api_base_url: str = env("THREECX_API_BASE_URL", "https://ralup.my3cx.de/api/v1/", pattern=r"^https?://[^\s?#]+$")
    api_key: SecretStr | None = env("THREECX_API_KEY")
    username: str | None = env("THREECX_USERNAME")
    password: SecretStr | None = env("THREECX_PASSWORD")
    client_id: str | None = env("THREECX_CLIENT_ID")
    client_secret: SecretStr | None = env("THREECX_CLIENT_SECRET")
    webhook_secret: SecretStr | None = env("THREECX_WEBHOOK_SECRET")
    template_key: SecretStr | None = env("THREECX_TEMPLATE_KEY")
    rate_per_minute: PositiveInt = env("THREECX_RATE_PER_MINUTE", 60)
    extensions: EqualsMap = env("THREECX_EXTENSIONS", {})
    timeout_s: PositiveFloat = env("THREECX_TIMEOUT_SECONDS", 10)
    automatic_extension: str | None = env("THREECX_AUTOMATIC_EXTENSION")
    automatic_per_hour: PositiveInt = env("THREECX_AUTOMATIC_PER_HOUR", 10)
    outside_prefix: str = env("PHONE_OUTSIDE_PREFIX", "", pattern=r"^[0-9*#]{0,4}$")
    area_code: str | None = env("PHONE_AREA_CODE", pattern=r"^\+?[0-9]{2,6}$")
    retention_call_days: PositiveInt = env("RETENTION_CALL_DAYS", 90)
