"""Settings of Google Calendar and of the calendar sync."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from shared.settings.base import Settings, env
from shared.settings.kinds import (
    ADDRESS,
    KeyFile,
    SecretStr,
    UnreadableError,
    above_zero,
    comma_list,
    folder_url,
    matching,
    one_of,
    pairs,
    secret,
    share,
    switch,
    text,
    whole,
)


class GoogleSettings(Settings):
    """Everything needed to talk to Google Calendar."""

    service_account_path: KeyFile | None = env("GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH", None, KeyFile, needed=True)
    subject: str | None = env("GOOGLE_CALENDAR_SUBJECT", None, text)
    api_endpoint: str = env("GOOGLE_CALENDAR_API_ENDPOINT", "https://www.googleapis.com/calendar/v3/", folder_url)
    rate_per_minute: int = env("GOOGLE_CALENDAR_RATE_PER_MINUTE", 600, whole(1))
    burst: int = env("GOOGLE_CALENDAR_BURST", 7, whole(1))

    def objection(self) -> str:
        """Want a burst that leaves some of the rate."""
        if self.burst < self.rate_per_minute:
            return ""
        return "GOOGLE_CALENDAR_BURST must be below GOOGLE_CALENDAR_RATE_PER_MINUTE"


def _with_kuerzel(value: str) -> str:
    if "{kuerzel}" not in value:
        raise UnreadableError("must contain {kuerzel}")
    return value


def _some(value: str) -> tuple[str, ...]:
    if not (parts := comma_list(value)):
        raise UnreadableError("expected at least one")
    return parts


class CalendarSettings(Settings):
    """How the two calendars are kept in step."""

    name_template: str = env("CALENDAR_NAME_TEMPLATE", "AW-{kuerzel}", _with_kuerzel)
    share_with: Mapping[str, str] = env("CALENDAR_SHARE_WITH", {}, pairs)
    past_days: int = env("CALENDAR_PAST_DAYS", 30, whole(0))
    future_days: int = env("CALENDAR_FUTURE_DAYS", 365, whole(1))
    full_content: bool = env("CALENDAR_FULL_CONTENT", False, switch)
    conflict_policy: Literal["advoware_wins", "google_wins", "newest_wins"] = env(
        "CALENDAR_CONFLICT_POLICY", "advoware_wins", one_of("advoware_wins", "google_wins", "newest_wins")
    )
    delete_policy: Literal["propagate", "restore"] = env(
        "CALENDAR_DELETE_POLICY", "propagate", one_of("propagate", "restore")
    )
    max_delete_share: float = env("CALENDAR_MAX_DELETE_SHARE", 0.1, share)
    max_deletes: int = env("CALENDAR_MAX_DELETES", 20, whole(0))
    run_limit_s: float | None = env("CALENDAR_RUN_LIMIT_SECONDS", None, above_zero)
    lock_s: float = env("CALENDAR_LOCK_SECONDS", 300.0, above_zero)
    wait_s: float = env("CALENDAR_WAIT_SECONDS", 120.0, above_zero)
    placeholders: tuple[str, ...] = env("CALENDAR_PLACEHOLDERS", ("Termin (Advoware)",), _some)
    push_url: str | None = env("CALENDAR_PUSH_URL", None, matching(ADDRESS))
    push_token: SecretStr | None = env("CALENDAR_PUSH_TOKEN", None, secret)
    max_parallel: int = env("CALENDAR_MAX_PARALLEL", 4, whole(1))
    intent_grace_s: float = env("CALENDAR_INTENT_GRACE_SECONDS", 900.0, above_zero)
    hmac_key: SecretStr | None = env("CALENDAR_HMAC_KEY", None, secret)
    marker: bool = env("CALENDAR_MARKER", True, switch)
    all_day_field: Literal["dauertermin", "abwesenheit"] = env(
        "ADVOWARE_ALL_DAY_FIELD", "dauertermin", one_of("dauertermin", "abwesenheit")
    )
