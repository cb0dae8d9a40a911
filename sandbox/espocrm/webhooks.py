"""Keep registered webhooks and what they still have to say."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import RLock
from typing import Literal

from sandbox.espocrm.answers import PERSON, Json, Refused, User
from sandbox.espocrm.entities import Entity

TYPES = ("create", "update", "delete", "fieldUpdate")


@dataclass
class Item:
    """One record's snapshot on its way to one webhook."""

    webhook_id: str
    payload: Json
    due: datetime
    attempts: int = 0
    status: Literal["Pending", "Success", "Failed"] = "Pending"


@dataclass(frozen=True)
class Event:
    """One write that webhooks have not been looked up for yet."""

    entity: str
    action: str
    payload: Json
    user: User


class Webhooks:
    """The registry and the two queues, oldest first."""

    def __init__(self, clock: Callable[[], datetime], entities: Callable[[], dict[str, Entity]]) -> None:
        self.clock, self._entities = clock, entities
        self.rows: dict[str, Json] = {}
        self.events: list[Event] = []
        self.items: list[Item] = []
        self.lock = RLock()

    def note(self, entity: str, action: str, payload: Json, user: User) -> None:
        """Remember a write."""
        with self.lock:
            self.events.append(Event(entity, action, payload, user))

    def register(self, fields: Json, user: User) -> Json:
        """Take a registration."""
        event, url = str(fields.get("event") or ""), fields.get("url")
        entity, kind, field = [*event.split("."), "", ""][:3]
        if kind not in TYPES or (kind == "fieldUpdate") is not bool(field):
            raise Refused(403, "Not supported event.")
        if entity not in self._entities():
            raise Refused(403, "Entity type is not available for Webhooks.")
        if field and not self._entities()[entity].knows(field):
            raise Refused(403, "Field does not exist.")
        if not url:
            raise Refused.invalid("Webhook", "url", "required")
        now = self.clock().strftime("%Y-%m-%d %H:%M:%S")
        row = {
            "id": secrets.token_hex(9)[:17],
            "deleted": False,
            "event": event,
            "url": url,
            "isActive": fields.get("isActive", True),
            "entityType": entity,
            "type": kind,
            "field": field or None,
            "secretKey": secrets.token_hex(16),
            "skipOwn": bool(fields.get("skipOwn", False)),
            "userId": user.id if user is not PERSON else None,
            "createdAt": now,
            "modifiedAt": now,
        }
        with self.lock:
            self.rows[row["id"]] = row
        return row

    def change(self, webhook_id: str, fields: Json) -> Json:
        """Change what can be changed."""
        row = self.find(webhook_id)
        row.update({name: fields[name] for name in ("url", "isActive", "skipOwn") if name in fields})
        return row

    def find(self, webhook_id: str) -> Json:
        """Read one webhook."""
        if webhook_id not in self.rows:
            raise Refused(404, f"Record {webhook_id} does not exist.")
        return self.rows[webhook_id]

    def remove(self, webhook_id: str) -> None:
        """Delete a webhook and what it still had to say."""
        with self.lock:
            self.find(webhook_id)
            del self.rows[webhook_id]
            self.items = [item for item in self.items if item.webhook_id != webhook_id]

    def take_over(self, count: int) -> None:
        """Turn the oldest events into items of the webhooks that want them."""
        with self.lock:
            taken, self.events = self.events[:count], self.events[count:]
            for event in taken:
                for row in self.rows.values():
                    payload = wanted(row, event)
                    if payload is not None:
                        self.items.append(Item(row["id"], payload, self.clock()))

    def due(self, webhook_id: str, count: int) -> list[Item]:
        """List the items of one webhook whose time has come, in the order of occurrence."""
        now = self.clock()
        mine = [item for item in self.items if item.webhook_id == webhook_id and item.status == "Pending"]
        return [item for item in mine if item.due <= now][:count]


def wanted(row: Json, event: Event) -> Json | None:
    """Say what a webhook tells of an event, if anything."""
    own = row["skipOwn"] and row["userId"] == event.user.id
    if not row["isActive"] or own or row["entityType"] != event.entity:
        return None
    if row["type"] == event.action:
        return event.payload
    if row["type"] == "fieldUpdate" and event.action == "update":
        told = {key: value for key, value in event.payload.items() if key.startswith(row["field"])}
        return {"id": event.payload["id"], **told} if told else None
    return None
