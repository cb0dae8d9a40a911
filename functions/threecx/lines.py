"""Pure: single lines of the screen pop: matters, appointments, tasks, leads, calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from functions.threecx.description import read_stamp
from functions.threecx.person import Person
from shared.office_hours import BERLIN

ROLES = {"mandant": "Mandant", "gegner": "Gegner", "gegenanwalt": "Gegneranwalt", "dritter": "Dritte"}
_STATUS = {"New": "neu", "Assigned": "zugewiesen", "In Process": "in Bearbeitung"}
_PRIORITY = {"Urgent": "dringend", "High": "hoch"}
_WEEKDAYS = ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So")


@dataclass(frozen=True)
class Line:
    """One line of a list: what, more about it, where it leads, whether it matters most or is overdue."""

    text: str
    more: str = ""
    url: str = ""
    strong: bool = False
    alert: bool = False


def lawyer(row: Mapping[str, Any], person: Person) -> str:
    """Name who handles a matter."""
    kuerzel = str(row.get("sachbearbeiter") or "")
    name = person.lawyers.get(kuerzel, "")
    return f"{name} ({kuerzel})" if name else kuerzel


def matter(row: Mapping[str, Any], person: Person) -> Line:
    """Write a matter: what it is about, its number, who handles it, and which part they play."""
    role = str(row.get("rolle") or "").lower()
    more = [str(row.get("aktenNr") or ""), str(row.get("status") or ""), lawyer(row, person)]
    more += [ROLES.get(role, role)] if role and role != "mandant" else []
    more += [str(row.get("objekt") or "")]
    return Line(str(row.get("kurzrubrum") or ""), " · ".join(filter(None, more)), strong=row.get("status") == "laufend")


def appointment(row: Mapping[str, Any], today: date) -> Line:
    """Write an appointment: what, when, with whom, where."""
    clock = str(row.get("uhrzeitVon") or "")[:5]
    try:
        day = day_of(date.fromisoformat(str(row.get("datum"))[:10]), today)
    except ValueError:
        day = ""
    more = [f"{day} {clock}".strip(), str(row.get("anwalt") or ""), str(row.get("ort") or "")]
    return Line(str(row.get("text") or ""), " · ".join(filter(None, more)), strong=day == "heute")


def task(row: Mapping[str, Any], today: date) -> Line:
    """Write a task and when it is due."""
    due = read_stamp(row.get("dateEnd"))
    late = due is not None and due.astimezone(BERLIN).date() < today
    more = [f"{'überfällig seit' if late else 'bis'} {day_of(due.astimezone(BERLIN).date(), today)}"] if due else []
    more += [_PRIORITY.get(str(row.get("priority")), "")]
    return Line(str(row.get("name") or ""), " · ".join(filter(None, more)), strong=late, alert=late)


def lead(row: Mapping[str, Any]) -> Line:
    """Write a lead."""
    return Line(str(row.get("name") or ""), _STATUS.get(str(row.get("status")), ""), str(row.get("url") or ""))


def phone_call(row: Mapping[str, Any], today: date) -> Line:
    """Write a call of the past."""
    start = read_stamp(row.get("dateStart"))
    local = start.astimezone(BERLIN) if start else None
    inbound, held = row.get("direction") == "Inbound", row.get("status") == "Held"
    word = "eingehend" if inbound else "ausgehend"
    when = f"{day_of(local.date(), today)} {local:%H:%M}" if local else "ohne Zeit"
    missed = inbound and not held
    return Line(when, word if held else f"{word}, nicht angenommen", strong=missed, alert=missed)


def day_of(day: date, today: date) -> str:
    """Write a day as people say it."""
    words = {0: "heute", 1: "morgen", -1: "gestern"}
    return words.get((day - today).days) or f"{_WEEKDAYS[day.weekday()]} {day:%d.%m.%Y}"
