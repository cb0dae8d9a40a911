"""Passwords are tried a few times only: by one address, by all together, with Redis and without."""

from collections.abc import Callable

import fakeredis
import pytest
import redis

from functions.ops.attempts import KEY, LIMITS, WINDOW_S, Attempts


def shared() -> Callable[[], redis.Redis]:
    client = fakeredis.FakeRedis(decode_responses=True)
    return lambda: client


def down() -> redis.Redis:
    raise redis.ConnectionError("refused")


@pytest.fixture(params=["redis", "alone"])
def client(request) -> Callable[[], redis.Redis]:
    return shared() if request.param == "redis" else down


def test_five_attempts_are_free_the_sixth_waits(client):
    attempts = Attempts(client)
    assert [attempts.take("me") for _ in range(LIMITS["one"])] == [0] * 5
    assert 0 < attempts.take("me") <= WINDOW_S + 1
    assert attempts.take("you") == 0


def test_many_addresses_together_are_limited_too(client):
    attempts = Attempts(client)
    waits = [attempts.take(f"one {number}") for number in range(LIMITS["all"] + 1)]
    assert waits[:-1] == [0] * LIMITS["all"]
    assert waits[-1] > 0


def test_who_knew_the_password_starts_anew(client):
    attempts = Attempts(client)
    for _ in range(LIMITS["one"]):
        attempts.take("me")
    attempts.forgive("me")
    assert attempts.take("me") == 0


def test_the_count_is_shared_and_ends_by_itself():
    client = shared()
    for _ in range(LIMITS["one"]):
        Attempts(client).take("me")
    assert Attempts(client).take("me") > 0
    assert 0 < client().ttl(KEY + "me") <= WINDOW_S


def test_a_process_alone_forgets_after_the_window():
    now = [0.0]
    attempts = Attempts(down, monotonic=lambda: now[0])
    for _ in range(LIMITS["one"] + 1):
        attempts.take("me")
    now[0] = WINDOW_S + 1.0
    assert attempts.take("me") == 0
