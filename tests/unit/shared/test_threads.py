"""Threads that stand in for those who wait."""

import threading
from collections.abc import Callable, Iterator

import pytest

from shared import threads as pool
from shared.threads import Threads


@pytest.fixture
def make() -> Iterator[Callable[[int, int], Threads]]:
    made: list[Threads] = []

    def one(at_work: int, stand_ins: int) -> Threads:
        made.append(Threads(at_work, stand_ins))
        return made[-1]

    yield one
    for each in made:
        each.shutdown()


def test_a_waiting_thread_is_replaced_once_and_ends_with_its_job(make):
    threads, gate, running = make(1, 5), threading.Event(), []

    def waits() -> str:
        threads.stand_in()
        threads.stand_in()
        gate.wait(10)
        return "done"

    slow = threads.submit(waits)
    assert threads.submit(lambda: "served").result(10) == "served"
    gate.set()
    assert slow.result(10) == "done"
    lock = threading.Lock()

    def alone() -> None:
        running.append(lock.acquire(blocking=False))
        threading.Event().wait(0.01)
        lock.release()

    for job in [threads.submit(alone) for _ in range(10)]:
        job.result(10)
    assert running == [True] * 10


def test_there_are_so_many_stand_ins_and_no_more(make):
    threads, gate = make(1, 1), threading.Event()

    def waits() -> None:
        threads.stand_in()
        gate.wait(10)

    first, second = threads.submit(waits), threads.submit(waits)
    third = threads.submit(lambda: "served")
    with pytest.raises(TimeoutError):
        third.result(0.2)
    gate.set()
    assert third.result(10) == "served"
    for each in (first, second):
        each.result(10)
    assert threads.submit(lambda: threads.stand_in() or "again").result(10) == "again"


def test_a_job_begins_anew_only_while_another_thread_is_free(make):
    threads, begun, gate = make(2, 1), threading.Event(), threading.Event()
    assert threads.submit(threads.again).result(10)
    busy = threads.submit(lambda: begun.set() or gate.wait(10))
    assert begun.wait(10)
    assert not threads.submit(threads.again).result(10)
    gate.set()
    busy.result(10)


def test_a_job_does_not_begin_anew_while_somebody_stands_in(make):
    threads = make(2, 1)
    assert not threads.submit(lambda: threads.stand_in() or threads.again()).result(10)
    while not threads.submit(threads.again).result(10):  # until the stand-in has gone
        pass


def test_who_begins_anew_is_not_long_at_work(make, monkeypatch):
    threads = make(2, 1)
    monkeypatch.setattr(pool, "LONG_S", 0.05)

    def late_after(doing: Callable[[], object]) -> int:
        threading.Event().wait(0.06)
        doing()
        return threads._late()

    assert threads.submit(late_after, lambda: None).result(10) == 1
    assert threads.submit(late_after, threads.again).result(10) == 0


def test_who_is_long_at_work_is_relieved_when_others_wait(make, monkeypatch):
    threads, begun, gate = make(1, 1), threading.Event(), threading.Event()
    slow = threads.submit(lambda: begun.set() or gate.wait(10))
    assert begun.wait(10)
    assert not threads.relieve()  # nobody waits
    other = threads.submit(lambda: "served")
    assert threads.relieve()
    with pytest.raises(TimeoutError):
        other.result(0.05)  # not yet long
    monkeypatch.setattr(pool, "LONG_S", 0.0)
    assert threads.relieve()
    assert other.result(10) == "served"
    assert not threads.relieve()
    gate.set()
    assert slow.result(10)


def test_where_the_system_gives_no_thread_others_wait_and_nothing_breaks(make, monkeypatch):
    threads, gate = make(1, 1), threading.Event()
    refused = []

    def refuse(thread: threading.Thread) -> None:
        refused.append(thread)
        raise RuntimeError("can't start new thread")

    def waits() -> bool:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", refuse)
            threads.stand_in()
        threads.stand_in()
        return gate.wait(10)

    slow = threads.submit(waits)
    assert threads.submit(lambda: "served").result(10) == "served"
    assert len(refused) == 1
    gate.set()
    assert slow.result(10)


def test_an_error_is_told_to_whoever_asks_and_the_thread_goes_on(make):
    threads = make(1, 0)
    with pytest.raises(ZeroDivisionError):
        threads.submit(lambda: 1 / 0).result(10)
    assert threads.submit(lambda number: number + 1, 1).result(10) == 2


def test_threads_end_when_told_to(make):
    before = set(threading.enumerate())
    threads = make(3, 1)
    threads.submit(threads.stand_in).result(10)
    threads.shutdown()
    mine = set(threading.enumerate()) - before
    for thread in mine:
        thread.join(10)
    assert not any(thread.is_alive() for thread in mine)
