"""In no minute are there more calls than allowed, whoever makes them."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.state import connection
from shared.state.window import _TAKE, Window

KEY = "threecx:window"


def age(client, seconds: float) -> None:
    """Let the calls so far have been made earlier."""
    for name, at in client.zrange(KEY, 0, -1, withscores=True):
        client.zadd(KEY, {name: at - seconds * 1000})


def test_the_call_after_the_last_allowed_one_waits_until_the_first_is_a_minute_old(client):
    window = Window(client, KEY, 3)
    assert [window.take() for _ in range(3)] == [0, 0, 0]
    assert 59 < window.take() <= 60
    age(client, 30)
    assert 29 < window.take() <= 30
    age(client, 30)
    assert window.take() == 0


def test_half_a_minute_of_patience_buys_no_second_burst(client):
    window = Window(client, KEY, 4)
    assert [window.take(), window.take()] == [0, 0]
    age(client, 40)
    assert [window.take() > 0 for _ in range(4)] == [False, False, True, True]


def test_the_same_call_sent_twice_is_counted_once(client):
    for _ in range(2):
        assert _TAKE(client, [KEY], ["one", 1, 60000]) == 0
    assert _TAKE(client, [KEY], ["two", 1, 60000]) > 0
    assert 0 < client.pttl(KEY) <= 60000


def test_calls_of_a_clock_that_went_back_do_not_stop_us_for_longer(client):
    client.zadd(KEY, {"later": (time.time() + 3600) * 1000})
    assert Window(client, KEY, 1).take() == 0


def test_many_at_once_get_no_more_than_there_is(client):
    window = Window(client, KEY, 10)
    with ThreadPoolExecutor(8) as crowd:
        assert sum(wait == 0 for wait in crowd.map(lambda _: window.take(), range(40))) == 10


@pytest.fixture
def away():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return connection.connect(f"redis://127.0.0.1:{port}", 0)


def test_without_redis_each_process_keeps_to_its_share(away):
    now = [100.0]
    window = Window(away, KEY, 8, clock=lambda: now[0])
    assert [window.take() for _ in range(3)] == [0, 0, 60]
    now[0] += 59.5
    assert window.take() == 0.5
    now[0] += 0.5
    assert window.take() == 0
