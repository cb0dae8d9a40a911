"""Parties that a dead letter may mean, by number only, and the one that a person chose.

| key | type | lifetime | content |
|---|---|---|---|
| `vmh:beteiligte:candidates` | HASH | until chosen | entity id → JSON list of betNr |
| `vmh:beteiligte:chosen` | HASH | until the next run has used it | entity id → betNr |
"""

from __future__ import annotations

import json
from typing import cast

import redis

from shared.errors import FieldProblem, InvalidRequestError

CANDIDATES = "vmh:beteiligte:candidates"
CHOSEN = "vmh:beteiligte:chosen"


class Candidates:
    """Reads what the sync of parties left, and writes what a person decided."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def of(self, entity_id: str) -> list[int]:
        """Give the numbers among which a person has to choose."""
        text = cast(str | None, self._redis.hget(CANDIDATES, entity_id))
        try:
            found = json.loads(text) if text else []
        except ValueError:
            return []
        return [each for each in found if isinstance(each, int)]

    def choose(self, entity_id: str, number: int) -> None:
        """Keep the choice; only one of the candidates can be chosen."""
        if number not in self.of(entity_id):
            raise InvalidRequestError(
                "This is none of the candidates.",
                fields=[FieldProblem("betNr", "unknown", "is none of the candidates")],
            )
        self._redis.hset(CHOSEN, entity_id, str(number))
