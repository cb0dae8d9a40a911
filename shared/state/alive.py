"""Which workers are at work: each says so for every queue it reads, since an idle reader leaves no trace in Redis."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import redis

KEY: Final = "worker:alive"  # ZSET in DB 1, queue|worker → ms when it last cared for the queue; an hour
KEPT_MS: Final = 3600 * 1000


def note(client: redis.Redis, queue: str, worker: str) -> None:
    """Say that a worker reads a queue, and forget those who have been silent for an hour."""
    now_ms = int(time.time() * 1000)
    pipe = client.pipeline(transaction=True)
    pipe.zadd(KEY, {f"{queue}|{worker}": now_ms})
    pipe.zremrangebyscore(KEY, 0, now_ms - KEPT_MS)
    pipe.execute()


def readers(client: redis.Redis, within_s: float) -> dict[str, int]:
    """Count the workers of each queue that were heard of lately."""
    rows: Any = client.zrangebyscore(KEY, int((time.time() - within_s) * 1000), "+inf")
    found: dict[str, int] = {}
    for row in rows:
        queue = str(row).rpartition("|")[0]
        found[queue] = found.get(queue, 0) + 1
    return found
