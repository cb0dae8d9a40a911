"""From the body of an EspoCRM webhook to entity ids: each item for itself, whatever else it carries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.errors import FieldProblem, InvalidRequestError, TooLargeError
from shared.events import topics

MAX_ITEMS = 1000


@dataclass(frozen=True)
class Rejected:
    """One item that names no record, and why not."""

    index: int
    reason: str


@dataclass(frozen=True)
class Items:
    """What a body asks for."""

    received: int
    ids: list[str] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)


def read_items(body: Any, topic: topics.Topic) -> Items:
    """Read one object or an array of them; an error only if no item is of use."""
    items = body if isinstance(body, list) else [body]
    if len(items) > MAX_ITEMS:
        raise TooLargeError(f"At most {MAX_ITEMS} items.")
    reasons = [_objection(item, topic) for item in items]
    ids = [item["id"] for item, reason in zip(items, reasons, strict=True) if not reason]
    rejected = [Rejected(index, reason) for index, reason in enumerate(reasons) if reason]
    if not ids:
        raise _nothing_valid(rejected)
    return Items(len(items), list(dict.fromkeys(ids)), rejected)


def _objection(item: Any, topic: topics.Topic) -> str:
    if not isinstance(item, dict):
        return "not_an_object"
    if "id" not in item:
        return "id_missing"
    if not isinstance(item["id"], str):
        return "id_not_a_string"
    return "" if topic.form.fullmatch(item["id"]) else "id_malformed"


def _nothing_valid(rejected: Sequence[Rejected]) -> InvalidRequestError:
    problems = [FieldProblem(f"{each.index}.id", each.reason, "This item names no record.") for each in rejected]
    return InvalidRequestError("No item names a record.", fields=problems or [_EMPTY])


_EMPTY = FieldProblem("body", "empty", "The array is empty.")
