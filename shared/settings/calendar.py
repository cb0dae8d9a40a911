"""Settings of Google Calendar and of the calendar sync."""

from __future__ import annotations

from typing import Literal

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt, SecretStr, field_validator, model_validator

from shared.settings.base import CommaList, EqualsMap, Settings, env


class GoogleSettings(Settings):
    """Everything needed to talk to Google Calendar."""

    service_account_path: str | None = env("GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH", needed=True)
    subject: str | None = env("GOOGLE_CALENDAR_SUBJECT")
    api_endpoint: str = env(
        "GOOGLE_CALENDAR_API_ENDPOINT", "https://www.googleapis.com/calendar/v3/", pattern=r"^https?://[^\s?#]+$"
    )
    rate_per_minute: PositiveInt = env("GOOGLE_CALENDAR_RATE_PER_MINUTE", 600)
    burst: PositiveInt = env("GOOGLE_CALENDAR_BURST", 7)

    @field_validator("api_endpoint")
    @classmethod
    def _ends_with_slash(cls, value: str) -> str:
        return value if value.endswith("/") else value + "/"

    @model_validator(mode="after")
    def _burst_below_rate(self) -> GoogleSettings:
        if self.burst >= self.rate_per_minute:
            raise ValueError("GOOGLE_CALENDAR_BURST must be below GOOGLE_CALENDAR_RATE_PER_MINUTE")
        return self


class CalendarSettings(Settings):
    """How the two calendars are kept in step."""

    name_template: str = env("CALENDAR_NAME_TEMPLATE", "AW-{kuerzel}")
    share_with: EqualsMap = env("CALENDAR_SHARE_WITH", {})
    past_days: NonNegativeInt = env("CALENDAR_PAST_DAYS", 30)
    future_days: PositiveInt = env("CALENDAR_FUTURE_DAYS", 365)
    full_content: bool = env("CALENDAR_FULL_CONTENT", False)
    conflict_policy: Literal["advoware_wins", "google_wins", "newest_wins"] = env(
        "CALENDAR_CONFLICT_POLICY", "advoware_wins"
    )
    delete_policy: Literal["propagate", "restore"] = env("CALENDAR_DELETE_POLICY", "propagate")
    max_delete_share: float = env("CALENDAR_MAX_DELETE_SHARE", 0.1, ge=0, le=1)
    max_deletes: NonNegativeInt = env("CALENDAR_MAX_DELETES", 20)
    run_limit_s: PositiveFloat | None = env("CALENDAR_RUN_LIMIT_SECONDS")
    lock_s: PositiveFloat = env("CALENDAR_LOCK_SECONDS", 300)
    wait_s: PositiveFloat = env("CALENDAR_WAIT_SECONDS", 120)
    placeholders: CommaList = env("CALENDAR_PLACEHOLDERS", ("Termin (Advoware)",), min_length=1)
    push_url: str | None = env("CALENDAR_PUSH_URL", pattern=r"^https?://\S+$")
    push_token: SecretStr | None = env("CALENDAR_PUSH_TOKEN")
    max_parallel: PositiveInt = env("CALENDAR_MAX_PARALLEL", 4)
    intent_grace_s: PositiveFloat = env("CALENDAR_INTENT_GRACE_SECONDS", 900)
    hmac_key: SecretStr | None = env("CALENDAR_HMAC_KEY")
    marker: bool = env("CALENDAR_MARKER", True)
    all_day_field: Literal["dauertermin", "abwesenheit"] = env("ADVOWARE_ALL_DAY_FIELD", "dauertermin")

    @field_validator("name_template")
    @classmethod
    def _names_the_employee(cls, value: str) -> str:
        if "{kuerzel}" not in value:
            raise ValueError("must contain {kuerzel}")
        return value
