"""What is kept of an accepted lead, for how long, and what of it a repeat hears."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from test_leads_store import VAULT, an_arrival, client, server

from shared.state.leads import LeadStore

__all__ = ["client", "server"]
HOUR, DAY = 3600, 86400
RECORD = "lead:record:a1"


@pytest.fixture
def store(client) -> LeadStore:
    return LeadStore(client, VAULT)


def nearly(ttl: int, seconds: int) -> bool:
    return seconds - 60 < ttl <= seconds


def test_a_repeat_hears_what_the_first_was_told(store):
    assert store.accept(an_arrival(answer='{"a":1}')).answer == '{"a":1}'
    again = store.accept(an_arrival(answer='{"a":2}'))
    assert (again.kind, again.lead_id, again.answer) == ("replay", "a1", '{"a":1}')
    other = store.accept(an_arrival(answer='{"a":3}', body_hashes=["other"]))
    assert (other.kind, other.answer) == ("conflict", '{"a":1}')


def test_everything_ends_in_its_time(store, client):
    store.accept(an_arrival(given=False, contents=["c"]))
    assert nearly(client.ttl(RECORD), 30 * DAY)
    assert nearly(client.ttl("lead:who:m"), 30 * DAY)
    assert nearly(client.ttl("lead:who:p"), 30 * DAY)
    assert nearly(client.ttl("lead:visitor:v:hour"), HOUR)
    assert nearly(client.ttl("lead:visitor:v:day"), DAY)
    assert nearly(client.ttl("lead:text:t"), DAY)
    assert nearly(client.ttl("lead:content:c"), HOUR // 2)


def test_a_visitor_s_hour_counts_from_the_first_lead(store, client):
    store.accept(an_arrival())
    client.expire("lead:visitor:v:hour", 100)
    store.accept(an_arrival("a2"))
    assert (client.get("lead:visitor:v:hour"), client.get("lead:visitor:v:day")) == ("2", "2")
    assert client.ttl("lead:visitor:v:hour") <= 100


def test_a_record_says_how_many_came_of_its_visitor_and_with_its_text(store, client):
    for number, who in enumerate((["m"], ["n"], ["n"]), 1):
        store.accept(an_arrival(f"a{number}", who=who))
    kept = [client.hmget(f"lead:record:a{number}", "hour", "day", "text", "state", "id") for number in (1, 2, 3)]
    assert kept == [
        ["1", "1", "1", "angenommen", "a1"],
        ["2", "2", "2", "angenommen", "a2"],
        ["3", "3", "2", "angenommen", "a3"],
    ]


def test_what_is_not_told_is_not_counted(store, client):
    store.accept(an_arrival(visitor="", text="", who=[]))
    assert client.hmget(RECORD, "hour", "day", "text") == ["0", "0", "0"]
    assert not list(client.scan_iter("lead:visitor:*")) + list(client.scan_iter("lead:text:*"))
    assert not list(client.scan_iter("lead:who:*"))


def test_a_revived_lead_is_known(store):
    store.revive("a1", "crm-1")
    again = store.accept(an_arrival(answer='{"a":1}'))
    assert (again.kind, again.lead_id, again.answer) == ("replay", "a1", '{"a":1}')


def test_only_a_derived_key_leaves_a_mark_of_its_content(store, client):
    store.accept(an_arrival(contents=["c"]))
    assert not client.exists("lead:content:c")
    store.accept(an_arrival("a2", given=False, contents=["c"]))
    assert client.get("lead:content:c") == "a2"


def test_the_last_fifty_are_known(store, client):
    for number in range(53):
        store.accept(an_arrival(f"a{number:02}"))
    assert client.zcard("lead:recent") == 50
    assert client.zscore("lead:recent", "a52") is not None


def now_ms(client) -> float:
    seconds, micros = client.time()
    return seconds * 1000 + micros / 1000


def test_a_rate_of_three_a_minute_lets_three_in_at_once_and_the_rest_by_turns(store, client):
    before = now_ms(client)
    for number in range(5):
        store.accept(an_arrival(f"a{number}"), rate_per_minute=3)
    after = now_ms(client)
    assert client.xlen("lead:queue") == 3
    waits = client.zrange("lead:delayed", 0, -1, withscores=True)
    assert [item for item, _ in waits] == ["a3", "a4"]
    for (_, due), seconds in zip(waits, (20, 40), strict=True):
        assert before + seconds * 1000 - 2 <= due <= after + seconds * 1000
    [rate] = client.scan_iter("lead:rate:*")
    assert before + 100_000 - 2 <= float(client.get(rate)) <= after + 100_000
    assert float(client.get(rate)) - now_ms(client) < client.pttl(rate) <= 101_000


def test_without_a_rate_everything_goes_at_once(store, client):
    for number in range(9):
        store.accept(an_arrival(f"a{number}"))
    assert (client.xlen("lead:queue"), client.zcard("lead:delayed")) == (9, 0)
    assert not list(client.scan_iter("lead:rate:*"))
    before = client.zscore("lead:since", "a0")
    assert before is not None
    assert abs(before - now_ms(client)) < 60_000


def test_one_that_is_worked_on_is_not_announced_beside_it(store, client):
    client.zadd("lead:processing", {"a1": now_ms(client) + 60_000})
    store.accept(an_arrival())
    assert client.xlen("lead:queue") == 0
    assert client.sismember("lead:intake_pending", "a1")


def test_a_rate_of_one_a_minute_makes_the_second_wait(store, client):
    for number in range(2):
        store.accept(an_arrival(f"a{number}"), rate_per_minute=1)
    assert (client.xlen("lead:queue"), client.zcard("lead:delayed")) == (1, 1)


def test_one_that_waits_already_waits_since_then(store, client):
    client.zadd("lead:since", {"a1": 1000})
    store.accept(an_arrival())
    assert client.zscore("lead:since", "a1") == 1000


def test_putting_aside_and_erasing_may_be_sent_twice(store, client):
    store.accept(an_arrival())
    for _ in range(2):
        store.keep_payload_for("a1", 3)
        assert (store.load("a1").payload is not None, client.hexists(RECORD, "payload")) == (True, False)
        assert nearly(client.ttl("lead:payload:a1"), 3 * DAY)
    for _ in range(2):
        store.erase("a1")
        assert (store.load("a1").payload, client.exists("lead:payload:a1"), store.is_erased("a1")) == (None, 0, True)
        assert (store.note("a1", state="bestaetigt"), store.is_erased("a1")) == (False, True)
    store.erase("nobody")
    assert (client.exists("lead:record:nobody"), store.is_erased("nobody")) == (0, False)
