"""The port through which functions say that something needs doing, and its twin for tests."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from shared.events import topics


@dataclass(frozen=True)
class Published:
    """What became of a batch: which items are new, which were pending anyway."""

    new: list[str] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)


class Publisher(Protocol):
    """Hands items to whoever subscribes to a topic."""

    def publish(self, topic: str, item: str, data: Mapping[str, Any] | None = None) -> str:
        """Hand over one item and return the event's id; of `data` only an explicit `full_content` counts."""
        ...

    def publish_all(self, topic: str, items: Iterable[str], data: Mapping[str, Any] | None = None) -> Published:
        """Hand over many items at once."""
        ...


class MemoryPublisher:
    """Remembers what was published; every item is new."""

    def __init__(self) -> None:
        self.published: list[tuple[str, str, dict[str, Any]]] = []

    def publish(self, topic: str, item: str, data: Mapping[str, Any] | None = None) -> str:
        """Remember one item."""
        self.publish_all(topic, [item], data)
        return uuid.uuid4().hex

    def publish_all(self, topic: str, items: Iterable[str], data: Mapping[str, Any] | None = None) -> Published:
        """Remember many items."""
        once = [topics.check_item(topics.find(topic), item) for item in dict.fromkeys(items)]
        self.published += [(topic, item, dict(data or {})) for item in once]
        return Published(new=once)
