"""A lease is renewed every third of its life, and ends by the local clock where nobody renews it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis import ConnectionError as RedisConnectionError

from shared.events import lease as module
from shared.events.lease import Lease
from shared.events.task import LeaseLostError

LEASE_S = 30.0


class Over:
    """Counts how often and for how long somebody waited for the end; the last wait is the end."""

    def __init__(self, turns: int) -> None:
        self.turns, self.waits = turns, list[float]()

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        return len(self.waits) > self.turns

    def set(self) -> None:
        self.turns = 0


class Queue:
    """Answers renewals from a list; time passes while it does."""

    lease_s = LEASE_S

    def __init__(self, clock: Clock, *answers: bool | Exception) -> None:
        self.clock, self.answers, self.asked = clock, list(answers), 0

    def renew(self, claim: Any) -> bool:
        self.asked += 1
        self.clock.now += 4.0
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def kept(clock: Clock, *answers: bool | Exception, turns: int | None = None) -> tuple[Lease, Queue, Over]:
    """Let a lease that was claimed at 100 be renewed from 110 on, in this thread."""
    queue, over = Queue(clock, *answers), Over(len(answers) if turns is None else turns)
    lease = Lease(queue, None, 100.0)  # type: ignore[arg-type]  # a double that answers as told
    lease._over, clock.now = over, 110.0  # type: ignore[assignment]
    lease._keep()
    return lease, queue, over


def is_ours(lease: Lease) -> bool:
    try:
        lease.checkpoint()
    except LeaseLostError:
        return False
    return True


def until(clock: Clock, lease: Lease, now: float) -> bool:
    clock.now = now
    return is_ours(lease)


def test_it_ends_when_its_time_is_over_and_not_before(clock: Clock) -> None:
    lease = Lease(Queue(clock), None, 100.0)  # type: ignore[arg-type]  # as above
    assert until(clock, lease, 129.9)
    assert not until(clock, lease, 130.0)


def test_a_renewal_counts_from_before_it_was_asked_for(clock: Clock) -> None:
    lease, queue, over = kept(clock, True, True)
    assert (queue.asked, over.waits) == (2, [LEASE_S / 3] * 3)
    assert until(clock, lease, 114.0 + LEASE_S - 0.1)
    assert not until(clock, lease, 114.0 + LEASE_S)


def test_what_is_lost_is_lost_at_once_and_not_asked_for_again(clock: Clock) -> None:
    lease, queue, over = kept(clock, False, turns=9)
    assert (queue.asked, len(over.waits)) == (1, 1)
    assert not is_ours(lease)


def test_an_unreachable_redis_is_asked_again_and_the_local_clock_goes_on(clock: Clock) -> None:
    lease, queue, _ = kept(clock, RedisConnectionError(), RedisConnectionError(), True)
    assert queue.asked == 3
    assert until(clock, lease, 118.0 + LEASE_S - 0.1)
    lease, _, _ = kept(clock, RedisConnectionError())
    assert until(clock, lease, 129.9)
    assert not until(clock, lease, 130.0)


def test_any_other_error_ends_the_renewing(clock: Clock) -> None:
    with pytest.raises(ZeroDivisionError):
        kept(clock, ZeroDivisionError())


def test_the_end_of_a_block_ends_the_renewing(clock: Clock) -> None:
    started: list[Callable[[], None]] = []
    lease = Lease(Queue(clock), None, 100.0)  # type: ignore[arg-type]  # as above
    lease._thread.start = lambda: started.append(lease._keep)  # type: ignore[method-assign]
    with lease as same:
        assert same is lease
        assert not lease._over.is_set()
    assert lease._over.is_set()
    assert started
    assert lease._thread.daemon


def test_asking_redis_itself_tells_at_once_and_renews(clock: Clock) -> None:
    lease = Lease(Queue(clock, True, False), None, 100.0)  # type: ignore[arg-type]  # as above
    clock.now = 120.0
    lease.confirm()
    assert until(clock, lease, 120.0 + LEASE_S - 0.1)
    with pytest.raises(LeaseLostError):
        lease.confirm()
    clock.now = 121.0
    assert not is_ours(lease)


def test_a_yes_that_comes_after_the_end_is_none(clock: Clock) -> None:
    queue = Queue(clock, True)
    queue.lease_s = 4.0
    with pytest.raises(LeaseLostError):
        Lease(queue, None, 100.0).confirm()  # type: ignore[arg-type]  # as above


def test_redis_itself_is_asked_before_something_that_must_not_happen_twice(clock: Clock) -> None:
    queue = Queue(clock, True, False)
    lease = Lease(queue, None, 100.0)  # type: ignore[arg-type]  # as above
    clock.now = 120.0
    lease.confirm()
    assert until(clock, lease, 120.0 + LEASE_S - 0.1)
    with pytest.raises(LeaseLostError):
        lease.confirm()
    assert not is_ours(lease)


def test_a_confirmation_that_comes_too_late_is_none(clock: Clock) -> None:
    queue = Queue(clock, True)
    queue.lease_s = 3.0  # the answer takes four
    with pytest.raises(LeaseLostError):
        Lease(queue, None, 100.0).confirm()  # type: ignore[arg-type]  # as above
