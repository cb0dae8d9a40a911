"""Pure: what stands on the screen pop, in German, ready to be read in two seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from functions.threecx.call import Call
from functions.threecx.hours import BERLIN
from functions.threecx.matching import EXACT, Hit
from functions.threecx.person import Person
from functions.threecx.records import read_stamp
from shared.domain.call import Consent, Status

KINDS = {"Contact": "Kontakt", "Account": "Firma", "Lead": "Lead", "Beteiligte": "Beteiligte in Advoware"}
ROLES = {"mandant": "Mandant", "gegner": "Gegner", "gegenanwalt": "Gegneranwalt", "dritter": "Dritte"}
_CONSENT = {
    Consent.NONE: "keine Einwilligung, es wird nicht aufgezeichnet",
    Consent.ASKED: "angefragt, noch keine Einwilligung",
    Consent.GIVEN: "eingewilligt",
    Consent.REFUSED: "abgelehnt",
    Consent.WITHDRAWN: "Einwilligung widerrufen",
}
_STATUS = {"New": "neu", "Assigned": "zugewiesen", "In Process": "in Bearbeitung"}
_PRIORITY = {"Urgent": "dringend", "High": "hoch"}
_WEEKDAYS = ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So")
State = Literal["known", "several", "unknown", "withheld", "down", "expired", "gone"]


@dataclass(frozen=True)
class Line:
    """One line of a list: what, more about it, where it leads, and whether it matters most."""

    text: str
    more: str = ""
    url: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Section:
    """One list of the page."""

    id: str
    title: str
    lines: tuple[Line, ...] = ()
    empty: str = ""
    late: bool = False


@dataclass(frozen=True)
class Choice:
    """One of several people who may be on the line."""

    name: str
    kind: str
    more: str
    url: str
    likely: bool


@dataclass(frozen=True)
class Page:
    """Everything that stands on the page."""

    state: State
    title: str
    number: str = ""
    dial: str = ""
    kind: str = ""
    role: str = ""
    opponent: bool = False
    likely: bool = False
    firm: str = ""
    summary: str = ""
    call: str = ""
    consent: str = ""
    do_not_call: bool = False
    record_url: str = ""
    lead_url: str = ""
    contact_url: str = ""
    choices: tuple[Choice, ...] = ()
    sections: tuple[Section, ...] = field(default_factory=tuple)
    silent: bool = False


def known_parts(hit: Hit, person: Person, today: date) -> dict[str, Any]:
    """Say what is known about one person."""
    record, running = person.record, [row for row in person.matters if row.get("status") == "laufend"]
    roles = list(dict.fromkeys(str(row.get("rolle") or "").lower() for row in [*running, *person.matters]))
    opponent = "gegner" in roles
    role = "gegner" if opponent else next((each for each in roles if each), "")
    return {
        "title": hit.name or "Ohne Namen",
        "kind": KINDS.get(hit.type, hit.type),
        "role": ROLES.get(role, role.capitalize()),
        "opponent": opponent,
        "likely": hit.match != EXACT,
        "firm": hit.company if hit.company != hit.name else "",
        "summary": _summary(running, person),
        "do_not_call": bool(record.get("doNotCall")),
        "record_url": hit.url,
        "sections": _sections(person, today),
        "silent": bool(person.silent),
    }


def choice(hit: Hit, url: str) -> Choice:
    """Write one hit for the chooser."""
    more = ", ".join(filter(None, (hit.company if hit.company != hit.name else "", hit.email)))
    return Choice(hit.name or "Ohne Namen", KINDS.get(hit.type, hit.type), more, url, hit.match != EXACT)


def call_line(call: Call | None) -> str:
    """Say which call this is."""
    if call is None or not call.events:
        return ""
    words = ["Eingehender Anruf" if call.direction == "inbound" else "Ausgehender Anruf"]
    words += [f"Nebenstelle {call.agent}"] if call.agent else []
    words += [f"Warteschlange {call.queue}"] if call.queue else []
    if call.status is Status.ENDED:
        words.append("beendet" if call.answered else "nicht angenommen")
    return " · ".join(words)


def consent_line(call: Call | None) -> str:
    """Say whether this call may be recorded."""
    return _CONSENT[call.consent if call else Consent.NONE]


def _summary(running: list[Mapping[str, Any]], person: Person) -> str:
    if "matters" in person.silent:
        return "Akten gerade nicht abrufbar"
    if not running:
        return "Keine laufende Akte"
    lawyers = dict.fromkeys(_lawyer(row, person) for row in running)
    count = "1 laufende Akte" if len(running) == 1 else f"{len(running)} laufende Akten"
    return f"{count} · {', '.join(name for name in lawyers if name)}".rstrip(" ·")


def _lawyer(row: Mapping[str, Any], person: Person) -> str:
    kuerzel = str(row.get("sachbearbeiter") or "")
    name = person.lawyers.get(kuerzel, "")
    return f"{name} ({kuerzel})" if name else kuerzel


def _sections(person: Person, today: date) -> tuple[Section, ...]:
    late = set(person.silent)
    return (
        Section(
            "akten",
            "Akten",
            tuple(_matter(row, person) for row in person.matters),
            "Keine Akte in Advoware.",
            "matters" in late,
        ),
        Section(
            "termine",
            "Nächste Termine",
            tuple(_appointment(row, today) for row in person.appointments),
            "Kein Termin in den nächsten 60 Tagen.",
            "appointments" in late,
        ),
        Section(
            "aufgaben",
            "Offene Aufgaben",
            tuple(_task(row, today) for row in person.tasks),
            "Nichts offen.",
            "tasks" in late,
        ),
        Section(
            "leads", "Offene Leads", tuple(_lead(row) for row in person.leads), "Kein offener Lead.", "leads" in late
        ),
        Section(
            "anrufe",
            "Letzte Anrufe",
            tuple(_call(row, today) for row in person.calls),
            "Noch kein Anruf verzeichnet.",
            "calls" in late,
        ),
    )


def _matter(row: Mapping[str, Any], person: Person) -> Line:
    role = str(row.get("rolle") or "").lower()
    more = [str(row.get("aktenNr") or ""), str(row.get("status") or ""), _lawyer(row, person)]
    more += [ROLES.get(role, role)] if role and role != "mandant" else []
    more += [str(row.get("objekt") or "")]
    return Line(str(row.get("kurzrubrum") or ""), " · ".join(filter(None, more)), strong=row.get("status") == "laufend")


def _appointment(row: Mapping[str, Any], today: date) -> Line:
    clock = str(row.get("uhrzeitVon") or "")[:5]
    try:
        day = _day(date.fromisoformat(str(row.get("datum"))[:10]), today)
    except ValueError:
        day = ""
    more = [f"{day} {clock}".strip(), str(row.get("anwalt") or ""), str(row.get("ort") or "")]
    return Line(str(row.get("text") or ""), " · ".join(filter(None, more)), strong=day == "heute")


def _task(row: Mapping[str, Any], today: date) -> Line:
    due = read_stamp(row.get("dateEnd"))
    late = due is not None and due.astimezone(BERLIN).date() < today
    more = [f"{'überfällig seit' if late else 'bis'} {_day(due.astimezone(BERLIN).date(), today)}"] if due else []
    more += [_PRIORITY.get(str(row.get("priority")), "")]
    return Line(str(row.get("name") or ""), " · ".join(filter(None, more)), strong=late)


def _lead(row: Mapping[str, Any]) -> Line:
    return Line(str(row.get("name") or ""), _STATUS.get(str(row.get("status")), ""), str(row.get("url") or ""))


def _call(row: Mapping[str, Any], today: date) -> Line:
    start = read_stamp(row.get("dateStart"))
    local = start.astimezone(BERLIN) if start else None
    inbound, held = row.get("direction") == "Inbound", row.get("status") == "Held"
    word = "Eingehend" if inbound else "Ausgehend"
    more = [f"{_day(local.date(), today)} {local:%H:%M}" if local else "", "" if held else "nicht angenommen"]
    return Line(word, " · ".join(filter(None, more)), strong=inbound and not held)


def _day(day: date, today: date) -> str:
    words = {0: "heute", 1: "morgen", -1: "gestern"}
    return words.get((day - today).days) or f"{_WEEKDAYS[day.weekday()]} {day:%d.%m.%Y}"


def berlin_day(now: datetime) -> date:
    """Say which day it is in the office."""
    return now.astimezone(BERLIN).date()
