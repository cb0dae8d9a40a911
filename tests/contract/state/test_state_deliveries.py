"""Items reach a worker: by the stream, again after a flush or a dead worker, or by the outbox."""

import time

import pytest

from shared.state.queue import CALLS, LEADS, PARTIES, Refused, WorkQueue


@pytest.fixture
def queue(client) -> WorkQueue:
    return WorkQueue(client, PARTIES)


@pytest.fixture
def outbox(client) -> WorkQueue:
    return WorkQueue(client, CALLS, outbox=True)


def items(messages) -> list[str]:
    return [message.item for message in messages]


def test_a_message_is_delivered_to_one_worker_and_leaves_the_stream_with_its_ack(queue, client):
    queue.add("create", ["a", "b"])
    first, second = queue.read("w1", count=1, block_ms=0), queue.read("w2", count=5, block_ms=0)
    assert items(first + second) == ["a", "b"]
    assert queue.ack(first[0].stream_id)
    assert not queue.ack(first[0].stream_id)
    assert client.xlen("vmh:beteiligte:queue") == 1
    assert client.xpending("vmh:beteiligte:queue", "workers")["pending"] == 1


def test_waiting_ends_within_the_socket_timeout(queue):
    queue.read("w", count=1, block_ms=0)
    started = time.monotonic()
    assert queue.read("w", count=1, block_ms=50) == []
    assert time.monotonic() - started < 2
    queue._client.connection_pool.connection_kwargs["socket_timeout"] = 0.5
    assert queue._block(60_000) == 300


def test_what_a_dead_worker_held_is_stolen(queue):
    queue.add("create", ["a", "b"])
    queue.read("dead", count=5, block_ms=0)
    assert queue.steal("alive", 60_000) == []
    time.sleep(0.02)
    stolen = queue.steal("alive", 10)
    assert items(stolen) == ["a", "b"]


def test_a_stolen_message_that_was_deleted_is_skipped(queue, client):
    queue.add("create", ["a"])
    (message,) = queue.read("dead", count=5, block_ms=0)
    client.xdel("vmh:beteiligte:queue", message.stream_id)
    time.sleep(0.01)
    assert queue.steal("alive", 1) == []


def test_stealing_and_reading_work_on_an_empty_server(queue, client):
    assert queue.steal("w", 1) == []
    assert queue.read("w", count=1, block_ms=0) == []
    client.flushall()
    queue.add("create", ["a"])
    assert items(queue.read("w", count=1, block_ms=0)) == ["a"]


def test_a_lost_group_delivers_again(queue, client):
    queue.add("create", ["a"])
    queue.read("w", count=1, block_ms=0)
    client.xgroup_destroy("vmh:beteiligte:queue", "workers")
    assert items(queue.read("w", count=1, block_ms=0)) == ["a"]


def test_a_sweep_announces_what_the_stream_has_lost_and_only_that(queue, client):
    queue.add("create", ["a", "b"])
    queue.add("update", ["c"])
    queue.claim("c", "t")
    assert queue.sweep() == 0
    client.delete("vmh:beteiligte:queue")
    assert queue.sweep() == 2
    assert queue.sweep() == 0
    assert sorted(items(queue.read("w", count=9, block_ms=0))) == ["a", "b"]


def test_members_that_the_predecessor_left_behind_are_swept(queue, client):
    client.sadd("vmh:beteiligte:update_pending", "old")
    assert queue.sweep() == 1
    assert queue.claim("old", "t").ops == {"update"}


def test_a_sweep_leaves_a_long_backlog_alone(client):
    queue = WorkQueue(client, LEADS)
    queue.add("intake", [f"l{n}" for n in range(5001)])
    client.sadd("lead:intake_pending", "lost")
    assert queue.sweep() == 0


def test_the_outbox_keeps_what_the_transport_has_not_taken(outbox, client):
    outbox.add("journal", ["c1", "c2"])
    assert outbox.unsent(older_than_s=0, count=10) == [("journal", "c1"), ("journal", "c2")]
    assert outbox.unsent(older_than_s=5, count=10) == []
    assert outbox.sent("journal", "c1")
    assert not outbox.sent("journal", "c1")
    assert outbox.unsent(older_than_s=0, count=10) == [("journal", "c2")]
    assert outbox.stats().unsent == 1
    assert not client.exists("threecx:queue")


def test_a_claim_proves_the_hand_off(outbox):
    outbox.add("journal", ["c1"])
    outbox.claim("c1", "t")
    assert outbox.unsent(older_than_s=0, count=10) == []


def test_a_hand_off_that_ends_late_does_not_swallow_the_next_one(outbox):
    outbox.add("journal", ["c1"])
    claim = outbox.claim("c1", "t")  # the transport works inside its request
    outbox.add("journal", ["c1"])
    outbox.done(claim)
    assert not outbox.sent("journal", "c1")
    assert outbox.unsent(older_than_s=0, count=1) == [("journal", "c1")]


def test_another_process_may_strike_off_a_hand_off(outbox, client):
    at_us = outbox.add("journal", ["c1"]).at_us
    other = WorkQueue(client, CALLS, outbox=True)
    assert not other.sent("journal", "c1", at_us - 1)
    assert other.sent("journal", "c1", at_us)
    outbox.add("journal", ["c2"])
    assert other.sent("journal", "c2")


def test_due_and_expired_work_goes_to_the_outbox_too(client):
    outbox = WorkQueue(client, CALLS, outbox=True, lease_s=0.02)
    outbox.add("journal", ["c1", "c2"])
    outbox.postpone(outbox.claim("c1", "t1"), 0.0)
    outbox.claim("c2", "t2")
    time.sleep(0.03)
    reaped = outbox.reap()
    assert (reaped.expired, reaped.due) == (1, 1)
    assert sorted(outbox.unsent(older_than_s=0, count=9)) == [("journal", "c1"), ("journal", "c2")]


def test_a_sweep_trusts_another_transport_for_a_while(outbox):
    outbox.add("journal", ["c1"])
    outbox.sent("journal", "c1")
    assert outbox.sweep() == 0
    assert outbox.sweep(older_than_s=0) == 1


def test_a_delete_takes_the_superseded_hand_offs_along(client):
    outbox = WorkQueue(client, PARTIES, outbox=True)
    outbox.add("create", ["a"])
    outbox.add("delete", ["a"])
    assert outbox.unsent(older_than_s=0, count=9) == [("delete", "a")]


def test_redriven_letters_go_to_the_outbox(outbox):
    outbox.add("journal", ["c1"])
    outbox.set_aside(outbox.claim("c1", "t"), "poison")
    assert outbox.claim("c1", "t") is Refused.UNKNOWN
    assert outbox.redrive(outbox.dead(count=1)[0].id)
    assert outbox.unsent(older_than_s=0, count=9) == [("journal", "c1")]


def test_the_age_of_the_oldest_entry_grows_until_it_is_done(queue):
    queue.add("update", ["a"])
    time.sleep(0.02)
    claim = queue.claim("a", "t")
    assert queue.stats().oldest_age_s >= 0.02
    queue.fail(claim, delay_s=60, counts=True, limit=8, error="503")
    assert queue.stats().oldest_age_s >= 0.02
    assert queue.stats().delayed == queue.stats().depth == 1
