"""Settings of EspoCRM and of its webhooks."""

from __future__ import annotations

from typing import ClassVar

from pydantic import PositiveFloat, SecretStr

from shared.settings.base import ColonMap, Settings, env


class EspoCrmSettings(Settings):
    """Everything needed to talk to EspoCRM and to believe its webhooks."""

    optional: ClassVar[bool] = True

    api_base_url: str | None = env("ESPOCRM_API_BASE_URL", needed=True, pattern=r"^https?://[^\s?#]+$")
    api_key: SecretStr | None = env("ESPOCRM_API_KEY", needed=True)
    hmac_secret: SecretStr | None = env("ESPOCRM_HMAC_SECRET")
    beteiligte_entity: str = env("ESPOCRM_BETEILIGTE_ENTITY", "CBeteiligte", pattern=r"^[A-Za-z]\w*$")
    betnr_field: str = env("ESPOCRM_BETNR_FIELD", "betnr", pattern=r"^[A-Za-z]\w*$")
    webhook_secrets: ColonMap = env("ESPOCRM_WEBHOOK_SECRETS", {})
    marvin_api_key: SecretStr | None = env("ESPOCRM_MARVIN_API_KEY")
    default_user_id: str | None = env("ESPOCRM_DEFAULT_USER_ID")
    timeout_s: PositiveFloat = env("ESPOCRM_TIMEOUT_SECONDS", 10)
