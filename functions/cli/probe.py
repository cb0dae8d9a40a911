"""Facts about this installation of Advoware that its vendor does not document; reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from functions.cli.findings import Finding
from functions.cli.firm import Firm

KNOWN = frozenset(
    """frNr anwalt datum datumBis uhrzeitVon uhrzeitBis dauertermin turnus turnusArt text ort notiz
    zuletztGeaendertAm""".split()
)
NOBODYS = 2_000_000_000
DAYS = 90


def advoware(firm: Firm) -> Iterator[Finding]:
    """Look at the appointments of all employees around today; shows names of fields and figures, never content."""
    deps = firm.deps
    now = deps.clock()
    rows: list[dict[str, Any]] = []
    for kuerzel in deps.employees.all():
        rows += deps.advoware.appointments(kuerzel, now - timedelta(days=DAYS), now + timedelta(days=DAYS))
    yield _fact(f"{len(rows)} appointments within {DAYS} days")
    names = Counter(name for row in rows for name in row)
    absent = sorted(KNOWN - names.keys()) if rows else []
    yield _fact("fields that are never there: " + (", ".join(absent) or "none"))
    yield _fact("fields that we pass through: " + (", ".join(sorted(names.keys() - KNOWN)) or "none"))
    yield _all_day(rows, deps.settings.calendar.all_day_field)
    spelt = Counter(len(str(row.get("datum"))) for row in rows)
    yield _fact("dates are spelt with " + (", ".join(f"{n} characters ({c})" for n, c in spelt.items()) or "nothing"))
    derived = sum(not str(row.get("frNr")).isdigit() for row in rows)
    everybody = sum(str(row.get("anwalt") or "").upper() in {"", "ALLE"} for row in rows)
    yield _fact(f"derived numbers: {derived}; appointments of everybody: {everybody}")
    longest = [f"{name} {_longest(name, rows)}" for name in ("text", "ort", "notiz")]
    yield _fact("longest texts: " + ", ".join(longest))
    gone = deps.advoware.appointment(NOBODYS) is None
    yield _fact(f"a number that nobody has is answered {'as gone' if gone else 'with an appointment'}")


def _longest(name: str, rows: list[dict[str, Any]]) -> int:
    return max((len(str(row.get(name) or "")) for row in rows), default=0)


def _all_day(rows: list[dict[str, Any]], configured: str) -> Finding:
    """Compare what the rows say with ADVOWARE_ALL_DAY_FIELD."""
    has_other = any("abwesenheit" in row for row in rows)
    series = sum(str(row.get("dauertermin")) == "1" and bool(row.get("turnus")) for row in rows)
    single = sum(str(row.get("dauertermin")) == "1" and not row.get("turnus") for row in rows)
    detail = f"dauertermin is set on {single} single appointments and {series} series; abwesenheit is " + (
        "there" if has_other else "not there"
    )
    doubtful = has_other and series > single and configured == "dauertermin"
    mend = "ADVOWARE_ALL_DAY_FIELD=abwesenheit may be right here; compare a few with Advoware itself"
    return Finding("warn", "probe", detail, mend) if doubtful else Finding("ok", "probe", detail)


def _fact(text: str) -> Finding:
    return Finding("ok", "probe", text)
