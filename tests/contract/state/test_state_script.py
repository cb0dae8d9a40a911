"""Scripts survive a flushed script cache and are repeated only where that is safe."""

from types import SimpleNamespace

import pytest
import redis

from shared.state.script import NotReplicatedError, Script

SAFE = Script("lock_acquire.lua", repeatable=True)
UNSAFE = Script("bucket_take.lua", repeatable=False)
LOCK = ["lock", "dirty", "fence"]


def test_a_script_is_loaded_when_the_server_has_forgotten_it(client):
    assert SAFE(client, LOCK, ["a", 1000]) == 1
    client.script_flush()
    assert SAFE(client, LOCK, ["a", 1000]) == 1


@pytest.mark.parametrize("fault", ["lost", "unsent"])
def test_a_repeatable_script_is_sent_at_most_three_times(unreliable, fault):
    flaky = unreliable(**{fault: 9})
    with pytest.raises((redis.TimeoutError, redis.ConnectionError)):
        SAFE(flaky, LOCK, ["a", 1000])
    assert flaky.sends <= 4  # one more when the script had to be loaded first


def test_a_lost_reply_of_a_repeatable_script_is_asked_for_again(client, unreliable):
    SAFE(client, ["warm", "d", "f"], ["x", 1])
    flaky = unreliable(lost=2)
    assert SAFE(flaky, LOCK, ["a", 1000]) == 1
    assert flaky.sends == 3
    assert client.get("fence") == "1"


def test_an_unrepeatable_script_is_sent_once(client, unreliable):
    UNSAFE(client, ["warm"], [1, 10, 7])
    flaky = unreliable(lost=1)
    with pytest.raises(redis.TimeoutError):
        UNSAFE(flaky, ["bucket"], [1, 0.001, 7])
    assert flaky.sends == 1
    assert float(client.hget("bucket", "tokens")) == pytest.approx(6)


def test_a_slow_failure_is_not_repeated_beyond_the_budget(client, unreliable, monkeypatch):
    SAFE(client, ["warm", "d", "f"], ["x", 1])
    monkeypatch.setattr("shared.state.script.time", SimpleNamespace(monotonic=iter([0.0, 1.5]).__next__))
    flaky = unreliable(lost=3)
    with pytest.raises(redis.TimeoutError):
        SAFE(flaky, LOCK, ["a", 1000])
    assert flaky.sends == 1


def test_a_missing_replica_is_an_error(redis_server):
    client = redis.Redis(port=redis_server.port, decode_responses=True)
    with pytest.raises(NotReplicatedError):
        SAFE(client, LOCK, ["replica", 1000], replicas=1)
    client.flushall()
