"""Keep a queue healthy: give back what dead holders had, announce what is due or forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.events import topics
from shared.log import get_log

if TYPE_CHECKING:
    from redis import Redis

    from shared.state.queue import WorkQueue

log = get_log(__name__)


def care(queue: WorkQueue, state: Redis, *, sweep: bool) -> None:
    """Reap, wake employees whose trigger met a lock that nobody holds any more, and now and then sweep."""
    reaped = queue.reap()
    if queue.spec.name == topics.EMPLOYEES_QUEUE:
        _wake_employees(queue, state)
    swept = queue.sweep() if sweep else 0
    if reaped.expired or swept:
        log.warning("work_taken_over", queue=queue.spec.name, expired=reaped.expired, swept=swept)


def _wake_employees(queue: WorkQueue, state: Redis) -> None:
    from shared.state.lock import dirty_without_lock

    queue.add("sync", [item for item in dirty_without_lock(state) if topics.is_kuerzel(item)])
