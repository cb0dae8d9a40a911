"""How EspoCRM names the fields of a party."""

from __future__ import annotations

from pydantic import field_validator

from shared.settings.base import EqualsMap, Settings, env


class FieldSettings(Settings):
    """EspoCRM's attribute for fields of ours, where an installation has its own: `title=cTitel,birth_date=cGeb`."""

    names: EqualsMap = env("ESPOCRM_BETEILIGTE_FIELDS", {})

    @field_validator("names")
    @classmethod
    def _known(cls, value: dict[str, str]) -> dict[str, str]:
        if value:
            from shared.mapping.beteiligte import Names

            Names.of(value)
        return value
