"""Use the machinery of the fault and property tests."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis_server import running

from shared.state import connection

for folder in ("faults", "property"):
    sys.path.append(str(Path(__file__).parents[1] / folder))


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    with running() as server:
        yield server.url


@pytest.fixture
def client(redis_url: str) -> redis.Redis:
    made = connection.connect(redis_url, 1, timeout_s=5)
    made.flushall()
    return made
