"""Settings of EspoCRM and of its webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from shared.settings.base import Settings, env
from shared.settings.kinds import URL, SecretStr, above_zero, matching, secret, secrets, text

_word = matching(r"[A-Za-z]\w*")


class EspoCrmSettings(Settings):
    """Everything needed to talk to EspoCRM and to believe its webhooks."""

    optional: ClassVar[bool] = True

    api_base_url: str | None = env("ESPOCRM_API_BASE_URL", None, matching(URL), needed=True)
    api_key: SecretStr | None = env("ESPOCRM_API_KEY", None, secret, needed=True)
    hmac_secret: SecretStr | None = env("ESPOCRM_HMAC_SECRET", None, secret)
    beteiligte_entity: str = env("ESPOCRM_BETEILIGTE_ENTITY", "CBeteiligte", _word)
    betnr_field: str = env("ESPOCRM_BETNR_FIELD", "betnr", _word)
    webhook_secrets: Mapping[str, SecretStr] = env("ESPOCRM_WEBHOOK_SECRETS", {}, secrets)
    marvin_api_key: SecretStr | None = env("ESPOCRM_MARVIN_API_KEY", None, secret)
    default_user_id: str | None = env("ESPOCRM_DEFAULT_USER_ID", None, text)
    timeout_s: float = env("ESPOCRM_TIMEOUT_SECONDS", 10.0, above_zero)
