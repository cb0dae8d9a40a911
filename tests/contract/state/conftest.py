"""Run every state protocol on fakeredis and on a real server."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import fakeredis
import pytest
import redis

from shared.state import connection

sys.path.insert(0, str(Path(__file__).parents[2]))

from redis_server import RedisServer, running


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    with running() as server:
        yield server


@pytest.fixture(params=["fakeredis", "redis"])
def client(request) -> Iterator[redis.Redis]:
    if request.param == "fakeredis":
        yield fakeredis.FakeRedis(server=fakeredis.FakeServer(), decode_responses=True)
        return
    server = request.getfixturevalue("redis_server")
    real = connection.connect(server.url, 1, timeout_s=5)
    real.flushall()
    yield real
    real.close()


class Unreliable:
    """A client whose next answers get lost, before or after Redis did its work."""

    def __init__(self, client: redis.Redis, *, lost: int = 0, unsent: int = 0) -> None:
        self._client, self.lost, self.unsent, self.sends = client, lost, unsent, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def evalsha(self, *args: Any) -> Any:
        self.sends += 1
        if self.unsent:
            self.unsent -= 1
            raise redis.ConnectionError("refused")
        answer = self._client.evalsha(*args)
        if self.lost:
            self.lost -= 1
            raise redis.TimeoutError("the reply got lost")
        return answer


class Down:
    """A client that reaches no server."""

    def __init__(self) -> None:
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        def refuse(*_: Any, **__: Any) -> Any:
            self.asked += 1
            raise redis.ConnectionError("refused")

        return refuse


@pytest.fixture
def unreliable(client) -> Callable[..., Unreliable]:
    return lambda **faults: Unreliable(client, **faults)


@pytest.fixture
def down() -> Down:
    return Down()


@pytest.fixture
def snapshot(client) -> Callable[[], dict[str, Any]]:
    """Read everything but times, to see whether a second send changed anything."""

    def fields(key: str) -> dict[str, str]:
        whole = key.endswith(":owner")
        return {name: value if whole else value.split("|")[0] for name, value in client.hgetall(key).items()}

    def read() -> dict[str, Any]:
        readers: dict[str, Callable[[str], Any]] = {
            "string": client.get,
            "set": client.smembers,
            "hash": fields,
            "zset": lambda key: sorted(client.zrange(key, 0, -1)),
            "stream": lambda key: [entry for _, entry in client.xrange(key)],
        }
        times = {"advoware_token_timestamp": "set", "upstream:answered": "set", "bucket": "set"}
        found = {key: times.get(key) or readers[client.type(key)](key) for key in sorted(client.keys())}
        return {key: value for key, value in found.items() if value}

    return read


@pytest.fixture
def together() -> Callable[..., list[Any]]:
    """Call a function from many threads at once and collect the answers."""

    def run(function: Callable[[int], Any], threads: int = 16) -> list[Any]:
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(function, range(threads)))

    return run
