"""Check recurrence lines roughly and tell when a series ends."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from sandbox.google.errors import GoogleError, invalid

WEEKDAYS = "MO|TU|WE|TH|FR|SA|SU"
NUMBERS = r"[+-]?\d{1,3}(,[+-]?\d{1,3})*"
PARTS = {
    "FREQ": "DAILY|WEEKLY|MONTHLY|YEARLY",
    "INTERVAL": r"[1-9]\d{0,3}",
    "COUNT": r"[1-9]\d{0,4}",
    "UNTIL": r"\d{8}(T\d{6}Z)?",
    "WKST": WEEKDAYS,
    "BYDAY": rf"([+-]?\d{{1,2}})?({WEEKDAYS})(,([+-]?\d{{1,2}})?({WEEKDAYS}))*",
    **dict.fromkeys(("BYMONTHDAY", "BYMONTH", "BYSETPOS", "BYYEARDAY", "BYWEEKNO"), NUMBERS),
}
LONGEST_DAYS = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}
SIZE_LIMIT = 16_000


def check_recurrence(lines: list[str], *, all_day: bool) -> None:
    """Refuse lines that Google refuses: DTSTART, broken rules, an UNTIL of the wrong kind."""
    if sum(map(len, lines)) > SIZE_LIMIT:
        raise GoogleError(400, "invalid", "The recurrence exceeds the allowed size limit.")
    for line in lines:
        name, _, value = line.partition(":")
        if name == "RRULE":
            _check_rule(value, all_day)
        elif not re.match(r"(RDATE|EXDATE)(;.*)?$", name) or not value:
            raise invalid(f"Invalid recurrence line: {line}")


def _check_rule(rule: str, all_day: bool) -> None:
    parts = rule_parts(rule)
    for name, value in parts.items():
        if name not in PARTS or not re.fullmatch(PARTS[name], value):
            raise invalid(f"Invalid recurrence rule: {rule}")
    wrong_until = "UNTIL" in parts and ("T" in parts["UNTIL"]) == all_day
    if "FREQ" not in parts or {"UNTIL", "COUNT"} <= parts.keys() or wrong_until:
        raise invalid(f"Invalid recurrence rule: {rule}")


def rule_parts(rule: str) -> dict[str, str]:
    """Split a rule into its parts."""
    return {name: value for name, _, value in (part.partition("=") for part in rule.split(";"))}


def last_moment(lines: Iterable[str], start: datetime) -> datetime | None:
    """Tell when the last occurrence begins at the latest; None for a series without end."""
    ends = [_rule_end(rule_parts(line[6:]), start) for line in lines if line.startswith("RRULE:")]
    return None if None in ends else max([start, *(end for end in ends if end)])


def _rule_end(parts: dict[str, str], start: datetime) -> datetime | None:
    if "UNTIL" in parts:
        text = parts["UNTIL"]
        moment = datetime.strptime(text[:15], "%Y%m%dT%H%M%S" if "T" in text else "%Y%m%d").replace(tzinfo=UTC)
        return moment if "T" in text else moment + timedelta(days=1)
    if "COUNT" in parts:
        steps = (int(parts["COUNT"]) - 1) * int(parts.get("INTERVAL", 1))
        days = min(steps * LONGEST_DAYS[parts["FREQ"]], 365 * 5000)
        return start + timedelta(days=days)
    return None
