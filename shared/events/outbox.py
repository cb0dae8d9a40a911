"""Publish through the outbox: note first, then hand over; what the transport does not take is left to the relay."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Protocol

from shared import metrics
from shared.clock import utc_now
from shared.errors import UnavailableError
from shared.events import topics
from shared.events.cloudevent import Event, new_event
from shared.events.publisher import Published
from shared.events.redis import accept
from shared.log import get_log
from shared.web.problems import is_redis_error

if TYPE_CHECKING:
    from shared.events.arguments import Arguments
    from shared.state.queue import WorkQueue

log = get_log(__name__)
AT_ONCE: Final = 8
HAND_OFF_WITHIN_S = 2.0
SEND_WITHIN_S: Final = 1.0  # what one transport may take for one event
RELAY_AFTER_S = 5.0
LOOKED_THROUGH: Final = 500


class Send(Protocol):
    """Sends one event and tells the status of the answer, or None when none came.

    A transport that cannot hold a message back takes none with a delay: the relay announces it when it is due.
    """

    def __call__(self, event: Event, delay_s: float = 0) -> int | None:
        """Send it."""
        ...


class OutboxPublisher:
    """Publishes over any transport but the stream; nothing accepted depends on whether the transport works."""

    def __init__(
        self,
        target: str,
        queue_of: Callable[[str], WorkQueue],
        arguments: Callable[[], Arguments],
        send: Send,
    ) -> None:
        self._target, self._queue_of, self._arguments, self._send = target, queue_of, arguments, send

    def publish(self, topic: str, item: str, data: Mapping[str, Any] | None = None) -> str:
        """Note one item and hand it over; when neither works, nothing was accepted."""
        found = topics.find(topic)
        event = self._event(found, topics.check_item(found, item), _explicit(data))
        try:
            queue = self._queue_of(found.queue)
            published = accept(queue, self._arguments(), found, [item], data)
        except Exception as error:
            if not is_redis_error(error):
                raise
            if not self._taken(event):
                raise UnavailableError("Neither the store nor the subscriber could be reached.") from error
            return event.id
        if (published.new or _was_left(queue, found.op, item)) and self._taken(event):
            queue.sent(found.op, item)
        return event.id

    def publish_all(self, topic: str, items: Iterable[str], data: Mapping[str, Any] | None = None) -> Published:
        """Note many items in one step and hand over the new ones as far as two seconds reach."""
        found = topics.find(topic)
        queue = self._queue_of(found.queue)
        published = accept(queue, self._arguments(), found, items, data)
        self.hand_over(queue, [(found.op, item) for item in published.new], HAND_OFF_WITHIN_S)
        return published

    def send_later(self, topic: topics.Topic, item: str, delay_s: float, full_content: bool | None = None) -> bool:
        """Announce delayed work by a message of its own; when none is taken, the relay does it once it is due."""
        return self._taken(self._event(topic, item, full_content), delay_s)

    def send_again(self, queue: WorkQueue, items: Collection[str]) -> int:
        """Announce at once what was asked for again while it was being worked on."""
        waiting = [entry for entry in queue.unsent(older_than_s=0, count=LOOKED_THROUGH) if entry[1] in items]
        return self.hand_over(queue, waiting, within_s=5.0)

    def relay(self, queues: Iterable[WorkQueue], *, within_s: float = 25.0, count: int = 500) -> dict[str, int]:
        """Send again what no subscriber has taken."""
        relayed = left = 0
        ends = time.monotonic() + within_s
        for queue in queues:
            waiting = queue.unsent(older_than_s=RELAY_AFTER_S, count=count)
            taken = self.hand_over(queue, waiting, max(0.0, ends - time.monotonic()))
            relayed, left = relayed + taken, left + len(waiting) - taken
        log.info("relayed", relayed=relayed, pending=left)
        return {"relayed": relayed, "unsent": left}

    def hand_over(self, queue: WorkQueue, entries: Sequence[tuple[str, str]], within_s: float) -> int:
        """Tell subscribers of `(op, item)` pairs that are noted already, while time is left; count the taken."""
        ends = time.monotonic() + within_s

        def one(entry: tuple[str, str]) -> bool:
            op, item = entry
            if time.monotonic() >= ends:
                return False
            topic = topics.of_item(queue.spec.name, item, [op])
            return self._taken(self._event(topic, item)) and (queue.sent(op, item) or True)

        if len(entries) < 2:
            return sum(map(one, entries))
        with ThreadPoolExecutor(min(AT_ONCE, len(entries)), thread_name_prefix="hand-over") as pool:
            return sum(pool.map(one, entries))

    def _event(self, topic: topics.Topic, item: str, full_content: bool | None = None) -> Event:
        now = utc_now()
        return new_event(topic.name, self._target, item, topics.data_of(topic, item, now, full_content), now)

    def _taken(self, event: Event, delay_s: float = 0) -> bool:
        status = self._send(event, delay_s)
        taken = status is not None and 200 <= status < 300
        metrics.EVENTS.labels(event.type, "taken" if taken else "left").inc()
        if not taken:
            log.info("event_left_in_outbox", topic=event.type, status=status, event_id=event.id)
        return taken


def _explicit(data: Mapping[str, Any] | None) -> bool | None:
    value = (data or {}).get("full_content")
    return value if isinstance(value, bool) else None


def _was_left(queue: WorkQueue, op: str, item: str) -> bool:
    """Tell whether an item waits in the outbox for the relay; a new trigger need not wait with it."""
    return (op, item) in queue.unsent(older_than_s=SEND_WITHIN_S, count=LOOKED_THROUGH)
