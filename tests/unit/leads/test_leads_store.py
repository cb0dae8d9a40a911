"""The store's scripts on both servers: one effect however often they are sent, and nothing readable inside."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fakeredis
import pytest
import redis

sys.path.insert(0, str(Path(__file__).parents[2]))

from redis_server import running

from shared.crypto import UnreadableError, Vault
from shared.state import connection, recent
from shared.state.leads import Arrival, LeadStore

VAULT = Vault([b"k" * 32])


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with running() as started:
        yield started


@pytest.fixture(params=["fakeredis", "redis"])
def client(request) -> redis.Redis:
    if request.param == "fakeredis":
        return fakeredis.FakeRedis(server=fakeredis.FakeServer(), decode_responses=True)
    real = connection.connect(request.getfixturevalue("server").url, 0, timeout_s=5)
    real.flushall()
    return real


class Lossy:
    """Loses the first reply of every script."""

    def __init__(self, client: redis.Redis) -> None:
        self._client, self.lost = client, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def evalsha(self, *args: Any) -> Any:
        answer = self._client.evalsha(*args)
        self.lost += 1
        if self.lost % 2:
            raise redis.TimeoutError("lost")
        return answer


def an_arrival(lead_id: str = "a1", **more: Any) -> Arrival:
    given = {"body_hashes": ["b"], "payload": b"geheim", "visitor": "v", "text": "t", "who": ["m", "p"]}
    return Arrival(lead_id, **{**given, **more})


def test_a_lost_reply_is_no_replay(client):
    store = LeadStore(Lossy(client), VAULT)
    assert store.accept(an_arrival()).kind == "new"
    assert store.accept(an_arrival()).kind == "replay"
    assert store.accept(an_arrival(body_hashes=["other"])).kind == "conflict"
    assert (client.xlen("lead:queue"), client.get("lead:visitor:v:hour")) == (1, "1")


def test_mark_pending_and_payload_come_in_one_step(client):
    LeadStore(client, VAULT).accept(an_arrival())
    assert client.smembers("lead:intake_pending") == {"a1"}
    assert [fields for _, fields in client.xrange("lead:queue")] == [{"item": "a1"}]
    LeadStore(client, VAULT).accept(an_arrival("a2", body_hashes=["c"], request_id="req-1"))
    assert [fields for _, fields in client.xrange("lead:queue")][1:] == [{"item": "a2", "request": "req-1"}]
    assert client.hget("lead:record:a1", "payload")


def test_with_an_outbox_the_transport_is_told(client):
    LeadStore(client, VAULT, outbox=True).accept(an_arrival())
    assert client.zrange("lead:unsent", 0, -1) == ["intake|a1"]
    assert client.xlen("lead:queue") == 0


def test_the_content_s_half_hour_counts_from_the_first(client):
    store = LeadStore(client, VAULT)
    first = an_arrival("a1", given=False, contents=["c"])
    assert store.accept(first).kind == "new"
    client.pexpire("lead:content:c", 500)
    assert store.accept(an_arrival("a2", given=False, contents=["c"])).lead_id == "a1"
    assert client.pttl("lead:content:c") <= 500
    client.delete("lead:content:c")
    assert store.accept(an_arrival("a2", given=False, contents=["c"])).kind == "new"


def test_a_key_from_before_a_rotation_is_known(client):
    old, new = b"o" * 32, b"n" * 32
    LeadStore(client, Vault([old])).accept(an_arrival("old"))
    store = LeadStore(client, Vault([new, old]))
    assert store.accept(an_arrival("new", body_hashes=["n", "b"], older_ids=["old"])).kind == "replay"
    assert store.accept(an_arrival("new", body_hashes=["n", "x"], older_ids=["old"])).kind == "conflict"
    assert store.load("old").payload == b"geheim"
    assert client.hget("lead:record:old", "body") == "b"


def test_content_marked_before_a_rotation_is_known(client):
    store = LeadStore(client, VAULT)
    store.accept(an_arrival("old", given=False, contents=["o"]))
    again = store.accept(an_arrival("new", given=False, body_hashes=["n"], contents=["n", "o"]))
    assert (again.kind, again.lead_id) == ("replay", "old")
    assert client.exists("lead:record:new") == 0


def test_a_mark_of_a_rotation_ago_holds_on(client):
    store = LeadStore(client, VAULT)
    assert store.once("old", "a", 60) == "a"
    assert store.once("new", "b", 60, ["old"]) == "a"
    assert client.exists("lead:once:new") == 0
    assert store.once("new", "b", 60, ["gone"]) == "b"


def test_every_address_and_number_of_a_sender_leads_to_the_lead(client):
    store = LeadStore(client, VAULT)
    store.accept(an_arrival(who=["m", "p", "q"]))
    assert [store.ids_of([each]) for each in ("m", "p", "q", "x")] == [["a1"], ["a1"], ["a1"], []]
    assert 0 < client.ttl("lead:who:q") <= 30 * 86400


def test_beyond_the_rate_each_lead_gets_its_minute(client):
    store = LeadStore(client, VAULT)
    for n in range(6):
        store.accept(an_arrival(f"a{n}"), rate_per_minute=3)
    due = [score for _, score in client.zrange("lead:delayed", 0, -1, withscores=True)]
    assert (client.xlen("lead:queue"), len(due)) == (3, 3)
    assert due == sorted(due)
    assert 19_000 < due[1] - due[0] < 21_000


def test_the_sealed_text_opens_under_its_own_name_only():
    sealed = VAULT.seal(b"geheim", "a")
    assert b"geheim" not in sealed.encode()
    assert VAULT.open(sealed, "a") == b"geheim"
    assert sealed != VAULT.seal(b"geheim", "a")
    for other, name in ((VAULT, "b"), (Vault([b"x" * 32]), "a")):
        with pytest.raises(UnreadableError):
            other.open(sealed, name)
    with pytest.raises(UnreadableError):
        VAULT.open(sealed[:-8] + "AAAAAAA=", "a")


def test_two_workers_never_hold_the_same_address(client):
    store = LeadStore(client, VAULT)
    with store.holding(["m", "p"], "a") as first, store.holding(["p", "x"], "b") as second:
        assert (first, second) == (True, False)
        assert client.get("lead:held:x") is None
    with store.holding(["x", "p"], "b") as third, store.holding(["p"], "b") as again:
        assert third
        assert again


def test_notes_bring_no_record_back(client):
    store = LeadStore(client, VAULT)
    assert not store.note("gone", state="x")
    assert client.keys() == []


def test_the_last_leads_are_known_by_id_and_time_only(client):
    store = LeadStore(client, VAULT)
    for number in range(60):
        store.accept(an_arrival(f"a{number}", given=False, contents=[f"c{number}"]))
    store.accept(an_arrival("a59", given=False, contents=["c59"]))
    last = recent.last(client, recent.LEADS)
    assert len(last) == recent.KEPT
    assert {item for item, _ in last} < {f"a{number}" for number in range(60)}
    assert [at_ms for _, at_ms in last] == sorted((at_ms for _, at_ms in last), reverse=True)
