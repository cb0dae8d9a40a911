"""The last runs of each employee, in figures only.

| key | type | lifetime | content |
|---|---|---|---|
| `calendar_sync:history:{kuerzel}` | LIST | none, 50 entries | status rows of ended runs, the newest first |
"""

from __future__ import annotations

import json
from typing import Any, cast

import redis

RUNS = 50
RUNNING = "running"


def note(client: redis.Redis, kuerzel: str, row: dict[str, Any]) -> None:
    """Add an ended run; the one before the fiftieth falls out."""
    if row.get("state") == RUNNING:
        return
    pipe = client.pipeline(transaction=True)
    pipe.lpush(_key(kuerzel), json.dumps(row))
    pipe.ltrim(_key(kuerzel), 0, RUNS - 1)
    pipe.execute()


def last_runs(client: redis.Redis, kuerzel: str, count: int = RUNS) -> list[dict[str, Any]]:
    """Give the last runs, the newest first."""
    texts = cast(list[Any], client.lrange(_key(kuerzel), 0, count - 1))
    return [json.loads(str(text)) for text in texts]


def _key(kuerzel: str) -> str:
    return f"calendar_sync:history:{kuerzel}"
