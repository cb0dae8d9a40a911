"""Settings of the leads from WordPress and of the office behind them."""

from __future__ import annotations

import re
from datetime import date
from typing import ClassVar, Final, Literal

from shared.office_hours import read_spans
from shared.settings.base import Settings, env
from shared.settings.kinds import (
    SecretStr,
    UnreadableError,
    comma_list,
    decoded,
    json_text,
    matching,
    one_of,
    secret,
    switch,
    text,
    whole,
)

_STATES: Final = tuple("BB BE BW BY HB HE HH MV NI NW RP SH SL SN ST TH".split())
_MAIL_SERVER: Final = re.compile(r"smtps?://\S+")


def _hours(value: str) -> str:
    try:
        read_spans(value)
    except ValueError as error:
        raise UnreadableError(str(error)) from error
    return value


def _closed_days(value: str) -> tuple[str, ...]:
    days = comma_list(value)
    try:
        for day in days:
            date.fromisoformat(f"2024-{day}")
    except ValueError:
        raise UnreadableError("expected days such as 12-24,12-31") from None
    return days


def _mail_server(value: str) -> SecretStr:
    if not _MAIL_SERVER.fullmatch(value):
        raise UnreadableError("expected smtp://user:password@host:port or smtps://")
    return SecretStr(value)


def _keys_of_32_bytes(value: str) -> SecretStr:
    if any(len(decoded(part.strip(), b"-_") or b"") != 32 for part in value.split(",")):
        raise UnreadableError("needs 32 bytes as URL-safe base64, or a comma list of such keys")
    return SecretStr(value)


class LeadSettings(Settings):
    """How leads are believed, kept and worked off."""

    optional: ClassVar[bool] = True

    webhook_secret: SecretStr | None = env("VERMIETERHELDEN_WEBHOOK_SECRET", None, secret)
    query_token: SecretStr | None = env("VERMIETERHELDEN_QUERY_TOKEN", None, secret)
    encryption_key: SecretStr | None = env("LEAD_ENCRYPTION_KEY", None, _keys_of_32_bytes, needed=True)
    rate_per_minute: int = env("LEAD_RATE_PER_MINUTE", 0, whole(0))
    auto_call: bool = env("LEAD_AUTO_CALL", False, switch)
    form_maps: str | None = env("LEAD_FORM_MAPS", None, json_text(dict, "object"))
    target_list_id: str | None = env("NEWSLETTER_TARGET_LIST_ID", None, text)
    smtp_url: SecretStr | None = env("SMTP_URL", None, _mail_server)
    site_hosts: tuple[str, ...] = env("LEAD_SITE_HOSTS", ("vermieterhelden.de", "www.vermieterhelden.de"), comma_list)
    routes: str | None = env("LEAD_ROUTES", None, json_text(list, "list of rules"))
    escalate_to: str | None = env("LEAD_ESCALATE_TO", None, text)
    auto_reply: Literal["smtp", "espocrm", "off"] = env("LEAD_AUTO_REPLY", "smtp", one_of("smtp", "espocrm", "off"))
    mail_from: str | None = env("LEAD_MAIL_FROM", None, matching(r"[^\s@]+@[^\s@]+"))
    retention_lead_days: int = env("RETENTION_LEAD_DAYS", 180, whole(1))
    retention_spam_days: int = env("RETENTION_SPAM_DAYS", 30, whole(1))


class OfficeSettings(Settings):
    """When and where the firm works."""

    hours: str = env("OFFICE_HOURS", "Mo-Fr 09:00-17:00", _hours)
    state: str = env("OFFICE_STATE", "NI", one_of(*_STATES))
    closed: tuple[str, ...] = env("OFFICE_CLOSED", ("12-24", "12-31"), _closed_days)
    call_hours: str = env("CALL_HOURS", "Mo-Fr 08:00-20:00", _hours)
