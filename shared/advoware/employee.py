"""Read Advoware's list of employees."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from shared.errors import UpstreamMalformedError
from shared.log import get_log

KUERZEL = re.compile(r"[A-Za-zÄÖÜäöüß0-9]{1,10}")

log = get_log(__name__)


@dataclass(frozen=True)
class Employee:
    """One active employee, by the initials that are Advoware's key for a person."""

    kuerzel: str
    name: str = ""
    vorname: str = ""
    email: str = ""


def read_employees(rows: Any) -> list[Employee]:
    """Read the active employees; single odd rows are left out, a list of nothing but odd ones is a failure."""
    if not isinstance(rows, list):
        raise UpstreamMalformedError("advoware", "advoware answered no list of employees")
    found: dict[str, Employee] = {}
    for place, row in enumerate(rows):
        reason = _objection(row, found)
        if reason:
            log.warning("employee_row_left_out", row=place, reason=reason)
        elif row.get("aktiv") is not False:
            found[row["kuerzel"]] = Employee(row["kuerzel"], *(_text(row, key) for key in ("name", "vorname", "email")))
    if rows and not found and not any(isinstance(row, dict) and row.get("aktiv") is False for row in rows):
        raise UpstreamMalformedError("advoware", "advoware answered no usable employee")
    return list(found.values())


def _objection(row: Any, found: dict[str, Employee]) -> str:
    if not isinstance(row, dict):
        return "no object"
    kuerzel = row.get("kuerzel")
    if not isinstance(kuerzel, str) or not KUERZEL.fullmatch(kuerzel):
        return "kuerzel"
    return "repeated" if kuerzel in found else ""


def _text(row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    return value.strip() if isinstance(value, str) else ""
