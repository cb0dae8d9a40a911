"""Pure: what stands on the screen pop, in German, ready to be read in two seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from functions.threecx.call import Call
from functions.threecx.lines import ROLES, Line, appointment, lawyer, lead, matter, phone_call, task
from functions.threecx.matching import EXACT, Hit
from functions.threecx.person import Person
from shared.domain.call import Consent, Status
from shared.office_hours import BERLIN

KINDS = {"Contact": "Kontakt", "Account": "Firma", "Lead": "Lead", "Beteiligte": "Beteiligte in Advoware"}
_CONSENT = {
    Consent.NONE: "keine Einwilligung, es wird nicht aufgezeichnet",
    Consent.ASKED: "angefragt, noch keine Einwilligung",
    Consent.GIVEN: "eingewilligt",
    Consent.REFUSED: "abgelehnt",
    Consent.WITHDRAWN: "Einwilligung widerrufen",
}
_OF_A_LEAD = ("Dringlichkeit: ", "Rückruf: ", "Kollision: ", "Prüfung: ")
State = Literal["known", "several", "unknown", "withheld", "down", "expired", "gone"]


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
    soon: tuple[Line, ...] = ()
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
        "summary": _opposes(running, person) if opponent else _summary(running, person),
        "soon": _soon(person, today),
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
    lawyers = dict.fromkeys(lawyer(row, person) for row in running)
    count = "1 laufende Akte" if len(running) == 1 else f"{len(running)} laufende Akten"
    return f"{count} · {', '.join(name for name in lawyers if name)}".rstrip(" ·")


def _opposes(running: list[Mapping[str, Any]], person: Person) -> str:
    """Say whose opponent it is: the matters and who handles them."""
    against = [row for row in running or person.matters if str(row.get("rolle") or "").lower() == "gegner"]
    return "Gegner in " + ", ".join(f"{row.get('aktenNr')} · {lawyer(row, person)}" for row in against)


def _soon(person: Person, today: date) -> tuple[Line, ...]:
    """Name what somebody must know at once: what a lead wants, the next appointment, and what is overdue."""
    told = str(person.record.get("description") or "").splitlines()
    lines = [Line(line.strip()) for line in told if line.strip().startswith(_OF_A_LEAD)]
    if person.appointments:
        first = appointment(person.appointments[0], today)
        lines.append(Line(f"Nächster Termin: {first.more.partition(' · ')[0]}, {first.text}"))
    late = sum(task(row, today).alert for row in person.tasks)
    if late:
        lines.append(Line("1 Aufgabe überfällig" if late == 1 else f"{late} Aufgaben überfällig", alert=True))
    return tuple(lines)


def _sections(person: Person, today: date) -> tuple[Section, ...]:
    late = set(person.silent)
    return (
        Section(
            "akten",
            "Akten",
            tuple(matter(row, person) for row in person.matters),
            "Keine Akte in Advoware.",
            "matters" in late,
        ),
        Section(
            "termine",
            "Nächste Termine",
            tuple(appointment(row, today) for row in person.appointments),
            "Kein Termin in den nächsten 60 Tagen.",
            "appointments" in late,
        ),
        Section(
            "aufgaben",
            "Offene Aufgaben",
            tuple(task(row, today) for row in person.tasks),
            "Nichts offen.",
            "tasks" in late,
        ),
        Section(
            "leads", "Offene Leads", tuple(lead(row) for row in person.leads), "Kein offener Lead.", "leads" in late
        ),
        Section(
            "anrufe",
            "Letzte Anrufe",
            tuple(phone_call(row, today) for row in person.calls),
            "Noch kein Anruf verzeichnet.",
            "calls" in late,
        ),
    )


def berlin_day(now: datetime) -> date:
    """Say which day it is in the office."""
    return now.astimezone(BERLIN).date()
