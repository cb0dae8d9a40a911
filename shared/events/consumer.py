"""Read one queue's stream and keep the queue healthy: reap, steal, sweep, measure."""

from __future__ import annotations

import threading
import time
import uuid
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from shared import metrics
from shared.events.care import care
from shared.events.task import Subscriber
from shared.log import bound, get_log
from shared.state import alive
from shared.web.problems import is_redis_error

if TYPE_CHECKING:
    from shared.events.bus import Bus
    from shared.state.queue import Message, WorkQueue

log = get_log(__name__)
BLOCK_MS: Final = 300
SWEEP_S: Final = 300.0
LONGEST_PAUSE_S: Final = 10.0


class Consumer:
    """Works off one queue with at most `parallel` items at once."""

    def __init__(  # noqa: PLR0913 - what it reads, whom it calls, and three facts
        self,
        bus: Bus,
        queue_name: str,
        subscribers: Mapping[str, Subscriber],
        *,
        name: str,
        parallel: int,
        stopping: threading.Event,
    ) -> None:
        self.queue_name, self.parallel = queue_name, parallel
        self._bus, self._subscribers, self._name, self._stopping = bus, subscribers, name, stopping
        self._running = 0
        self._changed = threading.Condition()
        self._stolen: deque[Message] = deque()
        self._reap_at = self._sweep_at = 0.0
        self._due_at = float("inf")  # when the next of our own delayed items is due
        self._failures = 0

    def run(self) -> None:
        """Work until told to stop; whatever happens, go on after a pause."""
        while not self._stopping.is_set():
            try:
                self._turn()
                self._failures = 0
            except Exception as error:  # noqa: BLE001 - a consumer never ends by itself
                self._pause(error)

    def wait(self, seconds: float) -> int:
        """Wait for running items and tell how many are still at it."""
        with self._changed:
            self._changed.wait_for(lambda: self._running == 0, timeout=seconds)
            return self._running

    def _turn(self) -> None:
        queue = self._bus.queue(self.queue_name)
        if time.monotonic() >= self._reap_at:
            self._care(queue)
            self._reap_at = time.monotonic() + self._bus.queue_settings.reap_s
        elif time.monotonic() >= self._due_at:
            self._due_at = float("inf")
            queue.reap()
        free = self._free()
        if free and not self._stopping.is_set():
            for message in self._next(queue, free):
                self._start(queue, message)

    def _free(self) -> int:
        with self._changed:
            self._changed.wait_for(lambda: self._running < self.parallel, timeout=BLOCK_MS / 1000)
            return self.parallel - self._running

    def _next(self, queue: WorkQueue, count: int) -> list[Message]:
        if self._stolen:
            return [self._stolen.popleft() for _ in range(min(count, len(self._stolen)))]
        return queue.read(self._name, count=count, block_ms=BLOCK_MS)

    def _start(self, queue: WorkQueue, message: Message) -> None:
        with self._changed:
            self._running += 1
        threading.Thread(target=self._work, args=(queue, message), name="work", daemon=True).start()

    def _work(self, queue: WorkQueue, message: Message) -> None:
        try:
            with bound(request_id=message.request_id or uuid.uuid4().hex):
                outcome = self._bus.runner(self.queue_name, self._subscribers).run(message.item)
            queue.ack(message.stream_id)
            if outcome.kind in {"delayed", "postponed"}:
                self._due_at = min(self._due_at, time.monotonic() + outcome.delay_s)
        except Exception as error:  # noqa: BLE001 - the message stays and is taken over later
            _note(error)
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _care(self, queue: WorkQueue) -> None:
        sweep = time.monotonic() >= self._sweep_at
        state = self._bus.client(1)
        alive.note(state, self.queue_name, self._name)
        care(queue, state, sweep=sweep)
        if sweep:
            self._sweep_at = time.monotonic() + SWEEP_S
        self._stolen.extend(queue.steal(self._name, int(queue.lease_s * 1000)))
        self._measure(queue)

    def _measure(self, queue: WorkQueue) -> None:
        stats = queue.stats()
        metrics.QUEUE_DEPTH.labels(self.queue_name).set(stats.depth)
        metrics.QUEUE_AGE.labels(self.queue_name).set(stats.oldest_age_s)
        metrics.DEAD_LETTERS.labels(self.queue_name).set(stats.dead)

    def _pause(self, error: Exception) -> None:
        _note(error)
        self._failures += 1
        self._stopping.wait(min(LONGEST_PAUSE_S, 0.1 * 2 ** min(self._failures, 10)))


def _note(error: Exception) -> None:
    if is_redis_error(error):
        metrics.REDIS_ERRORS.labels("worker").inc()
        log.warning("store_unreachable", exception=type(error).__name__)
    else:
        log.error("unexpected_error", exc=error)
