"""Open Redis with short timeouts and no hidden retries, and check that it keeps what it acknowledges."""

import time
from collections.abc import Mapping
from typing import Any, Final, cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from shared.state.budget import budget

TIMEOUT_S = 0.5
MAX_CONNECTIONS = 256  # more than a process has threads
NEEDED: Final[Mapping[str, str]] = {
    "appendonly": "yes",
    "appendfsync": "always",
    "maxmemory-policy": "noeviction",
}


class Pool(redis.ConnectionPool):
    """Counts for how long a request holds connections, opening them included, and gives none when its time is up."""

    def get_connection(self, *args: Any, **options: Any) -> Any:
        """Give a connection while there is time."""
        mine, began = budget(), time.monotonic()
        if mine is not None and mine.left_s <= 0:
            raise redis.TimeoutError("this request has no time left for Redis")
        try:
            connection = super().get_connection(*args, **options)
        except redis.RedisError:
            if mine is not None:
                mine.since(began)
            raise
        vars(connection)["began"] = began
        return connection

    def release(self, connection: Any) -> None:
        """Take a connection back and count its time."""
        mine, began = budget(), vars(connection).pop("began", None)  # none for one that never opened
        if mine is not None and began is not None:
            mine.since(began)
        super().release(connection)


def connect(url: str, db: int, *, timeout_s: float = TIMEOUT_S) -> redis.Redis:
    """Prepare a client for one database; it connects on first use and sends every command at most once."""
    pool = Pool.from_url(
        url,
        decode_responses=True,
        protocol=2,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        max_connections=MAX_CONNECTIONS,
        driver_info=None,  # two questions less for each new connection
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
