"""One employee is synced by one run at a time, and a trigger that came too soon is not forgotten."""

import threading
import time

import pytest
import redis

from shared.state import keys
from shared.state.lock import EmployeeLocks, LockLost, dirty_without_lock


class Ticking:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def locks(client, clock) -> EmployeeLocks:
    return EmployeeLocks(client, clock=clock)


def test_the_second_comer_leaves_a_mark(locks, client):
    held = locks.acquire("SB")
    assert held.fence == 1
    assert not client.exists(keys.dirty("SB"))
    assert locks.acquire("SB") is None
    assert client.exists(keys.dirty("SB"))
    assert locks.acquire("AB").fence == 1


def test_sixteen_threads_win_one_lock(locks, together):
    assert sum(held is not None for held in together(lambda _: locks.acquire("SB"))) == 1


def test_the_lock_lives_five_minutes_under_the_key_of_the_original(locks, client):
    locks.acquire("SB")
    assert 295_000 < client.pttl("calendar_sync:lock:SB") <= 300_000
    assert 295 < locks.rest_s("SB") <= 300
    assert locks.rest_s("AB") == 0
    assert locks.is_held("SB")
    assert not locks.is_held("AB")


def test_only_the_owner_frees_it(locks, client):
    first = locks.acquire("SB")
    client.delete("calendar_sync:lock:SB")
    second = locks.acquire("SB")
    assert second.fence == 2
    assert first.release() == "lost"
    assert not first.clear_dirty()
    assert not first.renew()
    assert locks.is_held("SB")
    assert second.release() == "released"
    assert not locks.is_held("SB")


def test_a_trigger_during_the_run_keeps_the_lock_for_one_more(locks):
    held = locks.acquire("SB")
    locks.acquire("SB")
    assert held.release() == "again"
    assert locks.is_held("SB")
    assert held.clear_dirty()
    held.checkpoint()
    assert held.release() == "released"
    assert not locks.is_held("SB")


def test_a_worker_that_shuts_down_frees_a_marked_lock_and_the_mark_stays(locks, client):
    held = locks.acquire("SB")
    locks.acquire("SB")
    assert dirty_without_lock(client) == []
    assert held.release(final=True) == "released"
    assert dirty_without_lock(client) == ["SB"]


def test_a_checkpoint_renews_every_hundred_seconds(locks, client, clock):
    held = locks.acquire("SB")
    client.pexpire("calendar_sync:lock:SB", 50_000)
    clock.now += 99
    held.checkpoint()
    assert locks.rest_s("SB") < 51
    clock.now += 2
    held.checkpoint()
    assert locks.rest_s("SB") > 290


def test_no_write_starts_after_the_local_deadline(locks, clock):
    held = locks.acquire("SB")
    clock.now += 256
    with pytest.raises(LockLost):
        held.checkpoint()


def test_a_lost_lock_stops_the_next_write(locks, client, clock):
    held = locks.acquire("SB")
    assert locks.force_release("SB")
    assert not locks.force_release("SB")
    clock.now += 101
    with pytest.raises(LockLost):
        held.checkpoint()
    with pytest.raises(LockLost):
        held.checkpoint()


def test_a_run_ends_after_half_an_hour_and_frees_its_lock(locks, client, clock):
    held = locks.acquire("SB")
    for _ in range(17):
        clock.now += 101
        held.checkpoint()
    locks.acquire("SB")
    clock.now += 99
    with pytest.raises(LockLost):
        held.checkpoint()
    assert held.release() == "released"
    assert dirty_without_lock(client) == ["SB"]


def test_an_unreachable_redis_is_asked_again_until_the_deadline(client, clock, unreliable):
    flaky = unreliable()
    locks = EmployeeLocks(flaky, clock=clock)
    held = locks.acquire("SB")
    flaky.unsent = 10**6
    clock.now += 101
    held.checkpoint()
    asked = flaky.sends
    held.checkpoint()
    assert flaky.sends == asked
    clock.now += 100
    held.checkpoint()
    assert flaky.sends > asked
    clock.now += 55
    with pytest.raises(LockLost):
        held.checkpoint()


def test_a_renewal_that_answers_too_late_is_no_renewal(locks, clock, monkeypatch):
    held = locks.acquire("SB")
    clock.now += 101

    def slow() -> bool:
        clock.now += 300
        return True

    monkeypatch.setattr(held, "renew", slow)
    with pytest.raises(LockLost):
        held.checkpoint()


def test_an_acquire_whose_replies_all_got_lost_does_not_lock_us_out(client, unreliable):
    flaky = unreliable(lost=3)
    locks = EmployeeLocks(flaky)
    with pytest.raises(redis.RedisError):
        locks.acquire("SB")
    assert locks.is_held("SB")
    assert locks.acquire("SB").fence == 1
    assert locks.acquire("SB") is None


def test_short_locks_work_too_and_runs_never_overlap(client, together):
    """Work outlives the lifetime several times; the lock is renewed, so nobody else comes in."""
    locks = EmployeeLocks(client, ttl_s=1.0)
    inside, overlaps, runs, guard, busy = [], [], [], threading.Lock(), threading.Event()

    def run(n: int) -> None:
        if n:
            busy.wait(5)
        held = locks.acquire("SB")
        if held is None:
            return
        while True:
            held.clear_dirty()
            busy.set()
            with guard:
                overlaps.extend(inside)
                inside.append(n)
            for _ in range(12):
                time.sleep(0.1)
                held.checkpoint()
            with guard:
                inside.remove(n)
            runs.append(held.fence)
            if held.release() != "again":
                return

    together(run, threads=6)
    assert overlaps == []
    assert runs == [1, 1]  # the others came during the first run: one more for all of them


def test_a_worker_that_slept_past_its_lock_notices(client):
    locks = EmployeeLocks(client, ttl_s=0.1)
    slow = locks.acquire("SB")
    time.sleep(0.15)
    quick = locks.acquire("SB")
    assert quick.fence > slow.fence
    with pytest.raises(LockLost):
        slow.checkpoint()
    assert slow.release() == "lost"
    assert locks.is_held("SB")
