"""Check single values against the formats that the discovery document names."""

import functools
import re
from datetime import date, datetime
from typing import Any

MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)?")
DAY = re.compile(r"\d{4}-\d\d-\d\d")


def check_parameter(rule: dict[str, Any], text: str) -> Any:
    """Give a query parameter its type, or raise a ValueError."""
    match rule["type"]:
        case "integer":
            return _integer(rule, text)
        case "boolean":
            return _boolean(text)
    if "enum" in rule and text not in rule["enum"]:
        raise ValueError(f"Invalid value '{text}'. Allowed values: [{', '.join(rule['enum'])}]")
    if rule.get("format") == "date-time" and read_moment(text).tzinfo is None:
        raise ValueError(f"Invalid value '{text}'. An offset is required.")
    return text


def _integer(rule: dict[str, Any], text: str) -> int:
    if not re.fullmatch(r"-?\d{1,9}", text):
        raise ValueError(f"Invalid integer value: '{text}'.")
    number, low, high = int(text), rule.get("minimum"), rule.get("maximum")
    if (low is not None and number < int(low)) or (high is not None and number > int(high)):
        raise ValueError(f"Invalid value '{text}'. Values must be within the range: [{low}, {high}]")
    return number


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"Invalid boolean value: '{text}'.")
    return text == "true"


def check_text(form: str | None, text: str, where: str) -> None:
    """Check a string of a body, or raise a ValueError."""
    try:
        match form:
            case "date":
                _day(text)
            case "date-time":
                read_moment(text)
            case "int64":
                int(text)
    except ValueError as error:
        raise ValueError(f"Invalid value at '{where}': \"{text}\"") from error


def _day(text: str) -> date:
    if not DAY.fullmatch(text):
        raise ValueError(f"Invalid date: '{text}'.")
    return date.fromisoformat(text)


@functools.lru_cache(4096)
def read_moment(text: str) -> datetime:
    """Read an RFC 3339 time whose offset may be missing."""
    if not MOMENT.fullmatch(text):
        raise ValueError(f"Invalid date-time: '{text}'.")
    return datetime.fromisoformat(text.upper())
