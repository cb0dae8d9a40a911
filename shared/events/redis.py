"""The transport of a single machine: what is accepted is on the stream in the same step."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from shared import metrics
from shared.events import topics
from shared.events.publisher import Published
from shared.log import current

if TYPE_CHECKING:
    from shared.events.arguments import Arguments
    from shared.state.queue import WorkQueue


def accept(
    queue: WorkQueue, arguments: Arguments, topic: topics.Topic, items: Iterable[str], data: Mapping[str, Any] | None
) -> Published:
    """Note items in their queue; an explicit `full_content` is noted first, so that no run can miss it."""
    once = [topics.check_item(topic, item) for item in dict.fromkeys(items)]
    explicit = (data or {}).get("full_content")
    if topics.is_calendar(topic) and isinstance(explicit, bool):
        for item in once:
            arguments.store(item, explicit)
    added = queue.add(topic.op, once, current("request_id"))
    return Published(list(added.new), list(added.pending))


class RedisPublisher:
    """Publishes by adding to the queue's stream, which a worker reads."""

    def __init__(self, queue_of: Callable[[str], WorkQueue], arguments: Callable[[], Arguments]) -> None:
        self._queue_of, self._arguments = queue_of, arguments

    def publish(self, topic: str, item: str, data: Mapping[str, Any] | None = None) -> str:
        """Add one item."""
        self.publish_all(topic, [item], data)
        return uuid.uuid4().hex

    def publish_all(self, topic: str, items: Iterable[str], data: Mapping[str, Any] | None = None) -> Published:
        """Add many items in one step."""
        found = topics.find(topic)
        published = accept(self._queue_of(found.queue), self._arguments(), found, items, data)
        for outcome, some in (("new", published.new), ("pending", published.pending)):
            if some:
                metrics.EVENTS.labels(topic, outcome).inc(len(some))
        return published
