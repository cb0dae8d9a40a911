"""The transport of Lambda: one SQS queue per topic; the outbox first, then one short send, then the relay."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from shared import metrics
from shared.events import topics
from shared.events.cloudevent import Event, structured
from shared.events.http import HttpPublisher
from shared.log import get_log

if TYPE_CHECKING:
    from shared.events.arguments import Arguments
    from shared.state.queue import WorkQueue

log = get_log(__name__)
LONGEST_DELAY_S = 900  # SQS takes no more
LOOKED_THROUGH = 500


class Send(Protocol):
    """Sends one message and tells whether the queue took it."""

    def __call__(self, url: str, body: str, delay_s: int) -> bool:
        """Send it."""
        ...


def queue_url(topic: str, environ: Mapping[str, str] | None = None) -> str | None:
    """Find the queue of a topic."""
    source = os.environ if environ is None else environ
    return source.get(f"EVENT_SQS_URL_{topic.replace('.', '_').upper()}", "").strip() or None


class SqsPublisher(HttpPublisher):
    """Publishes by SendMessage instead of POST; outbox and relay are those of the base."""

    def __init__(
        self,
        target: str,
        queue_of: Callable[[str], WorkQueue],
        arguments: Callable[[], Arguments],
        *,
        send: Send | None = None,
    ) -> None:
        super().__init__(target, queue_of, arguments, base_url=None, secret=None)
        self._send = _send if send is None else send

    def send_later(self, topic: topics.Topic, item: str, delay_s: float, full_content: bool | None = None) -> bool:
        """Announce delayed work by a message of its own; when none is taken, the relay does it once it is due."""
        data = None if full_content is None else {"full_content": full_content}
        return self._hand_over(self._event(topic, item, data), delay_s)

    def send_again(self, queue: WorkQueue, items: Collection[str]) -> int:
        """Announce at once what was asked for again while it was being worked on."""
        waiting = [entry for entry in queue.unsent(older_than_s=0, count=LOOKED_THROUGH) if entry[1] in items]
        return self.hand_over(queue, waiting, within_s=5.0)

    def _hand_over(self, event: Event, delay_s: float = 0) -> bool:
        url = queue_url(event.type)
        delay = min(LONGEST_DELAY_S, math.ceil(delay_s))
        taken = bool(url) and self._send(str(url), structured(event).decode(), delay)
        metrics.EVENTS.labels(event.type, "taken" if taken else "left").inc()
        if not taken:
            log.info("event_left_in_outbox", topic=event.type, event_id=event.id)
        return taken


def _send(url: str, body: str, delay_s: int) -> bool:
    from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

    try:
        client().send_message(QueueUrl=url, MessageBody=body, DelaySeconds=delay_s)
    except (BotoCoreError, ClientError) as error:
        log.warning("request_failed", upstream="sqs", exception=type(error).__name__)
        return False
    return True


@functools.cache
def client() -> Any:
    """Open SQS with timeouts that fit into a webhook's two seconds; only one attempt, the outbox has the others."""
    import boto3
    from botocore.config import Config  # type: ignore[import-untyped]

    config = Config(connect_timeout=0.5, read_timeout=1.0, retries={"total_max_attempts": 1}, max_pool_connections=16)
    return boto3.client("sqs", region_name=os.environ.get("AWS_REGION") or None, config=config)
