"""The last few of a kind, for people who want to see what came in: a ZSET id → ms, ids only, cut at fifty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import redis

LEADS: Final = "lead:recent"  # in DB 0; written by leads_accept.lua
CALLS: Final = "threecx:recent"  # in DB 0; score is when something was last heard of the call
KEPT: Final = 50


def note(pipe: redis.Redis, key: str, item: str, at_ms: int) -> None:
    """Add one; the one before the fiftieth falls out."""
    pipe.zadd(key, {item: at_ms}, gt=True)
    pipe.zremrangebyrank(key, 0, -KEPT - 1)


def last(client: redis.Redis, key: str, count: int = KEPT) -> list[tuple[str, int]]:
    """Give the last ones with their times, the newest first."""
    rows: Any = client.zrevrange(key, 0, count - 1, withscores=True)
    return [(str(item), int(at_ms)) for item, at_ms in rows]
