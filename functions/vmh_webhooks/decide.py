"""Decide which party of Advoware is meant: pure, over what the searches brought."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Collection
from typing import Any

from shared.domain.party import Party
from shared.espocrm.links import Intent
from shared.mapping.beteiligte import canonical, from_beteiligte, new_beteiligte
from shared.mapping.party_search import Rows


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


def as_number(value: Any) -> int | None:
    """Read a betNr as EspoCRM may hold it; None for none, ValueError for what is no number."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("no betNr")
    return int(value)
