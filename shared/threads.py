"""A few threads that work, and others that stand in for those that wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

LONG_S = 0.2  # at work for longer, one waits for somebody else: an upstream, another run
T = TypeVar("T")
_Job = tuple["Future[Any]", Callable[[], Any]]


@dataclass(eq=False)
class _Place:
    """One thread: since when it has been at its job (0: at none), and whether it ends with it."""

    since: float = 0.0
    replaced: bool = False


class Threads(Executor):
    """So many threads at work, and another one for each that waits for somebody, up to a limit."""

    def __init__(self, at_work: int, stand_ins: int) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock, self._left, self._places = threading.Lock(), stand_ins, set[_Place]()
        self._own = threading.local()
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
        """Start another thread in the place of the one that calls this, which ends with its present job."""
        self._replace(self._own.place)

    def relieve(self) -> bool:
        """Start threads in the place of those that are long at their job if others wait; tells whether any do."""
        waiting = self._jobs.qsize()
        if waiting:
            before = time.monotonic() - LONG_S
            late = [place for place in list(self._places) if 0 < place.since < before and not place.replaced]
            for place in late[:waiting]:
                self._replace(place)
        return waiting > 0

    def _replace(self, place: _Place) -> None:
        with self._lock:
            if place.replaced or not self._left:
                return
            try:
                self._start()
            except RuntimeError:  # the system gives no more threads: others wait, as they would behind any limit
                return
            place.replaced = True
            self._left -= 1

    def _start(self) -> None:
        place = _Place()
        threading.Thread(target=self._work, args=(place,)).start()
        self._places.add(place)

    def _work(self, place: _Place) -> None:
        self._own.place = place
        while not place.replaced and (job := self._jobs.get()):
            place.since = time.monotonic()
            _do(*job)
            place.since, job = 0.0, None
        with self._lock:
            self._places.discard(place)
            self._left += place.replaced


def _do(future: Future[Any], job: Callable[[], Any]) -> None:
    try:
        result = job()
    except BaseException as error:  # noqa: BLE001 - told by whoever asks the future
        future.set_exception(error)
    else:
        future.set_result(result)
