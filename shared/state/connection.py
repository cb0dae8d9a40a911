"""Open Redis with short timeouts and no hidden retries, and check that it keeps what it acknowledges."""

from collections.abc import Mapping
from typing import Any, Final, cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

TIMEOUT_S = 0.5
NEEDED: Final[Mapping[str, str]] = {
    "appendonly": "yes",
    "appendfsync": "always",
    "maxmemory-policy": "noeviction",
}


def connect(url: str, db: int, *, timeout_s: float = TIMEOUT_S) -> redis.Redis:
    """Prepare a client for one database; it connects on first use and sends every command at most once."""
    pool = redis.ConnectionPool.from_url(
        url,
        decode_responses=True,
        protocol=2,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=Retry(NoBackoff(), 0),  # redis-py re-sends up to 10 times otherwise, also what must not run twice
    )
    pool.connection_kwargs["db"] = db  # also when the address carries a number
    return redis.Redis(connection_pool=pool)


def durability_problems(client: redis.Redis) -> list[str]:
    """Name each setting with which Redis may lose acknowledged work."""
    found = {name: _setting(client, name) for name in NEEDED}
    return [f"{name} is {found[name]}, needs {needed}" for name, needed in NEEDED.items() if found[name] != needed]


def _setting(client: redis.Redis, name: str) -> str:
    answer = cast(Mapping[str, Any], client.config_get(name))
    return str(answer.get(name, "unknown"))
