"""A few threads that work, and as many more as there are some that wait for somebody."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

LONG_S = 0.1  # at its job for longer, a thread waits for somebody: an upstream, another run
T = TypeVar("T")
_Job = tuple["Future[Any]", Callable[[], Any]]


@dataclass(eq=False)
class _Place:
    """One thread: since when it has been at its job (0: at none), and whether it has said that it waits."""

    since: float = 0.0
    waits: bool = False


class Threads(Executor):
    """So many threads at work; for each that waits for somebody another one stands in, up to a limit."""

    def __init__(self, at_work: int, stand_ins: int) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock, self._places, self._own = threading.Lock(), set[_Place](), threading.local()
        self._at_work, self._stand_ins = at_work, stand_ins
        for _ in range(at_work):
            self._start()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Have something done by the next thread that is free."""
        future: Future[T] = Future()
        self._jobs.put((future, partial(fn, *args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002 - nobody asks for it
        """Let every thread end after what it is doing; the process waits for that, but the arbiter has an end."""
        for _ in list(self._places):
            self._jobs.put(None)

    def stand_in(self) -> None:
        """Say that the calling thread waits for somebody, until its job ends: another one may work meanwhile."""
        self._own.place.waits = True
        self._grow(1)

    def again(self) -> bool:
        """Begin the calling thread's job anew; it must not where the next job would have to wait for a thread."""
        if self._surplus() > 0 or not self.has_free():
            return False
        place: _Place = self._own.place
        place.since, place.waits = time.monotonic(), False
        return True

    def has_free(self) -> bool:
        """Tell whether a thread has nothing to do."""
        return not all(place.since for place in list(self._places))

    def relieve(self) -> bool:
        """Start threads if jobs wait for one while others are long at theirs; tells whether any job waits."""
        waiting = self._jobs.qsize()
        if waiting:
            self._grow(waiting)
        return waiting > 0

    def _grow(self, most: int) -> None:
        with self._lock:
            room = min(self._late(), self._stand_ins) - self._surplus()
            for _ in range(min(room, most)):
                try:
                    self._start()
                except RuntimeError:  # the system gives no more threads: jobs wait, as they would behind any limit
                    return

    def _surplus(self) -> int:
        return len(self._places) - self._at_work

    def _late(self) -> int:
        before = time.monotonic() - LONG_S
        return sum(place.waits or 0 < place.since < before for place in self._places)

    def _start(self) -> None:
        place = _Place()
        threading.Thread(target=self._work, args=(place,)).start()
        self._places.add(place)

    def _work(self, place: _Place) -> None:
        self._own.place = place
        while job := self._jobs.get():
            place.since = time.monotonic()
            _do(*job)
            place.since, place.waits, job = 0.0, False, None
            if self._surplus() > 0 and self._is_superfluous(place):
                return
        with self._lock:
            self._places.discard(place)

    def _is_superfluous(self, place: _Place) -> bool:
        """Let a thread go that stood in, or was stood in for, when nobody is needed for it any more."""
        with self._lock:
            if self._surplus() <= self._late():
                return False
            self._places.discard(place)
            return True


def _do(future: Future[Any], job: Callable[[], Any]) -> None:
    try:
        result = job()
    except BaseException as error:  # noqa: BLE001 - told by whoever asks the future
        future.set_exception(error)
    else:
        future.set_result(result)
