"""The transport of functions that call each other: the outbox first, then one short POST, then the relay."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol

from shared import metrics
from shared.clock import utc_now
from shared.errors import UnavailableError
from shared.events import topics
from shared.events.cloudevent import CONTENT_TYPE, Event, new_event, structured
from shared.events.publisher import Published
from shared.events.redis import accept
from shared.log import get_log
from shared.web.problems import is_redis_error

if TYPE_CHECKING:
    from shared.events.arguments import Arguments
    from shared.state.queue import WorkQueue

log = get_log(__name__)
CONNECT_S, ANSWER_S = 0.4, 0.6  # one second in all
AT_ONCE = 8
HAND_OFF_WITHIN_S = 2.0
RELAY_AFTER_S = 5.0


class Post(Protocol):
    """Posts one event and tells the status of the answer, or None when none came."""

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> int | None:
        """Send it."""
        ...


def address(topic: str, base_url: str | None, environ: Mapping[str, str] | None = None) -> str | None:
    """Find where a topic's events go."""
    own = (os.environ if environ is None else environ).get(f"EVENT_URL_{topic.replace('.', '_').upper()}", "").strip()
    return own or (f"{base_url}/{topic}" if base_url else None)


class HttpPublisher:
    """Publishes by POST; what nobody takes stays in the outbox for the relay."""

    def __init__(  # noqa: PLR0913 - its four collaborators and two facts
        self,
        target: str,
        queue_of: Callable[[str], WorkQueue],
        arguments: Callable[[], Arguments],
        *,
        base_url: str | None,
        secret: str | None,
        post: Post | None = None,
    ) -> None:
        self._target, self._queue_of, self._arguments = target, queue_of, arguments
        self._base_url, self._secret = base_url, secret
        self._post = post or _Poster()

    def publish(self, topic: str, item: str, data: Mapping[str, Any] | None = None) -> str:
        """Note one item and hand it over; when neither works, nothing was accepted."""
        found = topics.find(topic)
        event = self._event(found, topics.check_item(found, item), data)
        try:
            queue = self._queue_of(found.queue)
            published = accept(queue, self._arguments(), found, [item], data)
        except Exception as error:
            if not is_redis_error(error):
                raise
            if not self._hand_over(event):
                raise UnavailableError("Neither the store nor the subscriber could be reached.") from error
            return event.id
        if (published.new or _was_left(queue, found.op, item)) and self._hand_over(event):
            queue.sent(found.op, item)
        return event.id

    def publish_all(self, topic: str, items: Iterable[str], data: Mapping[str, Any] | None = None) -> Published:
        """Note many items in one step and hand over the new ones as far as two seconds reach."""
        found = topics.find(topic)
        queue = self._queue_of(found.queue)
        published = accept(queue, self._arguments(), found, items, data)
        self.hand_over(queue, [(found.op, item) for item in published.new], HAND_OFF_WITHIN_S)
        return published

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
            return self._hand_over(self._event(topic, item, None)) and (queue.sent(op, item) or True)

        if len(entries) < 2:
            return sum(map(one, entries))
        with ThreadPoolExecutor(min(AT_ONCE, len(entries)), thread_name_prefix="hand-over") as pool:
            return sum(pool.map(one, entries))

    def _event(self, topic: topics.Topic, item: str, data: Mapping[str, Any] | None) -> Event:
        explicit = (data or {}).get("full_content")
        full_content = explicit if isinstance(explicit, bool) else None
        now = utc_now()
        return new_event(topic.name, self._target, item, topics.data_of(topic, item, now, full_content), now)

    def _hand_over(self, event: Event) -> bool:
        url = address(event.type, self._base_url)
        headers = {"Content-Type": CONTENT_TYPE, "X-Request-ID": event.request_id}
        if self._secret:
            headers["X-Gateway-Secret"] = self._secret
        status = self._post(url, structured(event), headers) if url else None
        taken = status is not None and 200 <= status < 300
        metrics.EVENTS.labels(event.type, "taken" if taken else "left").inc()
        if not taken:
            log.info("event_left_in_outbox", topic=event.type, status=status, event_id=event.id)
        return taken


def _was_left(queue: WorkQueue, op: str, item: str) -> bool:
    """Tell whether an item waits in the outbox for the relay; a new trigger need not wait with it."""
    return (op, item) in queue.unsent(older_than_s=CONNECT_S + ANSWER_S, count=500)


class _Poster:
    """Posts over pooled connections; the library is loaded when the first event goes out."""

    def __init__(self) -> None:
        self._session: Any = None

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> int | None:
        import requests

        from shared.http import new_session

        self._session = self._session or new_session()
        try:
            answer = self._session.post(
                url, data=body, headers=headers, timeout=(CONNECT_S, ANSWER_S), allow_redirects=False
            )
        except requests.RequestException:
            return None
        return int(answer.status_code)
