"""Work an event off while its sender waits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.errors import InvalidRequestError, NotFoundError, UnavailableError
from shared.events import topics
from shared.events.cloudevent import Event
from shared.events.pubsub import unwrapped
from shared.events.runner import AGAIN, Outcome
from shared.events.task import Subscriber
from shared.log import bound
from shared.web.common import is_request_id

if TYPE_CHECKING:
    from shared.events.bus import Bus

_QUEUED_ELSEWHERE = frozenset({"sqs", "pubsub"})  # these repeat what was done long ago


@dataclass(frozen=True)
class Worked:
    """What became of one event: its topic, its item, and how the run ended."""

    topic: topics.Topic
    item: str
    outcome: Outcome


def deliver(bus: Bus, subscribers: Mapping[str, Subscriber], event: Event, topic_name: str | None = None) -> None:
    """Run the subscriber now; a running or finished claim of the same item counts as delivered."""
    outcome = work_off(bus, subscribers, event, topic_name).outcome
    if outcome.kind in AGAIN:
        raise UnavailableError("The work has to wait.", retry_after_s=max(1, math.ceil(outcome.delay_s)))


def work_off(bus: Bus, subscribers: Mapping[str, Subscriber], received: Event, topic_name: str | None = None) -> Worked:
    """Run the subscriber of an event and tell how it ended."""
    event = unwrapped(received)
    if topic_name is not None and topic_name not in subscribers:
        raise NotFoundError("There is no such topic here.")
    if topic_name is not None and topic_name != event.type:
        raise InvalidRequestError("The event is of another topic.")
    topic = topics.find(event.type)
    if topic.name not in subscribers:
        raise NotFoundError("There is no such topic here.")
    item = topics.item_of(topic, event.data)
    full_content = event.data.get("full_content") if topics.is_calendar(topic) else None
    forced = topics.is_calendar(topic) or bus.transport not in _QUEUED_ELSEWHERE
    ids = {"request_id": event.request_id} if is_request_id(event.request_id) else {}
    with bound(**ids):
        outcome = bus.runner(topic.queue, subscribers).run(
            item, force_op=topic.op if forced else None, full_content=full_content
        )
    return Worked(topic, item, outcome)
