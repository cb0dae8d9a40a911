"""Decide which party of Advoware is meant: pure, over what the searches brought."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from shared.domain.party import Party
from shared.espocrm.links import Intent
from shared.mapping.beteiligte import canonical, folded, from_beteiligte, is_same_party, new_beteiligte

Rows = Iterable[Mapping[str, Any]]


def matches(party: Party, rows: Rows) -> list[int]:
    """List the parties that are surely the one we look for."""
    return sorted({row["betNr"] for row in rows if is_same_party(party, from_beteiligte(row))})


def created_by_us(intent: Intent, rows: Rows, key: bytes, taken: Collection[int]) -> list[int]:
    """List the parties that say what our open POST said, were not there before it, and belong to no other record."""
    known = {*intent.before, *taken}
    return sorted(
        {
            row["betNr"]
            for row in rows
            if row["betNr"] not in known and digest(from_beteiligte(row), key) == intent.digest
        }
    )


def as_created(party: Party) -> Party:
    """Say how Advoware will show a party that we create."""
    return from_beteiligte(new_beteiligte(party))


def digest(party: Party, key: bytes) -> str:
    """Hash a party's content with a key, so that the hash gives nothing away."""
    return hmac.digest(key, json.dumps(canonical(party)).encode(), hashlib.sha256).hex()


def name_digest(party: Party, key: bytes) -> str:
    """Hash a party's name alone."""
    name = f"{folded(party.first_name or '')}|{folded(party.name)}"
    return hmac.digest(key, name.encode(), hashlib.sha256).hex()[:32]


def search_terms(party: Party) -> list[dict[str, str]]:
    """Say what to ask Advoware, one call each: names in both spellings of umlauts, addresses, numbers."""
    names = [party.name] if folded(party.name) == party.name.lower() else [party.name, folded(party.name)]
    return [
        *({"search": name} for name in names),
        *({"email": email} for email in party.emails),
        *({"telefon": number} for number in party.phones),
    ]


def as_number(value: Any) -> int | None:
    """Read a betNr as EspoCRM may hold it; None for none, ValueError for what is no number."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("no betNr")
    return int(value)
