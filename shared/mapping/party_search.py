"""Say how a party is looked for in Advoware and which of the found ones is surely the same: pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Any

from shared.domain.party import Party
from shared.mapping.beteiligte import from_beteiligte, is_same_party
from shared.mapping.spelling import folded, spellings

Rows = Iterable[Mapping[str, Any]]


def matches(party: Party, rows: Rows) -> list[int]:
    """List the parties that are surely the one we look for."""
    return sorted({row["betNr"] for row in rows if is_same_party(party, from_beteiligte(row))})


def name_digest(party: Party, key: bytes) -> str:
    """Hash a party's name alone."""
    name = f"{folded(party.first_name or '')}|{folded(party.name)}"
    return hmac.digest(key, name.encode(), hashlib.sha256).hex()[:32]


def search_terms(party: Party) -> list[dict[str, str]]:
    """Say what to ask Advoware, one call each: names in every spelling of umlauts, addresses, numbers."""
    return [
        *({"search": name} for name in spellings(party.name)),
        *({"email": email} for email in party.emails),
        *({"telefon": number} for number in party.phones),
    ]
