"""Search records: the where items of EspoCRM's lists, from searchParams or in PHP's bracket style."""

import fnmatch
import json
import re
from collections.abc import Callable
from typing import Any

from werkzeug.datastructures import MultiDict

from sandbox.espocrm.answers import Json, Refused
from sandbox.espocrm.entities import Entity

MAX_SIZE = 200
Test = Callable[[str, Any], bool]


def _contains(stored: str, wanted: Any) -> bool:
    return str(wanted).casefold() in stored.casefold()


TESTS: dict[str, Test] = {
    "equals": lambda stored, wanted: stored.casefold() == str(wanted).casefold(),
    "on": lambda stored, wanted: stored[:10] == str(wanted)[:10],
    "contains": _contains,
    "startsWith": lambda stored, wanted: stored.casefold().startswith(str(wanted).casefold()),
    "endsWith": lambda stored, wanted: stored.casefold().endswith(str(wanted).casefold()),
    "like": lambda stored, wanted: fnmatch.fnmatchcase(stored.casefold(), str(wanted).casefold().replace("%", "*")),
    "greaterThan": lambda stored, wanted: compare(stored, wanted) > 0,
    "greaterThanOrEquals": lambda stored, wanted: compare(stored, wanted) >= 0,
    "lessThan": lambda stored, wanted: compare(stored, wanted) < 0,
    "lessThanOrEquals": lambda stored, wanted: compare(stored, wanted) <= 0,
    "after": lambda stored, wanted: compare(stored, wanted) > 0,
    "before": lambda stored, wanted: compare(stored, wanted) < 0,
    "between": lambda stored, wanted: str(wanted[0]) <= stored <= str(wanted[1]),
    "in": lambda stored, wanted: stored in map(str, wanted),
    "arrayAnyOf": lambda stored, wanted: any(str(each) in stored for each in wanted),
    "linkedWith": lambda stored, wanted: any(str(each) in stored for each in wanted),
}
NEGATIONS = {"notEquals": "equals", "notIn": "in", "notContains": "contains", "notLinkedWith": "linkedWith"}


def compare(stored: str, wanted: Any) -> int:
    """Compare numbers as numbers and everything else as text."""
    try:
        left, right = float(stored), float(wanted)
    except ValueError:
        return (stored > str(wanted)) - (stored < str(wanted))
    return (left > right) - (left < right)


def values(record: Json, attribute: str) -> list[str]:
    """List what a record holds: of numbers and addresses all of them."""
    for name in ("phoneNumber", "emailAddress"):
        if attribute in (name, f"{name}Numeric"):
            every = [each[name] for each in record.get(f"{name}Data") or []]
            return [re.sub(r"\D", "", each) for each in every] if attribute.endswith("Numeric") else every
    value = record.get(attribute)
    return [] if value is None else [str(value)]


def holds(entity: Entity, record: Json, item: Json) -> bool:
    """Say whether a record fits one where item."""
    kind, attribute, wanted = item.get("type"), item.get("attribute") or item.get("field"), item.get("value")
    if kind in ("or", "and"):
        return (any if kind == "or" else all)([holds(entity, record, each) for each in listed(wanted)])
    if kind == "textFilter":
        return any(_contains(str(record.get(name) or ""), wanted) for name in ("name", "emailAddress", "phoneNumber"))
    link = f"{attribute}Ids" if kind in ("linkedWith", "notLinkedWith") else str(attribute)
    if not entity.knows(link):
        raise Refused(400, f"Not existing attribute '{attribute}' in where.")
    found = values(record, link)
    match kind:
        case "isNull" | "isNotNull":
            return bool(found) is (kind == "isNotNull")
        case "isTrue" | "isFalse":
            return bool(record.get(link)) is (kind == "isTrue")
        case _ if kind in NEGATIONS:
            return not any(TESTS[NEGATIONS[kind]](each, wanted) for each in found)
        case _ if kind in TESTS:
            return any(TESTS[kind](each, wanted) for each in found)
    raise Refused(400, f"Unknown where item type '{kind}'.")


def listed(value: Any) -> list[Any]:
    """Read an array, whether it came as JSON or as PHP's numbered keys."""
    return list(value.values()) if isinstance(value, dict) else list(value or [])


def read_query(args: MultiDict[str, str]) -> Json:
    """Read searchParams, or the parameters in bracket style; a where that is a JSON text is ignored."""
    if "searchParams" in args:
        return dict(json.loads(args["searchParams"]))
    query: Json = {name: args[name] for name in ("maxSize", "offset", "orderBy", "order", "select") if name in args}
    for name, value in args.items(multi=True):
        path = re.findall(r"[^\[\]]+", name)
        if path[0] in ("where", "whereGroup") and len(path) > 1:
            put(query, ["where", *path[1:]], value)
    if isinstance(query.get("select"), str):
        query["select"] = query["select"].split(",")
    return query


def put(tree: Json, path: list[str], value: str) -> None:
    """Store a value under nested keys."""
    for key in path[:-1]:
        tree = tree.setdefault(key, {})
    tree[path[-1]] = value


def search(entity: Entity, records: list[Json], query: Json) -> tuple[list[Json], int]:
    """Find, sort and cut; also say how many there are in all."""
    size = int(query.get("maxSize", MAX_SIZE))
    if size > MAX_SIZE:
        raise Refused(403, f"Max size should not exceed {MAX_SIZE}. Use offset and limit.")
    order = query.get("orderBy") or "createdAt"
    if not entity.knows(order):
        raise Refused(400, f"Order by non-existing field '{order}'.")
    where = listed(query.get("where"))
    for item in where:
        holds(entity, {}, item)  # refuses what cannot be searched, whatever there is
    found = [each for each in records if all(holds(entity, each, item) for item in where)]
    direction = query.get("order", "asc" if "orderBy" in query else "desc")
    found.sort(key=lambda each: (str(each.get(order) or ""), each["id"]), reverse=direction == "desc")
    offset = int(query.get("offset", 0))
    return found[offset : offset + size], len(found)
