"""The dead letters of Pub/Sub: a pull subscription `<topic>.dead` for each topic, over the REST interface."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from shared.errors import IntegrationError, UpstreamUnavailableError
from shared.events.cloud_letters import Held
from shared.events.pubsub import Post, post, publish_url, resource_url
from shared.web.reading import strict_json

COUNT: Final = "CloudPubSubDeadLetterSourceDeliveryCount"
ROUNDS: Final = 5  # one answer may hold fewer messages than there are


class PubSubLetters:
    """Pulls without acknowledging, and lets go at once by a deadline of zero."""

    def __init__(self, project: str, send: Post | None = None) -> None:
        self._project, self._post = project, post if send is None else send

    def take(self, topic: str, at_most: int) -> list[Held]:
        """Pull until nothing comes; what was pulled stays out of sight until it is given back."""
        held: list[Held] = []
        for _ in range(ROUNDS):
            pull = {"maxMessages": at_most - len(held), "returnImmediately": True}
            found = self._call(self._subscription(topic, "pull"), pull).get("receivedMessages", [])
            held += [_held(each) for each in found]
            if not found or len(held) >= at_most:
                break
        return held

    def give_back(self, topic: str, held: Sequence[Held]) -> None:
        """End their deadline."""
        if held:
            ids = [each.handle for each in held]
            self._call(self._subscription(topic, "modifyAckDeadline"), {"ackIds": ids, "ackDeadlineSeconds": 0})

    def send(self, topic: str, held: Held) -> None:
        """Publish the same data on the topic."""
        message = {"data": base64.b64encode(held.body).decode(), "attributes": {"topic": topic}}
        self._call(publish_url(self._project, topic), {"messages": [message]})

    def remove(self, topic: str, held: Held) -> None:
        """Acknowledge it."""
        self._call(self._subscription(topic, "acknowledge"), {"ackIds": [held.handle]})

    def _subscription(self, topic: str, verb: str) -> str:
        return resource_url(self._project, f"subscriptions/{topic}.dead:{verb}")

    def _call(self, url: str, document: Mapping[str, Any]) -> dict[str, Any]:
        status, body = self._post(url, document) or (0, b"")
        if status != 200:
            raise UpstreamUnavailableError("pubsub", upstream_status=status or None)
        try:
            answer = strict_json(body or b"{}")
        except IntegrationError as error:
            raise UpstreamUnavailableError("pubsub", upstream_status=status) from error
        return answer if isinstance(answer, dict) else {}


def _held(received: Mapping[str, Any]) -> Held:
    message = received.get("message", {})
    count = str(message.get("attributes", {}).get(COUNT, "0"))
    return Held(
        str(message.get("messageId", "")),
        str(received["ackId"]),
        _body(message.get("data", "")),
        int(count) if count.isdigit() else 0,
        round(datetime.fromisoformat(str(message["publishTime"])).timestamp() * 1000),
    )


def _body(data: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return b""
