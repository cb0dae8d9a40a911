"""All callers together stay below the rate and come close to it."""

import threading
import time

import pytest
from redis_server import RedisServer

from shared.state import connection
from shared.state.bucket import Bucket, RateLimited

RATE_S = 593 / 60


def test_seven_pass_at_once_and_the_eighth_waits(client):
    bucket = Bucket(client)
    assert [bucket.take() for _ in range(7)] == [0.0] * 7
    assert 0.05 < bucket.take() <= 0.102
    assert client.type("google_calendar_api_tokens") == "hash"
    assert set(client.hgetall("google_calendar_api_tokens")) == {"tokens", "ts"}
    assert 2000 < client.pttl("google_calendar_api_tokens") <= 2418


def test_several_units_are_taken_together_or_not_at_all(client):
    bucket = Bucket(client)
    assert bucket.take(5) == 0
    assert 0.25 < bucket.take(5) <= 0.304
    assert bucket.take(2) == 0
    with pytest.raises(ValueError, match="1 to 7"):
        bucket.take(8)


def test_a_clock_that_goes_back_refills_nothing(client):
    bucket = Bucket(client)
    bucket.take(7)
    client.hset("google_calendar_api_tokens", "ts", str(int((time.time() + 3600) * 1e6)))
    assert bucket.take() > 0.09
    time.sleep(0.12)
    assert bucket.take() == 0


def test_idle_time_fills_it_to_seven_and_no_further(client):
    bucket = Bucket(client)
    bucket.take()
    time.sleep(0.3)
    assert bucket.take(7) == 0
    assert bucket.take() > 0


def test_a_drained_bucket_is_empty(client):
    bucket = Bucket(client)
    bucket.drain()
    assert bucket.take() > 0.09


def test_a_rate_below_the_burst_is_refused(client):
    with pytest.raises(ValueError, match="exceed"):
        Bucket(client, rate_per_minute=5)


def test_a_deadline_that_cannot_be_met_is_told_at_once(client):
    bucket = Bucket(client, clock=lambda: 50.0)
    bucket.take(7)
    with pytest.raises(RateLimited) as caught:
        bucket.acquire(7, deadline=50.5)
    assert 0.6 < caught.value.retry_after_s < 0.72


def test_a_lost_reply_is_not_asked_for_again(client, unreliable):
    Bucket(client).take()
    flaky = unreliable(lost=1)
    assert Bucket(flaky).take() == 0.0  # granted by the local share
    assert flaky.sends == 1
    assert float(client.hget("google_calendar_api_tokens", "tokens")) < 6


def test_without_redis_a_process_keeps_to_its_share(down):
    now = [0.0]
    bucket = Bucket(down, clock=lambda: now[0], sleep=lambda s: now.__setitem__(0, now[0] + s), random=lambda: 0.0)
    granted = 0
    while now[0] < 60:
        bucket.acquire()
        granted += 1
    assert 140 < granted <= 7 / 4 + RATE_S / 4 * 61
    bucket.drain()
    assert bucket.take() > 0.3


def test_without_redis_several_units_are_paid_off_afterwards(down):
    now = [0.0]
    bucket = Bucket(down, clock=lambda: now[0])
    assert bucket.take(7) == 0
    assert bucket.take(1) > 2
    assert Bucket(None).take() == 0


def worst_window(times: list[float]) -> float:
    """Find by how much any window of time holds more grants than allowed."""
    return max(
        (j - i + 1) - (7 + RATE_S * (times[j] - times[i])) for i in range(len(times)) for j in range(i, len(times))
    )


def hammer(buckets: list[Bucket], seconds: float) -> list[float]:
    granted: list[float] = []
    ends = time.monotonic() + seconds

    def work(bucket: Bucket) -> None:
        while time.monotonic() < ends:
            try:
                bucket.acquire(deadline=ends)
            except RateLimited:
                return
            granted.append(time.monotonic())

    threads = [threading.Thread(target=work, args=(bucket,)) for bucket in buckets for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(granted)


def test_every_window_stays_below_the_bound_and_the_rate_is_used(client):
    granted = hammer([Bucket(client)], 3.0)
    assert worst_window(granted) <= 0.3  # the moment a thread notes its grant is not the moment Redis gave it
    assert len(granted) >= 0.95 * (7 + RATE_S * 3.0) - 1


def test_several_processes_share_one_bucket(redis_server: RedisServer):
    clients = [connection.connect(redis_server.url, 2, timeout_s=5) for _ in range(3)]
    clients[0].flushdb()
    granted = hammer([Bucket(client) for client in clients], 3.0)
    assert worst_window(granted) <= 0.3
    assert len(granted) >= 0.95 * (7 + RATE_S * 3.0) - 1
