"""Numbers and addresses of a record: one primary value, and a list of all."""

import re
from typing import Any

from sandbox.espocrm.answers import Json, Refused

PHONE = re.compile(r"\+[1-9]\d{4,14}")
EMAIL = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;.]+")
KINDS = {"phoneNumber": "valid", "emailAddress": "emailAddress"}


def normal(entity: str, name: str, value: str) -> str:
    """Write a value as it is stored, or refuse it."""
    if name == "emailAddress":
        if not EMAIL.fullmatch(value):
            raise Refused.invalid(entity, name, KINDS[name])
        return value
    plain = re.sub(r"[\s()/-]", "", value)
    if not PHONE.fullmatch(plain):
        raise Refused.invalid(entity, name, KINDS[name])
    return plain


def row(name: str, value: str, primary: bool, given: Json | None = None) -> Json:
    """Write one entry of the list."""
    extra: Json = {"type": "Mobile"} if name == "phoneNumber" else {"lower": value.lower()}
    return {name: value, **extra, "optOut": False, "invalid": False, **(given or {}), "primary": primary}


def set_channel(entity: str, record: Json, fields: Json, name: str) -> None:
    """Change a record's numbers or addresses as the fields of a write say."""
    data, rows = f"{name}Data", list(record.get(f"{name}Data") or [])
    if isinstance(fields.get(data), list):
        rows = [
            row(name, normal(entity, name, each[name]), bool(each.get("primary")), without(each, name))
            for each in fields[data]
        ]
        if rows and not any(each["primary"] for each in rows):
            rows[0]["primary"] = True
    elif name in fields:
        rows = with_primary(entity, name, rows, fields[name] or None)
    record[data] = sorted(rows, key=lambda each: not each["primary"])
    record[name] = next((each[name] for each in rows if each["primary"]), None)


def with_primary(entity: str, name: str, rows: list[Json], value: Any) -> list[Json]:
    """Put a value in the place of the primary one; none takes it away and leaves the others."""
    others = [each for each in rows if not each["primary"]]
    if value is None:
        return others
    plain = normal(entity, name, str(value))
    kept = next((each for each in rows if each["primary"]), {})
    first = row(name, plain, True, {"type": kept["type"]} if "type" in kept else None)
    return [first, *(each for each in others if each[name] != plain)]


def without(given: Json, name: str) -> Json:
    """Take the value out of an entry."""
    return {key: value for key, value in given.items() if key not in (name, "primary")}
