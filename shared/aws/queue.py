"""Work a batch of SQS messages off and say which of them have to come again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from werkzeug.datastructures import Headers

from shared.errors import IntegrationError
from shared.events import topics
from shared.events.bus import AGAIN, Bus
from shared.events.cloudevent import Event, from_message
from shared.events.delivery import work_off
from shared.events.outbox import OutboxPublisher
from shared.events.task import Subscriber
from shared.log import bound, get_log
from shared.web.problems import is_redis_error

if TYPE_CHECKING:
    from shared.events.delivery import Worked

log = get_log(__name__)
ENOUGH_MS: Final = 45_000  # one item's outside calls end within this; what does not fit is left to the next batch


class Context(Protocol):
    """What we need of Lambda's context."""

    def get_remaining_time_in_millis(self) -> int:
        """Tell how long this invocation may still run."""
        ...


class QueueHandler:
    """Handles the events of one target; what fails comes again, what keeps failing ends in the dead-letter queue."""

    def __init__(self, bus: Bus, subscribers: Mapping[str, Subscriber]) -> None:
        self._bus, self._subscribers = bus, subscribers

    def __call__(self, batch: Mapping[str, Any], context: Context) -> dict[str, list[dict[str, str]]]:
        """Work a batch off; the first message always gets its chance."""
        failed = []
        for position, record in enumerate(batch["Records"]):
            late = position > 0 and context.get_remaining_time_in_millis() < ENOUGH_MS
            if late or not self._one(record):
                failed.append({"itemIdentifier": str(record["messageId"])})
        return {"batchItemFailures": failed}

    def _one(self, record: Mapping[str, Any]) -> bool:
        with bound(delivery_id=str(record.get("messageId", ""))):
            try:
                event = from_message(Headers(), str(record["body"]).encode())
                self._announce(event, work_off(self._bus, self._subscribers, event))
            except Exception as error:  # noqa: BLE001 - one message must not take the others with it
                _note(error)
                return False
            return True

    def _announce(self, event: Event, worked: Worked) -> None:
        """Send what has to run again as a message of its own: this one would return only after its visibility."""
        publisher = self._bus.publisher
        if not isinstance(publisher, OutboxPublisher):
            return
        if worked.outcome.kind in AGAIN:
            delay_s = max(1, math.ceil(worked.outcome.delay_s))
            publisher.send_later(topics.find(event.type), worked.item, delay_s, _explicit(event))
        else:
            publisher.send_again(self._bus.queue(worked.topic.queue), {worked.item})


def _explicit(event: Event) -> bool | None:
    value = event.data.get("full_content")
    return value if isinstance(value, bool) else None


def _note(error: Exception) -> None:
    if isinstance(error, IntegrationError):
        log.warning("message_refused", slug=error.slug)
    elif is_redis_error(error):
        log.warning("store_unreachable", exception=type(error).__name__)
    else:
        log.error("unexpected_error", exc=error)
