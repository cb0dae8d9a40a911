"""Settings of the 3CX phone system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from shared.settings.base import Settings, env
from shared.settings.kinds import URL, SecretStr, above_zero, matching, one_of, pairs, secret, switch, text, whole


class ThreeCxSettings(Settings):
    """Everything needed to talk to 3CX and to believe what it sends."""

    optional: ClassVar[bool] = True

    provider: Literal["rest", "v20"] = env("THREECX_PROVIDER", "rest", one_of("rest", "v20"))
    api_base_url: str = env("THREECX_API_BASE_URL", "https://ralup.my3cx.de/api/v1/", matching(URL))
    api_key: SecretStr | None = env("THREECX_API_KEY", None, secret)
    username: str | None = env("THREECX_USERNAME", None, text)
    password: SecretStr | None = env("THREECX_PASSWORD", None, secret)
    client_id: str | None = env("THREECX_CLIENT_ID", None, text)
    client_secret: SecretStr | None = env("THREECX_CLIENT_SECRET", None, secret)
    webhook_secret: SecretStr | None = env("THREECX_WEBHOOK_SECRET", None, secret)
    template_key: SecretStr | None = env("THREECX_TEMPLATE_KEY", None, secret)
    rate_per_minute: int = env("THREECX_RATE_PER_MINUTE", 60, whole(1))
    extensions: Mapping[str, str] = env("THREECX_EXTENSIONS", {}, pairs)
    devices: Mapping[str, str] = env("THREECX_DEVICES", {}, pairs)
    matter_notes: bool = env("THREECX_MATTER_NOTES", False, switch)
    unknown_contact: bool = env("THREECX_UNKNOWN_CONTACT", False, switch)
    timeout_s: float = env("THREECX_TIMEOUT_SECONDS", 10.0, above_zero)
    automatic_extension: str | None = env("THREECX_AUTOMATIC_EXTENSION", None, text)
    automatic_per_hour: int = env("THREECX_AUTOMATIC_PER_HOUR", 10, whole(1))
    outside_prefix: str = env("PHONE_OUTSIDE_PREFIX", "", matching(r"[0-9*#]{0,4}"))
    area_code: str | None = env("PHONE_AREA_CODE", None, matching(r"\+?[0-9]{2,6}"))
    retention_call_days: int = env("RETENTION_CALL_DAYS", 90, whole(1))
