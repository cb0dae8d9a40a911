"""A Redis of its own for each test of the firm."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis_server import RedisServer, running

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    with running() as server:
        yield server
