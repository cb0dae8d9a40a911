"""Pub/Sub's REST interface in miniature: topics, a pull subscription for each, acknowledging, and dead letters."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CALL = re.compile(r".*/v1/projects/(?P<project>[^/]+)/(?P<kind>topics|subscriptions)/(?P<name>[^:]+):(?P<verb>\w+)$")


@dataclass
class Message:
    """One message of a subscription; `hidden` is the handle under which somebody has it."""

    id: str
    data: str
    attributes: dict[str, str]
    hidden: str = ""


@dataclass
class PubSub:
    """Answers like the service; give it to whoever posts instead of the network."""

    topics: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    subscriptions: dict[str, list[Message]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    answers: int = 200  # another status answers everything with it
    at_once: int = 1000  # how many messages one pull gives, whatever it was asked for

    def put_aside(self, topic: str, data: str, attempts: int = 20) -> str:
        """Let a message end where dead letters end."""
        messages = self.subscriptions.setdefault(f"{topic}.dead", [])
        number = str(len(messages) + 1000)
        messages.append(Message(number, data, {"CloudPubSubDeadLetterSourceDeliveryCount": str(attempts)}))
        return number

    def __call__(self, url: str, document: Mapping[str, Any]) -> tuple[int, bytes]:
        """Answer one call."""
        found = CALL.fullmatch(url)
        assert found, url
        self.calls.append(found["verb"])
        if self.answers != 200:
            return self.answers, b"{}"
        answer = getattr(self, f"_{found['verb'].lower()}")(found["name"], json.loads(json.dumps(document)))
        return (404, b"{}") if answer is None else (200, json.dumps(answer).encode())

    def _publish(self, name: str, document: dict[str, Any]) -> dict[str, Any]:
        self.topics.setdefault(name, []).extend(document["messages"])
        return {"messageIds": ["1"]}

    def _pull(self, name: str, document: dict[str, Any]) -> dict[str, Any] | None:
        if name not in self.subscriptions:
            return None
        free = [each for each in self.subscriptions[name] if not each.hidden][: self.at_once]
        free = free[: document["maxMessages"]]
        for each in free:
            each.hidden = f"ack-{each.id}-{len(self.calls)}"
        rows = [
            {
                "ackId": each.hidden,
                "message": {
                    "data": each.data,
                    "attributes": each.attributes,
                    "messageId": each.id,
                    "publishTime": "2026-01-01T12:00:00.123456789Z",
                },
            }
            for each in free
        ]
        return {"receivedMessages": rows} if rows else {}

    def _modifyackdeadline(self, name: str, document: dict[str, Any]) -> dict[str, Any]:
        for each in self.subscriptions[name]:
            if each.hidden in document["ackIds"] and document["ackDeadlineSeconds"] == 0:
                each.hidden = ""
        return {}

    def _acknowledge(self, name: str, document: dict[str, Any]) -> dict[str, Any]:
        self.subscriptions[name] = [m for m in self.subscriptions[name] if m.hidden not in document["ackIds"]]
        return {}
