"""Every script that may be sent twice has one effect, also when the first reply got lost."""

import pytest

from shared.state import bucket, evidence, lock, queue, token_store
from shared.state.queue import PARTIES, WorkQueue

TOKEN = token_store.TokenKeys.advoware()
LOCK = ["calendar_sync:lock:SB", "calendar_sync:dirty:SB", "calendar_sync:fence:SB"]


def steps(client, outbox: bool):
    """Yield each script call of a whole life, in an order in which each has something to do."""
    q = WorkQueue(client, PARTIES, outbox=outbox)
    yield "add", lambda c: with_client(q, c).add("create", ["a", "b"])
    yield "delete", lambda c: with_client(q, c).add("delete", ["b"])
    yield "claim", lambda c: with_client(q, c).claim("a", "t")
    claim = q.claim("a", "t")
    yield "renew", lambda c: with_client(q, c).renew(claim)
    yield "add during the run", lambda c: with_client(q, c).add("update", ["a"])
    yield "done", lambda c: with_client(q, c).done(claim)
    again = q.claim("a", "t2")
    fails = {"delay_s": 0, "counts": True, "limit": 8, "error": "503"}
    yield "fail", lambda c: with_client(q, c).fail(again, **fails)
    yield "reap", lambda c: with_client(q, c).reap()
    third = q.claim("a", "t3")
    yield "postpone", lambda c: with_client(q, c).postpone(third, 60)
    fourth = q.claim("a", "t4")
    yield "set aside", lambda c: with_client(q, c).set_aside(fourth, "poison")
    letter = q.dead(count=1)[0].id
    yield "redrive", lambda c: with_client(q, c).redrive(letter)
    yield "sweep", lambda c: with_client(q, c).sweep(older_than_s=0)
    yield "unsent", lambda c: with_client(q, c).unsent(older_than_s=0, count=5)
    yield "sent", lambda c: with_client(q, c).sent("create", "a")
    for message in [] if outbox else q.read("w", count=1, block_ms=0):
        yield "ack", lambda c, m=message: with_client(q, c).ack(m.stream_id)
    yield "stats", lambda c: with_client(q, c).stats()
    yield from other_steps()


def other_steps():
    yield "note", lambda c: evidence._NOTE(c, ["upstream:answered"], ["advoware"])
    yield "note of a failure", lambda c: evidence._NOTE(c, ["upstream:failed"], ["advoware", "503"])
    yield "acquire", lambda c: lock._ACQUIRE(c, LOCK, ["t", 60_000])
    yield "acquire held", lambda c: lock._ACQUIRE(c, LOCK, ["other", 60_000])
    yield "renew lock", lambda c: lock._RENEW(c, LOCK[:2], ["t", 60_000])
    yield "release again", lambda c: lock._RELEASE(c, LOCK[:2], ["t", 60_000, 0])
    yield "clear", lambda c: lock._CLEAR(c, LOCK[:2], ["t"])
    yield "release", lambda c: lock._RELEASE(c, LOCK[:2], ["t", 60_000, 0])
    for name in ("lock", "put", "read", "unlock", "invalidate"):
        yield f"token {name}", lambda c, name=name: token_step(token_store.TokenStore(c, TOKEN), name)
    yield "drain", lambda c: bucket._DRAIN(c, ["bucket"], [10, 7])


def token_step(store: token_store.TokenStore, name: str) -> None:
    match name:
        case "lock":
            store.lock("me")
        case "put":
            store.put("secret", 60, 0)
        case "read":
            store.read()
        case "unlock":
            store.unlock("me", failed=True)
        case "invalidate":
            store.invalidate("secret")


def with_client(q: WorkQueue, client) -> WorkQueue:
    twin = WorkQueue(client, PARTIES, outbox=q.outbox)
    twin._handed = q._handed
    return twin


@pytest.mark.parametrize("outbox", [False, True])
def test_a_second_send_changes_nothing(client, snapshot, outbox):
    for name, send in steps(client, outbox):
        send(client)
        once = snapshot()
        send(client)
        assert snapshot() == once, name


@pytest.mark.parametrize("outbox", [False, True])
def test_a_lost_reply_costs_nothing(client, unreliable, snapshot, outbox):
    """The same life with every first reply lost ends like the one without faults."""
    for _, send in steps(client, outbox):
        send(client)
    smooth = snapshot()
    client.flushall()
    for _, send in steps(client, outbox):
        send(unreliable(lost=1))
    assert snapshot() == smooth


def test_every_repeatable_script_is_in_the_list():
    scripts = {
        value.name
        for module in (queue, lock, bucket, evidence, token_store)
        for value in vars(module).values()
        if type(value).__name__ == "Script" and value.repeatable
    }
    assert len(scripts) == 8 + 4 + 1 + 1 + 5
