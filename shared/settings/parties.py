"""How EspoCRM names the fields of a party."""

from __future__ import annotations

from collections.abc import Mapping

from shared.settings.base import Settings, env
from shared.settings.kinds import UnreadableError, pairs


def _known_fields(value: str) -> Mapping[str, str]:
    from shared.mapping.beteiligte import Names

    names = pairs(value)
    try:
        Names.of(names)
    except ValueError as error:
        raise UnreadableError(str(error)) from None
    return names


class FieldSettings(Settings):
    """EspoCRM's attribute for fields of ours, where an installation has its own: `title=cTitel,birth_date=cGeb`."""

    names: Mapping[str, str] = env("ESPOCRM_BETEILIGTE_FIELDS", {}, _known_fields)
