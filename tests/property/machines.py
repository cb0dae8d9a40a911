"""What the state machines share: a real Redis, and how long they play."""

from __future__ import annotations

import atexit
import functools
import os
from contextlib import ExitStack

import redis
from hypothesis import HealthCheck, settings
from redis_server import running

from shared.state import connection

LONG = os.environ.get("FUZZ") == "long"  # make fuzz


@functools.cache
def _server_url() -> str:
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(running()).url


@functools.cache
def _client(db: int) -> redis.Redis:
    return connection.connect(_server_url(), db, timeout_s=5)


def fresh(db: int = 1) -> redis.Redis:
    """Give a client of a real Redis with nothing in it."""
    client = _client(db)
    client.flushall()
    return client


def how_long(examples: int = 80, steps: int = 40) -> settings:
    """Say how long a machine plays: seconds in every run, minutes where somebody has asked for it."""
    return settings(
        max_examples=300 if LONG else examples,
        stateful_step_count=50 if LONG else steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
