"""The topics: the queue behind each, which items they speak of, and what travels on them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared.clock import iso
from shared.errors import FieldProblem, InvalidRequestError, NotFoundError

EVERYBODY: Final = "ALL"
CALENDAR_SYNC_ALL: Final = "calendar_sync_all"
CALENDAR_SYNC_EMPLOYEE: Final = "calendar_sync_employee"
PARTY: Final = "vmh.beteiligte."
LEAD_RECEIVED: Final = "lead.received"
THREECX_CALL: Final = "threecx.call"

EMPLOYEES_QUEUE, PARTIES_QUEUE, LEADS_QUEUE, CALLS_QUEUE = "calendar_sync", "vmh:beteiligte", "lead", "threecx"

_KUERZEL = re.compile(r"(?!ALL$)[0-9A-Za-zÄÖÜäöüß]{1,10}")
_ENTITY_ID = re.compile(r"[0-9a-f]{17}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KEY = re.compile(r"[0-9A-Za-z._:+@=~-]{1,200}")


@dataclass(frozen=True)
class Topic:
    """One topic: its queue and op, the field that names the item, and the form of such a name."""

    name: str
    queue: str
    op: str
    field: str
    form: re.Pattern[str]


def _topics() -> Mapping[str, Topic]:
    parties = [Topic(PARTY + op, PARTIES_QUEUE, op, "entity_id", _ENTITY_ID) for op in ("create", "update", "delete")]
    all_topics = [
        Topic(CALENDAR_SYNC_ALL, EMPLOYEES_QUEUE, "sync", "", re.compile(EVERYBODY)),
        Topic(CALENDAR_SYNC_EMPLOYEE, EMPLOYEES_QUEUE, "sync", "kuerzel", _KUERZEL),
        *parties,
        Topic(LEAD_RECEIVED, LEADS_QUEUE, "intake", "lead_id", _KEY),
        Topic(THREECX_CALL, CALLS_QUEUE, "journal", "call_key", _KEY),
    ]
    return {topic.name: topic for topic in all_topics}


TOPICS: Final = _topics()
QUEUES: Final = tuple(dict.fromkeys(topic.queue for topic in TOPICS.values()))


def find(name: str) -> Topic:
    """Find a topic by its name."""
    if name not in TOPICS:
        raise NotFoundError("There is no such topic.")
    return TOPICS[name]


def of_item(queue: str, item: str, ops: Collection[str]) -> Topic:
    """Tell which topic stands for work on an item; deleting says most about a party, creating least of all."""
    if queue == EMPLOYEES_QUEUE:
        return TOPICS[CALENDAR_SYNC_ALL if item == EVERYBODY else CALENDAR_SYNC_EMPLOYEE]
    candidates = [topic for topic in TOPICS.values() if topic.queue == queue and topic.op in ops]
    return candidates[-1]


def is_calendar(topic: Topic) -> bool:
    """Tell whether a topic runs calendars, which may be run at any time."""
    return topic.queue == EMPLOYEES_QUEUE


def is_kuerzel(text: str) -> bool:
    """Tell whether a text has the form of an employee's initials."""
    return _KUERZEL.fullmatch(text) is not None


def check_item(topic: Topic, item: str) -> str:
    """Let only well-formed names become part of Redis keys."""
    if not topic.form.fullmatch(item):
        raise _invalid(topic.field or "item", "form", "This is not a valid name.")
    return item


def item_of(topic: Topic, data: Any) -> str:
    """Read the item's name from an event's data, which must be what the topic carries."""
    if not isinstance(data, Mapping):
        raise _invalid("data", "type", "An object is needed.")
    check = _CHECKS.get(topic.queue)
    if check:
        check(topic, data)
    if not topic.field:
        return EVERYBODY
    item = data.get(topic.field)
    if not isinstance(item, str):
        raise _invalid(topic.field, "type", "A string is needed.")
    return check_item(topic, item)


def data_of(topic: Topic, item: str, now: datetime, full_content: bool | None = None) -> dict[str, Any]:
    """Build what travels on a topic for an item."""
    if topic.queue == EMPLOYEES_QUEUE:
        explicit = {} if full_content is None else {"full_content": full_content}
        return {"kuerzel": item, "full_content": full_content} if topic.field else explicit
    if topic.queue == PARTIES_QUEUE:
        return {"entity_id": item, "action": topic.op, "source": "espocrm", "timestamp": iso(now)}
    return {topic.field: item}


def _check_calendar(_topic: Topic, data: Mapping[str, Any]) -> None:
    if not isinstance(data.get("full_content"), bool | None):
        raise _invalid("full_content", "type", "true, false or nothing is needed.")


def _check_party(topic: Topic, data: Mapping[str, Any]) -> None:
    if data.get("action", topic.op) != topic.op:
        raise _invalid("action", "mismatch", "The action is not that of the topic.")


_CHECKS: Mapping[str, Callable[[Topic, Mapping[str, Any]], None]] = {
    EMPLOYEES_QUEUE: _check_calendar,
    PARTIES_QUEUE: _check_party,
}


def _invalid(field: str, code: str, message: str) -> InvalidRequestError:
    place = field if field == "data" else f"data.{field}"
    return InvalidRequestError("The event's data is not valid.", fields=[FieldProblem(place, code, message)])
