"""The transport of Lambda: one SQS queue per topic, whose messages are structured events."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Mapping
from typing import Any, Final, Protocol

from shared.events.cloudevent import Event, structured
from shared.log import get_log

log = get_log(__name__)
LONGEST_DELAY_S: Final = 900  # SQS takes no more


class SendMessage(Protocol):
    """Sends one message and tells the status of the answer, or None when none came."""

    def __call__(self, url: str, body: str, delay_s: int) -> int | None:
        """Send it."""
        ...


def variable(topic: str, *, dead: bool = False) -> str:
    """Name the setting with the queue of a topic, or of its dead letters."""
    return ("EVENT_SQS_DEAD_URL_" if dead else "EVENT_SQS_URL_") + topic.replace(".", "_").upper()


def queue_url(topic: str, environ: Mapping[str, str] | None = None, *, dead: bool = False) -> str | None:
    """Find the queue of a topic, or that of its dead letters."""
    source = os.environ if environ is None else environ
    return source.get(variable(topic, dead=dead), "").strip() or None


class SqsTransport:
    """Sends by SendMessage to the queue of the topic."""

    def __init__(self, send: SendMessage | None = None) -> None:
        self._send = send_message if send is None else send

    def __call__(self, event: Event, delay_s: float = 0) -> int | None:
        """Send it, to be received after a delay."""
        url = queue_url(event.type)
        return self._send(url, structured(event).decode(), min(LONGEST_DELAY_S, math.ceil(delay_s))) if url else None


def send_message(url: str, body: str, delay_s: int = 0) -> int | None:
    """Send one message; a refusal is an answer and no exception."""
    from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

    try:
        client().send_message(QueueUrl=url, MessageBody=body, DelaySeconds=delay_s)
    except (BotoCoreError, ClientError) as error:
        log.warning("request_failed", upstream="sqs", exception=type(error).__name__)
        return None
    return 200


@functools.cache
def client() -> Any:
    """Open SQS with timeouts that fit into a webhook's two seconds; only one attempt, the outbox has the others."""
    import boto3
    from botocore.config import Config  # type: ignore[import-untyped]

    config = Config(connect_timeout=0.5, read_timeout=1.0, retries={"total_max_attempts": 1}, max_pool_connections=16)
    return boto3.client("sqs", region_name=os.environ.get("AWS_REGION") or None, config=config)
