"""Connections are quick to give up, send once, and know what durable means."""

import time

import pytest
import redis
from redis_server import free_port, running

from shared.state import connection


def test_the_database_is_ours_to_choose_even_when_the_address_names_one(redis_server):
    client = connection.connect(f"{redis_server.url}/7", 2)
    client.set("here", "1")
    assert redis.Redis(port=redis_server.port, db=2).get("here") == b"1"


def test_nothing_is_sent_twice_by_the_client_itself():
    client = connection.connect("redis://127.0.0.1:6379", 0)
    made = client.connection_pool.make_connection()
    assert made.retry.get_retries() == 0
    assert (made.socket_timeout, made.socket_connect_timeout) == (0.5, 0.5)


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
