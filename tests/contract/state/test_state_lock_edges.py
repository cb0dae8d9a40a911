"""The numbers of the lock's protocol, each at its edge."""

import os

import pytest
import redis

from shared.state.lock import EmployeeLocks, LockLost, dirty_without_lock, holder_of

LOCK = "calendar_sync:lock:SB"


class Clock:
    """Stands still until it is set."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize("ttl_s", [300.0, 3000.0])
def test_it_is_renewed_after_a_hundred_seconds_to_the_second(client, clock, ttl_s):
    locks = EmployeeLocks(client, ttl_s=ttl_s, clock=clock)
    held = locks.acquire("SB")
    for now, renewed in ((1099.9, False), (1100.0, True)):
        client.pexpire(LOCK, 50_000)
        clock.now = now
        held.checkpoint()
        assert (locks.rest_s("SB") > ttl_s - 10) is renewed


@pytest.mark.parametrize("ttl_s", [300.0, 3000.0])
def test_the_last_write_begins_45_seconds_before_the_end(client, clock, ttl_s, unreliable):
    locks = EmployeeLocks(unreliable(), ttl_s=ttl_s, clock=clock)
    held = locks.acquire("SB")
    locks.client.unsent = 10**6
    clock.now = 1000 + ttl_s - 45.1
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(held, "_ends", 10**6)  # not the end of a run that hangs
        held.checkpoint()
        clock.now = 1000 + ttl_s - 45
        with pytest.raises(LockLost):
            held.checkpoint()


def test_a_renewal_that_failed_is_tried_again_after_a_second(client, clock, unreliable):
    locks = EmployeeLocks(unreliable(), clock=clock)
    held = locks.acquire("SB")
    locks.client.unsent = 10**6
    asked = []
    for now in (1100.0, 1100.9, 1101.0, 1101.9, 1102.0):
        clock.now, before = now, locks.client.sends
        held.checkpoint()
        asked.append(locks.client.sends > before)
    assert asked == [True, False, True, False, True]


def test_short_locks_are_renewed_at_a_third_and_given_up_at_half(client, clock):
    locks = EmployeeLocks(client, ttl_s=6, clock=clock)
    assert (locks.renew_every_s, locks.margin_s, locks.retry_s) == (2, 3, 0.6)
    held = locks.acquire("SB")
    clock.now = 1003.0
    with pytest.raises(LockLost):
        held.checkpoint()


def test_a_run_ends_after_thirty_minutes_to_the_second(client, clock):
    locks = EmployeeLocks(client, clock=clock)
    held = locks.acquire("SB")
    for now in range(1100, 2800, 100):
        clock.now = float(now)
        held.checkpoint()
    clock.now = 2799.9
    held.checkpoint()
    clock.now = 2800.0
    with pytest.raises(LockLost):
        held.checkpoint()


def test_a_marked_lock_is_kept_until_shortly_before_the_end_of_the_run(client, clock):
    locks = EmployeeLocks(client, clock=clock, total_s=200)
    held = locks.acquire("SB")
    locks.acquire("SB")
    clock.now = 1155.0
    client.pexpire(LOCK, 50_000)
    assert held.release() == "again"
    assert locks.rest_s("SB") > 290  # as long as at first
    clock.now = 1155.1
    assert held.release() == "released"
    assert dirty_without_lock(client) == ["SB"]


def test_a_lock_that_goes_on_counts_its_renewals_from_then(client, clock):
    locks = EmployeeLocks(client, clock=clock)
    held = locks.acquire("SB")
    locks.acquire("SB")
    clock.now = 1200.0
    assert held.release() == "again"
    client.pexpire(LOCK, 50_000)
    clock.now = 1299.0
    held.checkpoint()
    assert locks.rest_s("SB") <= 50


def test_whoever_has_released_or_lost_writes_nothing_any_more(client, clock):
    locks = EmployeeLocks(client, clock=clock)
    held = locks.acquire("SB")
    assert held.release() == "released"
    with pytest.raises(LockLost):
        held.checkpoint()
    assert not held.renew()
    assert held.release() == "lost"


def test_a_second_lock_of_the_same_owner_is_the_same_lock(client, unreliable):
    locks = EmployeeLocks(unreliable(lost=3))
    with pytest.raises(redis.RedisError):
        locks.acquire("SB")
    client.pexpire(LOCK, 50_000)
    assert locks.acquire("SB").fence == 1
    assert locks.rest_s("SB") > 290
    with pytest.raises(redis.RedisError):
        EmployeeLocks(unreliable(lost=3)).acquire("AB")
    assert locks.acquire("AB") is None


def test_a_fence_counts_on_and_a_mark_is_forgotten_by_its_holder_alone(client):
    locks = EmployeeLocks(client)
    first = locks.acquire("SB")
    assert locks.acquire("SB") is None
    assert client.get("calendar_sync:dirty:SB") == "1"
    client.delete(LOCK)
    second = locks.acquire("SB")
    assert (first.fence, second.fence) == (1, 2)
    assert not first.clear_dirty()
    assert dirty_without_lock(client) == []
    assert client.exists("calendar_sync:dirty:SB")
    assert second.clear_dirty()
    assert not client.exists("calendar_sync:dirty:SB")


def test_rest_is_told_in_seconds_and_is_nothing_for_a_lock_without_an_end(client):
    locks = EmployeeLocks(client)
    client.set(LOCK, "x", px=60_000)
    assert 50 < locks.rest_s("SB") <= 60
    client.set(LOCK, "x")
    assert locks.rest_s("SB") == 0


def test_who_asks_again_for_a_lock_of_his_own_gets_its_fence(client, unreliable):
    EmployeeLocks(client).acquire("SB").release()
    flaky = unreliable(lost=3)
    locks = EmployeeLocks(flaky)
    with pytest.raises(redis.RedisError):
        locks.acquire("SB")
    assert locks.acquire("SB").fence == 2
    flaky.lost = 3
    with pytest.raises(redis.RedisError):
        locks.acquire("AB")
    client.delete("calendar_sync:fence:AB")
    assert locks.acquire("AB").fence == 1


def test_waiting_triggers_are_listed_in_order(client):
    names = [f"k{number}" for number in range(50)]
    client.mset({f"calendar_sync:dirty:{name}": "1" for name in names})
    assert dirty_without_lock(client) == sorted(names)


def test_nobody_renews_another_s_lock(client):
    locks = EmployeeLocks(client)
    first = locks.acquire("SB")
    client.delete(LOCK)
    second = locks.acquire("SB")
    client.pexpire(LOCK, 50_000)
    assert not first.renew()
    assert locks.rest_s("SB") <= 50
    assert second.renew()
    assert locks.rest_s("SB") > 290


def test_a_lock_tells_the_machine_and_process_that_hold_it(client):
    EmployeeLocks(client).acquire("SB")
    assert holder_of(client.get(LOCK)) == f"{os.uname().nodename}:{os.getpid()}"
    assert holder_of("a token of another kind") == ""
