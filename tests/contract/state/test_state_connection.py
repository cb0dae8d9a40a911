"""Connections are quick to give up, send once, and know what durable means."""

import socket
import time
from collections import deque

import pytest
import redis
from redis_server import free_port, running

from shared.state import connection
from shared.state.budget import within
from shared.state.queue import PARTIES, WorkQueue


def test_the_database_is_ours_to_choose_even_when_the_address_names_one(redis_server):
    client = connection.connect(f"{redis_server.url}/7", 2)
    client.set("here", "1")
    assert redis.Redis(port=redis_server.port, db=2).get("here") == b"1"


def test_nothing_is_sent_twice_by_the_client_itself():
    client = connection.connect("redis://127.0.0.1:6379", 0)
    made = client.connection_pool.make_connection()
    assert made.retry.get_retries() == 0
    assert (made.socket_timeout, made.socket_connect_timeout) == (0.5, 0.5)


def test_every_thread_of_a_process_gets_a_connection(redis_server):
    client = connection.connect(redis_server.url, 0)
    held = [client.connection_pool.get_connection() for _ in range(150)]
    for each in held:
        client.connection_pool.release(each)
    client.close()


def test_an_unreachable_server_is_reported_at_once():
    client = connection.connect(f"redis://127.0.0.1:{free_port()}", 0)
    started = time.monotonic()
    with pytest.raises(redis.RedisError):
        connection.durability_problems(client)
    assert time.monotonic() - started < 2


def test_each_unsafe_setting_is_named_with_its_value(redis_server):
    client = connection.connect(redis_server.url, 0)
    client.config_set("maxmemory-policy", "allkeys-lru")
    problems = connection.durability_problems(client)
    client.config_set("maxmemory-policy", "noeviction")
    assert "maxmemory-policy is allkeys-lru, needs noeviction" in problems
    assert "appendonly is no, needs yes" in problems
    assert "appendfsync is everysec, needs always" in problems


def test_a_durable_server_has_no_problems_and_keeps_its_writes_through_a_kill():
    with running(aof=True) as server:
        client = connection.connect(server.url, 0)
        assert connection.durability_problems(client) == []
        client.set("kept", "1")
        server.kill()
        server.start()
        assert connection.connect(server.url, 0).get("kept") == "1"


def test_a_server_that_never_answers_costs_at_most_two_seconds():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        queue = WorkQueue(connection.connect(f"redis://127.0.0.1:{silent.getsockname()[1]}", 1), PARTIES)
        started = time.monotonic()
        with pytest.raises(redis.RedisError):
            queue.add("create", ["a"])
        assert time.monotonic() - started < 2


def test_what_is_asked_after_the_time_of_a_request_is_used_up_fails_at_once():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = connection.connect(f"redis://127.0.0.1:{silent.getsockname()[1]}", 0, timeout_s=0.05)
        with within(0.08):
            assert connections_of(client, silent, asked=9) == 2
        assert connections_of(client, silent, asked=4) == 4  # nobody waits for this one


def test_time_that_passes_elsewhere_is_not_taken_from_redis(redis_server, monkeypatch):
    client, now = connection.connect(redis_server.url, 0), [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with within(1.0):
        for _ in range(3):
            client.ping()
            now[0] += 30.0


def connections_of(client, server, *, asked: int) -> int:
    """Ask so often, without an answer, and count how many connections that opened."""
    server.setblocking(False)
    for _ in range(asked):
        with pytest.raises(redis.RedisError):
            client.ping()
    opened = 0
    while True:
        try:
            server.accept()[0].close()
        except BlockingIOError:
            return opened
        opened += 1


def test_a_server_out_of_memory_refuses_and_keeps_set_and_stream_equal():
    with running(settings=("--maxmemory", "3mb", "--maxmemory-policy", "noeviction")) as server:
        client = connection.connect(server.url, 1, timeout_s=5)
        queue = WorkQueue(client, PARTIES)
        pages = ([f"{page:04}{n:013}" for n in range(200)] for page in range(1000))
        with pytest.raises(redis.RedisError, match="OOM"):
            deque((queue.add("create", page) for page in pages), maxlen=0)
        assert client.scard("vmh:beteiligte:create_pending") == client.xlen("vmh:beteiligte:queue") > 0


def test_work_survives_kills_of_a_durable_server():
    with running(aof=True) as server:
        queue = WorkQueue(connection.connect(server.url, 1), PARTIES)
        accepted = []
        for round_ in range(3):
            accepted += queue.add("update", [f"{round_}-{n}" for n in range(5)]).new
            server.kill()
            with pytest.raises(redis.RedisError):
                queue.add("update", ["refused"])
            server.start()
        delivered = [message.item for message in queue.read("w", count=100, block_ms=0)]
        assert delivered == accepted
