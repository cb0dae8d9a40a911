"""The numbers of the queue's protocol, each at its edge."""

from typing import Any

import pytest

from shared.state import connection
from shared.state.queue import PARTIES, WorkQueue

HOUR_MS = 3600 * 1000
QUEUE = "vmh:beteiligte"


@pytest.fixture
def queue(client) -> WorkQueue:
    return WorkQueue(client, PARTIES)


def now_ms(client) -> int:
    seconds, micros = client.time()
    return seconds * 1000 + micros // 1000


def failing_since(queue: WorkQueue, client, ms_ago: int) -> str:
    """Let an outage go on for an item that failed first so long ago; tell what becomes of it."""
    first = now_ms(client) - ms_ago
    queue.add("update", ["a"])
    claim = queue.claim("a", "t")
    client.hset(f"{QUEUE}:attempts", "a", f"1|{first}|{now_ms(client)}")
    return queue.fail(claim, delay_s=0, counts=False, limit=8, error="503").kind


def test_a_lease_lasts_two_minutes_where_nobody_says_otherwise(queue, client):
    queue.add("update", ["a"])
    claimed = queue.claim("a", "t")
    for _ in range(2):
        left_ms = client.zscore(f"{QUEUE}:processing", "a") - now_ms(client)
        assert 60_000 < left_ms <= 120_000
        client.zadd(f"{QUEUE}:processing", {"a": now_ms(client) + 5000})
        assert queue.renew(claimed)


@pytest.mark.parametrize(("ms_ago", "kind"), [(72 * HOUR_MS - 60_000, "delayed"), (72 * HOUR_MS + 1, "dead")])
def test_an_outage_is_waited_out_for_three_days(queue, client, ms_ago, kind):
    assert failing_since(queue, client, ms_ago) == kind


def test_the_words_of_an_error_are_cut(queue):
    queue.add("update", ["a", "b"])
    queue.fail(queue.claim("a", "t"), delay_s=0, counts=True, limit=1, error="x" * 900)
    queue.set_aside(queue.claim("b", "t"), "y" * 900)
    assert [letter.error for letter in queue.dead(count=9)] == ["x" * 500, "y" * 500]


def test_a_delay_is_as_long_as_was_asked_for(queue, client):
    queue.add("update", ["a", "b"])
    queue.fail(queue.claim("a", "t"), delay_s=30, counts=True, limit=8, error="503")
    queue.postpone(queue.claim("b", "t"), 30)
    for item in "ab":
        assert 20_000 < client.zscore(f"{QUEUE}:delayed", item) - now_ms(client) <= 30_000


def test_more_dead_workers_than_fit_one_round_are_reaped_in_two(client, unreliable):
    counting = unreliable()
    queue = WorkQueue(counting, PARTIES)
    queue.reap()
    before = counting.sends
    client.zadd(f"{QUEUE}:processing", {f"id-{number}": 1 for number in range(501)})
    reaped = queue.reap()
    assert (reaped.expired, reaped.due, client.zcard(f"{QUEUE}:processing")) == (501, 0, 0)
    assert counting.sends - before == 2
    assert client.xlen(f"{QUEUE}:queue") == 0  # nobody had told of anything to do


def test_more_due_entries_than_fit_one_round_are_enqueued_in_two(queue, client):
    ids = [f"id-{number}" for number in range(501)]
    client.sadd(PARTIES.sets["update"], *ids)
    client.zadd(f"{QUEUE}:delayed", dict.fromkeys(ids, 1))
    assert queue.reap().due == 501
    assert client.xlen(f"{QUEUE}:queue") == 501


def test_the_oldest_entry_and_the_oldest_letter_tell_their_age_in_seconds(queue, client):
    client.zadd(f"{QUEUE}:since", {"a": now_ms(client) - 30_000})
    fields: dict[Any, Any] = {"item": "b", "ops": "update", "attempts": 8, "error": "503"}
    client.xadd(f"{QUEUE}:dead", fields, id=f"{now_ms(client) - 70_000}-0")
    stats = queue.stats()
    assert 29 < stats.oldest_age_s < 1000
    assert 69 < stats.oldest_dead_age_s < 1000


def test_without_entries_and_letters_nothing_is_old(queue):
    assert (queue.stats().oldest_age_s, queue.stats().oldest_dead_age_s) == (0, 0)


def test_an_id_that_is_brought_to_its_worker_waits_from_then_on(queue, client):
    before = now_ms(client)
    queue.claim("a", "t", force_op="update")
    assert before <= client.zscore(f"{QUEUE}:since", "a") <= now_ms(client)


def test_a_large_set_is_swept_in_several_calls_and_to_its_end(redis_server):
    client = connection.connect(redis_server.url, 1, timeout_s=5)
    client.flushall()
    members = [f"id-{number}" for number in range(9000)]
    client.sadd(PARTIES.sets["update"], *members)
    queue = WorkQueue(client, PARTIES, outbox=True)
    first = queue.sweep(older_than_s=0)
    assert 4000 < first < 7500
    assert first + queue.sweep(older_than_s=0) >= 9000
    assert client.zcard(f"{QUEUE}:unsent") == 9000


def test_a_sweep_leaves_a_fresh_hand_off_to_its_transport_for_five_minutes(client):
    queue = WorkQueue(client, PARTIES, outbox=True)
    queue.add("update", ["young", "old"])
    client.delete(f"{QUEUE}:unsent")
    client.zadd(f"{QUEUE}:since", {"young": now_ms(client) - 290_000, "old": now_ms(client) - 301_000})
    assert queue.sweep() == 1
    assert client.zrange(f"{QUEUE}:unsent", 0, -1) == ["update|old"]


def test_a_letter_that_is_put_back_waits_from_then_on(queue, client):
    queue.add("update", ["a"])
    queue.set_aside(queue.claim("a", "t"), "poison")
    assert client.zscore(f"{QUEUE}:since", "a") is None
    before = now_ms(client)
    assert queue.redrive(queue.dead(count=1)[0].id)
    assert before <= client.zscore(f"{QUEUE}:since", "a") <= now_ms(client)


def test_an_id_that_waits_in_two_ways_waits_since_the_first(queue, client):
    queue.add("create", ["a"])
    client.zadd(f"{QUEUE}:since", {"a": 1000})
    queue.add("update", ["a"])
    assert client.zscore(f"{QUEUE}:since", "a") == 1000


def test_a_delay_that_ends_for_nobody_announces_nothing(queue, client):
    client.zadd(f"{QUEUE}:delayed", {"a": 1})
    assert queue.reap().due == 1
    assert client.xlen(f"{QUEUE}:queue") == client.zcard(f"{QUEUE}:delayed") == 0


def test_a_sweep_passes_over_what_was_done_while_it_looked(queue, client, monkeypatch):
    monkeypatch.setattr(client, "sscan", lambda *_, **__: (0, ["gone"]))
    assert queue.sweep() == 0
    assert client.xlen(f"{QUEUE}:queue") == 0


def test_what_a_sweep_finds_without_a_time_waits_from_then_on(queue, client):
    client.sadd(PARTIES.sets["update"], "a")
    before = now_ms(client)
    assert queue.sweep() == 1
    assert before <= client.zscore(f"{QUEUE}:since", "a") <= now_ms(client)


def test_what_a_sweep_finds_with_a_time_has_waited_since_then(queue, client):
    queue.add("update", ["a"])
    client.delete(f"{QUEUE}:queue")
    client.zadd(f"{QUEUE}:since", {"a": 1000})
    assert queue.sweep() == 1
    assert client.zscore(f"{QUEUE}:since", "a") == 1000


@pytest.mark.parametrize("odd", ["1-0x", "x1-0", "1-0\n", "1", "-", "+", "1-0-0", "1" * 21 + "-0"])
def test_what_is_no_id_of_a_letter_is_nobody_s(queue, odd):
    assert queue.dead_letter(odd) is None
    assert not queue.redrive(odd)
    assert not queue.discard(odd)
