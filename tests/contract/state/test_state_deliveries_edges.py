"""The edges of reading, stealing and handing off."""

import pytest
import redis

from shared.state import connection
from shared.state.deliveries import _messages
from shared.state.queue import CALLS, PARTIES, WorkQueue

STREAM = "vmh:beteiligte:queue"


@pytest.fixture
def queue(client) -> WorkQueue:
    return WorkQueue(client, PARTIES)


@pytest.fixture
def outbox(client) -> WorkQueue:
    return WorkQueue(client, CALLS, outbox=True)


@pytest.mark.parametrize(
    ("timeout_s", "asked_ms", "waits_ms"),
    [(None, 700, 700), (None, 1, 1), (None, 0, None), (5.0, 700, 700), (0.5, 700, 300), (0.001, 700, None)],
)
def test_nobody_waits_longer_than_the_socket_and_no_time_at_all_means_not_to_wait(queue, timeout_s, asked_ms, waits_ms):
    queue._client.connection_pool.connection_kwargs["socket_timeout"] = timeout_s
    assert queue._block(asked_ms) == waits_ms


def test_only_so_many_hand_offs_are_remembered_and_the_oldest_go_first(outbox):
    for number in range(10_001):
        outbox._remember(f"journal|c{number}", number)
    assert len(outbox._handed) == 10_000
    assert next(iter(outbox._handed)) == "journal|c1"


def test_a_hand_off_is_compared_with_the_first_time_it_was_seen(outbox):
    outbox._remember("journal|c1", 5)
    outbox._remember("journal|c1", 9)
    assert outbox._handed == {"journal|c1": 5}


def test_what_is_listed_is_remembered_with_its_newest_time(outbox, client):
    outbox.add("journal", ["c1"])
    client.zadd("threecx:unsent", {"journal|c1": 1_000_000})
    assert outbox.unsent(older_than_s=0, count=9) == [("journal", "c1")]
    assert outbox._handed == {"journal|c1": 1_000_000}
    client.zadd("threecx:unsent", {"journal|c1": 1_000_001})
    assert not outbox.sent("journal", "c1")
    assert outbox._handed == {}
    assert outbox.sent("journal", "c1")  # seen by nobody: whatever is there


def test_the_oldest_are_listed_first_and_only_so_many(outbox, client):
    now = int(client.time()[0]) * 1_000_000
    ages = {"c1": 8, "c2": 30, "c3": 20, "c4": 1}
    client.zadd("threecx:unsent", {f"journal|{item}": now - age * 1_000_000 for item, age in ages.items()})
    listed = outbox.unsent(older_than_s=5, count=2)
    assert listed == [("journal", "c2"), ("journal", "c3")]
    assert len(outbox.unsent(older_than_s=5, count=9)) == 3


def test_all_of_a_dead_worker_is_stolen_page_by_page(queue, client):
    queue.add("update", [f"id-{number}" for number in range(250)])
    assert len(queue.read("dead", count=250, block_ms=0)) == 250
    stolen = queue.steal("alive", 0)
    assert [message.item for message in stolen] == [f"id-{number}" for number in range(250)]
    waiting = client.xpending_range(STREAM, "workers", "-", "+", 999)
    assert {each["consumer"] for each in waiting} == {"alive"}


def test_a_group_that_is_lost_comes_back_at_its_beginning(queue, client):
    queue.add("update", ["a"])
    client.xgroup_create(STREAM, "workers", id="$")
    client.xgroup_destroy(STREAM, "workers")
    assert [message.item for message in queue.read("w", count=9, block_ms=0)] == ["a"]


def test_a_group_that_another_has_made_meanwhile_will_do(queue, client):
    client.xgroup_create(STREAM, "workers", id="0", mkstream=True)
    queue._regroup(redis.ResponseError("NOGROUP No such key"))
    queue._regroup(redis.ResponseError("UNBLOCKED the stream key no longer exists"))
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        queue._regroup(redis.ResponseError("WRONGTYPE Operation against a key"))


@pytest.mark.parametrize("words", ["NOGROUP", "no such key", "The XGROUP subcommand requires the key to exist"])
def test_each_way_of_missing_a_group_is_understood(queue, client, words):
    queue._regroup(redis.ResponseError(words))
    assert client.xinfo_groups(STREAM)[0]["name"] == "workers"


def test_a_stream_of_another_kind_is_an_error_not_an_empty_answer(redis_server):
    client = connection.connect(redis_server.url, 1, timeout_s=5)
    client.flushall()
    client.set(STREAM, "x")
    queue = WorkQueue(client, PARTIES)
    for look in (lambda: queue.read("w", count=1, block_ms=0), lambda: queue.steal("w", 0)):
        with pytest.raises(redis.ResponseError):
            look()
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        queue._regroup(redis.ResponseError("NOGROUP"))


def test_a_group_that_never_comes_back_is_nothing_to_read_after_two_tries(queue, client, monkeypatch):
    tries = []

    def missing(*_: object, **__: object) -> None:
        tries.append(1)
        raise redis.ResponseError("NOGROUP")

    monkeypatch.setattr(client, "xreadgroup", missing)
    assert queue.read("w", count=1, block_ms=0) == []
    assert len(tries) == 2


def test_stealing_from_an_empty_server_makes_the_group(queue, client):
    assert queue.steal("w", 0) == []
    assert client.xinfo_groups(STREAM)[0]["name"] == "workers"


def test_messages_that_were_deleted_come_without_fields_or_not_at_all():
    entries = [None, (None, None), ("1-0", None), ("2-0", {}), ("3-0", {"item": "a"})]
    assert [message.stream_id for message in _messages(entries)] == ["3-0"]
