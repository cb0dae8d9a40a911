"""The dead-letter queues of SQS, one for each topic: `EVENT_SQS_DEAD_URL_<TOPIC>`."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from shared.errors import UpstreamUnavailableError
from shared.events.cloud_letters import Held
from shared.events.sqs import queue_url

HIDDEN_S: Final = 30
LOOK_WITHIN_S: Final = 10.0
WAIT_S: Final = 1  # a long poll asks all of the queue's servers, a short one only some
BATCH: Final = 10


class SqsLetters:
    """Receives without deleting; the receive count of a message grows with every look at it."""

    def __init__(self, client: Callable[[], Any] | None = None) -> None:
        self._client = _client if client is None else client

    def take(self, topic: str, at_most: int) -> list[Held]:
        """Receive until nothing is left."""
        url = queue_url(topic, dead=True)
        held: list[Held] = []
        ends = time.monotonic() + LOOK_WITHIN_S
        while url and len(held) < at_most and time.monotonic() < ends:
            found = self._receive(url)
            if not found:
                break
            held += [_held(each) for each in found]
        return held

    def give_back(self, topic: str, held: Sequence[Held]) -> None:
        """End their visibility timeout."""
        for start in range(0, len(held), BATCH):
            entries = [
                {"Id": str(n), "ReceiptHandle": each.handle, "VisibilityTimeout": 0}
                for n, each in enumerate(held[start : start + BATCH])
            ]
            with _refusals():
                self._client().change_message_visibility_batch(QueueUrl=queue_url(topic, dead=True), Entries=entries)

    def send(self, topic: str, held: Held) -> None:
        """Send the body to the topic's queue."""
        with _refusals():
            self._client().send_message(QueueUrl=queue_url(topic), MessageBody=held.body.decode())

    def remove(self, topic: str, held: Held) -> None:
        """Delete it."""
        with _refusals():
            self._client().delete_message(QueueUrl=queue_url(topic, dead=True), ReceiptHandle=held.handle)

    def _receive(self, url: str) -> list[dict[str, Any]]:
        with _refusals():
            answer = self._client().receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=BATCH,
                VisibilityTimeout=HIDDEN_S,
                WaitTimeSeconds=WAIT_S,
                AttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
            )
        return list(answer.get("Messages", []))


def _held(message: dict[str, Any]) -> Held:
    attributes = message.get("Attributes", {})
    return Held(
        str(message["MessageId"]),
        str(message["ReceiptHandle"]),
        str(message["Body"]).encode(),
        int(attributes.get("ApproximateReceiveCount", 0)),
        int(attributes.get("SentTimestamp", 0)),
    )


@contextmanager
def _refusals() -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise UpstreamUnavailableError("sqs") from error


@functools.cache
def _client() -> Any:
    """Open SQS for operators, who can wait for a long poll."""
    import boto3
    from botocore.config import Config  # type: ignore[import-untyped]

    config = Config(connect_timeout=1, read_timeout=5, retries={"total_max_attempts": 2}, max_pool_connections=16)
    return boto3.client("sqs", region_name=os.environ.get("AWS_REGION") or None, config=config)
