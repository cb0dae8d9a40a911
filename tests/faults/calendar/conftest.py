"""One Redis for all tests of this folder, empty at the start of each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from redis_server import running

from shared.state import connection


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    with running() as server:
        yield server.url


@pytest.fixture
def state(redis_url: str) -> redis.Redis:
    client = connection.connect(redis_url, 1, timeout_s=5)
    client.flushall()
    return client
