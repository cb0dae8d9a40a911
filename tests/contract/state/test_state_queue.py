"""The work queue loses nothing, runs nothing twice at once, and gives up only what deserves it."""

import threading
import time

import pytest

from shared.state.queue import EMPLOYEES, PARTIES, Claim, Evidence, Refused, WorkQueue


@pytest.fixture
def queue(client) -> WorkQueue:
    return WorkQueue(client, PARTIES)


def failing(queue: WorkQueue, claim: Claim, **how):
    return queue.fail(claim, **{"delay_s": 0, "counts": True, "limit": 8, "error": "503", **how})


def announced(queue: WorkQueue) -> list[str]:
    messages = queue.read("test", count=100, block_ms=0)
    for message in messages:
        queue.ack(message.stream_id)
    return [message.item for message in messages]


def test_an_id_is_new_once_and_pending_afterwards_in_its_order(queue):
    first = queue.add("create", ["b", "a", "b"])
    second = queue.add("create", ["c", "a"])
    assert (first.new, first.pending) == (["b", "a"], [])
    assert (second.new, second.pending) == (["c"], ["a"])
    assert announced(queue) == ["b", "a", "c"]


def test_the_stream_names_the_request_that_asked_and_a_repeat_by_ourselves_names_none(queue, client):
    queue.add("update", ["a", "b"], "req-1")
    queue.add("update", ["c"])
    failing(queue, queue.claim("a", "me"))
    queue.reap()
    entries = [fields for _, fields in client.xrange(f"{PARTIES.name}:queue")]
    asked = {"request": "req-1"}
    assert entries == [{"item": "a"} | asked, {"item": "b"} | asked, {"item": "c"}, {"item": "a"}]


def test_an_op_nobody_knows_is_refused(queue):
    with pytest.raises(ValueError, match="knows no"):
        queue.add("rename", ["a"])


def test_nothing_to_add_is_fine(queue):
    assert queue.add("create", []).new == []


def test_sixteen_deliveries_of_one_id_announce_it_once(queue, together):
    answers = together(lambda _: queue.add("update", ["a"]))
    assert sum(len(answer.new) for answer in answers) == 1
    assert announced(queue) == ["a"]


def test_a_claim_tells_what_is_to_do_and_takes_it_out_of_the_sets(queue, client):
    queue.add("create", ["a"])
    queue.add("update", ["a"])
    claim = queue.claim("a", "t1")
    assert claim == Claim("a", "t1", frozenset({"create", "update"}), 1, 0)
    assert not client.exists(*PARTIES.sets.values())


def test_a_delete_supersedes_create_and_update(queue):
    for op in ("create", "update", "delete"):
        queue.add(op, ["a"])
    assert queue.claim("a", "t").ops == {"delete"}


def test_sixteen_workers_win_one_claim(queue, together):
    queue.add("update", ["a"])
    answers = together(lambda n: queue.claim("a", f"t{n}"))
    assert sum(isinstance(answer, Claim) for answer in answers) == 1
    assert answers.count(Refused.HELD) == 15


def test_an_id_nobody_waits_for_is_unknown(queue):
    assert queue.claim("a", "t") is Refused.UNKNOWN


def test_a_flush_makes_work_unknown(queue, client):
    queue.add("update", ["a"])
    client.flushall()
    assert queue.claim("a", "t") is Refused.UNKNOWN


def test_a_forced_claim_runs_without_an_entry_but_not_beside_another(queue):
    claim = queue.claim("a", "t1", force_op="update")
    assert claim.ops == {"update"}
    assert queue.claim("a", "t2", force_op="update") is Refused.HELD
    assert queue.done(claim)


def test_a_finished_run_leaves_nothing_behind(queue, client):
    queue.add("update", ["a"])
    announced(queue)
    queue.done(queue.claim("a", "t"))
    assert set(client.keys()) == {"vmh:beteiligte:queue", "vmh:beteiligte:fence"}
    assert queue.stats().depth == queue.stats().processing == queue.stats().oldest_age_s == 0


def test_an_update_during_a_run_is_run_afterwards(queue):
    queue.add("update", ["a"])
    claim = queue.claim("a", "t1")
    announced(queue)
    assert queue.add("update", ["a"]).new == ["a"]
    assert announced(queue) == []
    assert queue.claim("a", "t2") is Refused.HELD
    assert queue.done(claim)
    assert announced(queue) == ["a"]
    assert queue.claim("a", "t3").fence == 2


def test_only_the_owner_renews_ends_and_fails(queue):
    queue.add("update", ["a"])
    claim = queue.claim("a", "t1")
    stranger = Claim("a", "t2", claim.ops, claim.fence, 0)
    assert not queue.renew(stranger)
    assert not queue.done(stranger)
    assert failing(queue, stranger).kind == "lost"
    assert queue.renew(claim)
    assert queue.done(claim)
    assert not queue.done(claim)


def test_a_token_that_would_break_the_record_is_refused(queue):
    for token in ("", "a|b"):
        with pytest.raises(ValueError, match="token"):
            queue.claim("a", token)


def test_the_work_of_a_dead_worker_is_given_back(client):
    queue = WorkQueue(client, PARTIES, lease_s=0.5)
    queue.add("delete", ["a"])
    dead = queue.claim("a", "t1")
    announced(queue)
    assert queue.reap().expired == 0
    time.sleep(0.55)  # a lease ends by the clock of Redis, which no test can set
    assert queue.reap().expired == 1
    assert queue.reap().expired == 0
    assert announced(queue) == ["a"]
    assert not queue.renew(dead)
    assert queue.claim("a", "t2").ops == {"delete"}


def test_an_expired_lease_is_taken_over_with_a_higher_fence(client):
    queue = WorkQueue(client, PARTIES, lease_s=0.03)
    queue.add("create", ["a"])
    first = queue.claim("a", "t1")
    time.sleep(0.05)
    second = queue.claim("a", "t2")
    assert second.ops == {"create"}
    assert second.fence > first.fence
    assert not queue.done(first)


def test_a_failed_run_waits_and_comes_back(queue):
    queue.add("update", ["a"])
    announced(queue)
    failed = failing(queue, queue.claim("a", "t1"), delay_s=0.05)
    assert (failed.kind, failed.attempts) == ("delayed", 1)
    assert queue.stats().delayed == 1
    assert queue.reap().due == 0
    assert queue.sweep() == 0
    time.sleep(0.07)
    assert queue.reap().due == 1
    assert announced(queue) == ["a"]
    assert queue.claim("a", "t2").attempts == 1


def test_the_eighth_failure_is_the_last_and_the_dead_letter_comes_back_on_demand(queue):
    queue.add("update", ["poison"])
    kinds = [failing(queue, queue.claim("poison", f"t{n}")).kind for n in range(8)]
    assert kinds == ["delayed"] * 7 + ["dead"]
    assert queue.claim("poison", "t") is Refused.UNKNOWN
    (letter,) = queue.dead(count=10)
    assert (letter.item, letter.ops, letter.attempts, letter.error) == ("poison", {"update"}, 8, "503")
    assert abs(letter.at_ms / 1000 - time.time()) < 60
    assert queue.dead_letter(letter.id) == letter
    assert queue.stats().dead == 1
    announced(queue)
    assert queue.redrive(letter.id)
    assert not queue.redrive(letter.id)
    assert announced(queue) == ["poison"]
    assert queue.claim("poison", "t").attempts == 0


def test_a_dead_letter_can_be_discarded_and_a_strange_id_is_nobody(queue):
    queue.add("update", ["a"])
    queue.set_aside(queue.claim("a", "t"), "no such party")
    (letter,) = queue.dead(count=1)
    assert queue.dead_letter("*") is None
    assert not queue.redrive("0-0-0")
    assert queue.discard(letter.id)
    assert not queue.discard(letter.id)
    assert queue.dead_letter(letter.id) is None
    assert queue.claim("a", "t") is Refused.UNKNOWN


def test_a_dead_letter_takes_along_what_came_during_its_last_run(queue):
    queue.add("update", ["a"])
    claim = queue.claim("a", "t")
    queue.add("create", ["a"])
    assert queue.set_aside(claim, "poison")
    assert queue.dead(count=1)[0].ops == {"create", "update"}
    assert queue.stats().depth == 0


def test_an_outage_counts_no_attempts_but_does_not_last_for_ever(queue):
    queue.add("update", ["a"])
    for n in range(20):
        assert failing(queue, queue.claim("a", f"t{n}"), counts=False).kind == "delayed"
    assert queue.claim("a", "x").attempts == 0
    time.sleep(0.02)
    given_up = failing(queue, Claim("a", "x", frozenset(), 0, 0), counts=False, max_age_s=0.01)
    assert given_up.kind == "dead"


def test_a_calendar_run_is_dropped_without_a_dead_letter(client):
    queue = WorkQueue(client, EMPLOYEES)
    queue.add("sync", ["SB"])
    how = {"limit": 2, "exhausted": "drop"}
    assert failing(queue, queue.claim("SB", "t1"), **how).kind == "delayed"
    claim = queue.claim("SB", "t2")
    assert failing(queue, claim, **how).kind == "dropped"
    assert queue.claim("SB", "t3") is Refused.UNKNOWN
    assert queue.stats().dead == 0


def test_a_trigger_during_a_dropped_run_is_run(client):
    queue = WorkQueue(client, EMPLOYEES)
    queue.add("sync", ["SB"])
    claim = queue.claim("SB", "t1")
    queue.add("sync", ["SB"])
    announced(queue)
    assert failing(queue, claim, limit=1, exhausted="drop").kind == "dropped"
    assert announced(queue) == ["SB"]
    assert queue.claim("SB", "t2").attempts == 0


def test_postponed_work_has_not_failed(queue):
    queue.add("update", ["a"])
    announced(queue)
    assert queue.postpone(queue.claim("a", "t"), 0.0)
    assert queue.previous_attempt_ms("a") is None
    assert queue.reap().due == 1
    assert announced(queue) == ["a"]
    assert queue.claim("a", "t").attempts == 0


def test_success_forgets_earlier_failures(queue):
    queue.add("update", ["a"])
    failing(queue, queue.claim("a", "t1"))
    assert queue.previous_attempt_ms("a") is not None
    queue.done(queue.claim("a", "t2"))
    queue.add("update", ["a"])
    assert queue.claim("a", "t3").attempts == 0
    assert queue.previous_attempt_ms("a") is None


def test_an_attempt_counts_only_if_somebody_was_answered_since_the_previous_one(queue, client):
    evidence = Evidence(client, clock=iter(range(0, 100, 2)).__next__)
    assert not evidence.answered_since("advoware", None)
    evidence.note("advoware")
    assert evidence.answered_since("advoware", None)
    time.sleep(0.01)
    queue.add("update", ["a"])
    failing(queue, queue.claim("a", "t"))
    previous = queue.previous_attempt_ms("a")
    assert not evidence.answered_since("advoware", previous)
    time.sleep(0.01)
    evidence.note("advoware")
    assert evidence.answered_since("advoware", previous)
    assert evidence.last_ms("espocrm") is None


def test_a_failure_is_remembered_beside_the_last_good_answer(client):
    evidence = Evidence(client, clock=iter(range(0, 100, 2)).__next__)
    assert evidence.heard() == {}
    evidence.note("advoware")
    evidence.note("advoware", "timeout")
    evidence.note("google", "503")
    heard = evidence.heard()
    assert (heard["advoware"].failure, heard["google"].failure, heard["google"].good_ms) == ("timeout", "503", None)
    assert 0 <= heard["advoware"].failed_ms - heard["advoware"].good_ms < 60_000


def test_a_failure_does_not_hide_a_good_answer_of_the_same_second(client):
    evidence = Evidence(client, clock=lambda: 1.0)
    evidence.note("advoware", "503")
    evidence.note("advoware")
    assert evidence.last_ms("advoware") is not None


def test_evidence_is_written_once_a_second_and_never_in_the_way(down):
    evidence = Evidence(down, clock=lambda: 1.0)
    evidence.note("advoware")
    asked = down.asked
    evidence._noted["advoware"] = 0.5
    evidence.note("advoware")
    assert down.asked == asked


def test_no_run_overlaps_and_every_update_is_seen(client, together):
    """Sixteen threads add and work; the last run of each id starts after its last add."""
    queue = WorkQueue(client, PARTIES)
    running, overlaps, guard = set(), [], threading.Lock()
    version, seen = dict.fromkeys("abcd", 0), dict.fromkeys("abcd", 0)

    def work(token: str) -> None:
        for message in queue.read(token, count=2, block_ms=0):
            claim = queue.claim(message.item, f"{token}-{message.stream_id}")
            if isinstance(claim, Claim):
                with guard:
                    overlaps.extend([message.item] if message.item in running else [])
                    running.add(message.item)
                read = version[message.item]
                time.sleep(0.001)
                with guard:
                    seen[message.item] = read
                    running.discard(message.item)
                assert queue.done(claim)
            queue.ack(message.stream_id)

    def both(n: int) -> None:
        for step in range(6):
            item = "abcd"[(n + step) % 4]
            with guard:
                version[item] += 1
            queue.add("update", [item])
            work(f"w{n}")

    queue.read("first", count=1, block_ms=0)
    together(both)
    for _ in range(20):
        work("last")
    assert overlaps == []
    assert seen == version
    assert queue.stats().depth == queue.stats().processing == 0
    assert client.xlen("vmh:beteiligte:queue") == 0
