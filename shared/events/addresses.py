"""Name the settings without which events of a process would wait in its outbox for ever."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from shared.events import http, sqs
from shared.settings.common import EventSettings

PROJECT: Final = "EVENT_PUBSUB_PROJECT"
BASE: Final = "EVENT_BASE_URL"


def missing(events: EventSettings, sent: Iterable[str]) -> list[str]:
    """Name what the transport lacks to send these topics; a stream in our own Redis needs nothing."""
    topics = list(sent)
    match events.transport:
        case "redis":
            return []
        case "pubsub":
            return [PROJECT] if topics and not events.pubsub_project else []
        case "sqs":
            return [sqs.variable(topic) for topic in topics if sqs.queue_url(topic) is None]
    nowhere = [topic for topic in topics if http.address(topic, events.base_url) is None]
    return [BASE] if nowhere == topics and topics else [http.variable(topic) for topic in nowhere]
