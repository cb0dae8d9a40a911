"""Settings of the leads from WordPress and of the office behind them."""

from __future__ import annotations

import base64
import binascii
import json
from typing import ClassVar, Literal

from pydantic import NonNegativeInt, PositiveInt, SecretStr, field_validator

from shared.settings.base import CommaList, Settings, env


class LeadSettings(Settings):
    """How leads are believed, kept and worked off."""

    optional: ClassVar[bool] = True

    webhook_secret: SecretStr | None = env("VERMIETERHELDEN_WEBHOOK_SECRET")
    query_token: SecretStr | None = env("VERMIETERHELDEN_QUERY_TOKEN")
    encryption_key: SecretStr | None = env("LEAD_ENCRYPTION_KEY", needed=True)
    rate_per_minute: NonNegativeInt = env("LEAD_RATE_PER_MINUTE", 0)
    auto_call: bool = env("LEAD_AUTO_CALL", False)
    form_maps: str | None = env("LEAD_FORM_MAPS")
    target_list_id: str | None = env("NEWSLETTER_TARGET_LIST_ID")
    smtp_url: SecretStr | None = env("SMTP_URL")
    site_hosts: CommaList = env("LEAD_SITE_HOSTS", ("vermieterhelden.de", "www.vermieterhelden.de"))
    routes: str | None = env("LEAD_ROUTES")
    auto_reply: Literal["smtp", "espocrm", "off"] = env("LEAD_AUTO_REPLY", "smtp")
    mail_from: str | None = env("LEAD_MAIL_FROM", pattern=r"^[^\s@]+@[^\s@]+$")
    retention_lead_days: PositiveInt = env("RETENTION_LEAD_DAYS", 180)
    retention_spam_days: PositiveInt = env("RETENTION_SPAM_DAYS", 30)

    @field_validator("encryption_key")
    @classmethod
    def _keys_of_32_bytes(cls, value: SecretStr | None) -> SecretStr | None:
        for part in value.get_secret_value().split(",") if value else ():
            try:
                right = len(base64.b64decode(part.strip(), altchars=b"-_", validate=True)) == 32
            except (binascii.Error, ValueError):
                right = False
            if not right:
                raise ValueError("needs 32 bytes as URL-safe base64, or a comma list of such keys")
        return value

    @field_validator("routes")
    @classmethod
    def _json_list(cls, value: str | None) -> str | None:
        try:
            if value is not None and not isinstance(json.loads(value), list):
                raise ValueError
        except ValueError:
            raise ValueError("needs a JSON list of rules") from None
        return value

    @field_validator("form_maps")
    @classmethod
    def _json_object(cls, value: str | None) -> str | None:
        try:
            if value is not None and not isinstance(json.loads(value), dict):
                raise ValueError
        except ValueError:
            raise ValueError("needs a JSON object") from None
        return value


class OfficeSettings(Settings):
    """When and where the firm works."""

    hours: str = env("OFFICE_HOURS", "Mo-Fr 09:00-17:00")
    state: str = env("OFFICE_STATE", "NI")
    closed: CommaList = env("OFFICE_CLOSED", ("12-24", "12-31"))
    call_hours: str = env("CALL_HOURS", "Mo-Fr 08:00-20:00")
