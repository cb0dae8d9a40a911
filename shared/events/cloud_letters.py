"""What the cloud itself put aside per topic: messages that no subscriber could read or work off."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from werkzeug.datastructures import Headers

from shared.clock import iso
from shared.errors import IntegrationError
from shared.events import topics
from shared.events.cloudevent import from_message

AT_MOST: Final = 100  # letters of one topic that one look shows


@dataclass(frozen=True)
class Held:
    """One message that a look has taken out for a moment: its id, and the handle that gives it back or removes it."""

    id: str
    handle: str
    body: bytes
    attempts: int
    at_ms: int


class DeadMessages(Protocol):
    """The dead letters of one cloud; each verb raises UpstreamUnavailableError when the cloud does not answer."""

    def take(self, topic: str, at_most: int) -> list[Held]:
        """Take the messages of a topic out of everybody's sight for a moment; none where it has no such queue."""
        ...

    def give_back(self, topic: str, held: Sequence[Held]) -> None:
        """Let them be seen again."""
        ...

    def send(self, topic: str, held: Held) -> None:
        """Send the message to its topic once more, as it is."""
        ...

    def remove(self, topic: str, held: Held) -> None:
        """Forget it."""
        ...


class CloudLetters:
    """Lists and redrives; an id is the topic and the message's own id, and nothing of a body is shown but its item."""

    def __init__(self, messages: DeadMessages) -> None:
        self._messages = messages

    def all(self) -> list[dict[str, Any]]:
        """List the letters of all topics as `/ops/deadletters` does: id, topic, subject, attempts, error, at."""
        with ThreadPoolExecutor(len(topics.TOPICS), thread_name_prefix="dead-letters") as pool:
            return [row for rows in pool.map(self._look, topics.TOPICS) for row in rows]

    def show(self, name: str) -> dict[str, Any] | None:
        """Show one, or None when there is none (any more)."""
        topic, _, message_id = name.partition(":")
        rows = self._look(topic) if topic in topics.TOPICS else []
        return next((row for row in rows if row["id"] == f"{topic}:{message_id}"), None)

    def redrive(self, name: str) -> bool:
        """Send one to its topic again; it is removed only after that: it may come twice and is never lost."""
        topic, _, message_id = name.partition(":")
        held = self._take(topic) if topic in topics.TOPICS else {}
        wanted = held.pop(message_id, None)
        try:
            if wanted is not None:
                self._messages.send(topic, wanted)
                self._messages.remove(topic, wanted)
        finally:
            self._messages.give_back(topic, list(held.values()))
        return wanted is not None

    def _look(self, topic: str) -> list[dict[str, Any]]:
        held = list(self._take(topic).values())
        self._messages.give_back(topic, held)
        return [_row(topic, each) for each in held]

    def _take(self, topic: str) -> dict[str, Held]:
        """Take messages by their id; a cloud may hand one out twice, and then its last handle counts."""
        return {each.id: each for each in self._messages.take(topic, AT_MOST)}


def _row(topic: str, held: Held) -> dict[str, Any]:
    subject, error = _read(topic, held.body)
    at = iso(datetime.fromtimestamp(held.at_ms / 1000, tz=UTC))
    return {
        "id": f"{topic}:{held.id}",
        "topic": topic,
        "subject": subject,
        "attempts": held.attempts,
        "error": error,
        "at": at,
    }


def _read(topic: str, body: bytes) -> tuple[str, str]:
    """Name the item where the body is one of our events; of anything else nothing is shown."""
    try:
        return topics.item_of(topics.find(topic), from_message(Headers(), body).data), "not-worked-off"
    except IntegrationError:
        return "", "unreadable"
