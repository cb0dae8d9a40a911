"""Pure: what stands on the screen pop, in German, ready to be read in two seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from functions.threecx.call import Call
from functions.threecx.lines import ROLES, Line, appointment, lawyer, lead, matter, phone_call, task
from functions.threecx.matching import EXACT, Hit, is_opted_out
from functions.threecx.person import Person, Rows
from shared.domain.call import Consent, Status
from shared.office_hours import BERLIN
from shared.threecx.number import Number

KINDS = {"Contact": "Kontakt", "Account": "Firma", "Lead": "Lead", "Beteiligte": "Beteiligte in Advoware"}
_CONSENT = {
    Consent.NONE: "Keine Aufzeichnung: keine Einwilligung",
    Consent.ASKED: "Keine Aufzeichnung: Einwilligung nur angefragt",
    Consent.GIVEN: "Aufzeichnung: eingewilligt",
    Consent.REFUSED: "Keine Aufzeichnung: abgelehnt",
    Consent.WITHDRAWN: "Keine Aufzeichnung: Einwilligung widerrufen",
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

    @property
    def blank(self) -> bool:
        """Tell whether there is nothing to show, and that is certain."""
        return not self.lines and not self.late


@dataclass(frozen=True)
class Choice:
    """One of several people who may be on the line."""

    name: str
    kind: str
    more: str
    url: str
    likely: bool
    role: str = ""
    opponent: bool = False
    matters: str = ""


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
    others_url: str = ""
    lead_url: str = ""
    contact_url: str = ""
    choices: tuple[Choice, ...] = ()
    sections: tuple[Section, ...] = field(default_factory=tuple)
    silent: bool = False


def known_parts(hit: Hit, person: Person, today: date, number: Number | None = None) -> dict[str, Any]:
    """Say what is known about one person."""
    record, running, role = person.record, _running(person.matters), _role(person.matters)
    opponent = role == "gegner"
    return {
        "title": hit.name or "Ohne Namen",
        "kind": KINDS.get(hit.type, hit.type),
        "role": _word(role),
        "opponent": opponent,
        "likely": hit.match != EXACT,
        "firm": hit.company if hit.company != hit.name else "",
        "summary": _opposes(running, person) if opponent else _summary(running, person),
        "soon": _soon(person, today),
        "do_not_call": bool(record.get("doNotCall")) or (number is not None and is_opted_out(record, number)),
        "record_url": hit.url,
        "sections": _sections(person, today),
        "silent": bool(person.silent),
    }


def choice(hit: Hit, url: str, matters: Rows) -> Choice:
    """Write one hit for the chooser: name, part, matters."""
    person, role = Person(matters=matters), _role(matters)
    running = _running(matters)
    more = ", ".join(filter(None, (hit.company if hit.company != hit.name else "", hit.email)))
    what = _summary(running, person) if running else ""
    kind = KINDS.get(hit.type, hit.type)
    return Choice(hit.name or "Ohne Namen", kind, more, url, hit.match != EXACT, _word(role), role == "gegner", what)


def several_parts(choices: Sequence[Choice]) -> dict[str, Any]:
    """Ask who of several people it is, those with running matters first."""
    ordered = sorted(choices, key=lambda each: (each.likely, not each.matters))
    return {"title": "Wer ruft an?", "summary": f"{len(ordered)} mögliche Anrufer", "choices": tuple(ordered)}


def stranger_parts(calls: Rows, today: date) -> dict[str, Any]:
    """Say that nobody has a number, and when it has called before."""
    lines = tuple(phone_call(row, today) for row in calls)
    sections = (Section("anrufe", "Letzte Anrufe", lines),) if lines else ()
    return {"title": "Unbekannte Nummer", "sections": sections}


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


def _running(matters: Rows) -> Rows:
    return [row for row in matters if row.get("status") == "laufend"]


def _role(matters: Rows) -> str:
    """Choose the part somebody plays: an opponent anywhere is an opponent."""
    roles = [str(row.get("rolle") or "").lower() for row in [*_running(matters), *matters]]
    return "gegner" if "gegner" in roles else next((each for each in roles if each), "")


def _word(role: str) -> str:
    return ROLES.get(role, role.capitalize())


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
            "Keine Akte in Advoware",
            "matters" in late,
        ),
        Section(
            "termine",
            "Nächste Termine",
            tuple(appointment(row, today) for row in person.appointments),
            "Kein Termin in den nächsten 60 Tagen",
            "appointments" in late,
        ),
        Section(
            "aufgaben",
            "Offene Aufgaben",
            tuple(task(row, today) for row in person.tasks),
            "Keine offene Aufgabe",
            "tasks" in late,
        ),
        Section(
            "leads", "Offene Leads", tuple(lead(row) for row in person.leads), "Kein offener Lead", "leads" in late
        ),
        Section(
            "anrufe",
            "Letzte Anrufe",
            tuple(phone_call(row, today) for row in person.calls),
            "Noch kein Anruf",
            "calls" in late,
        ),
    )


def berlin_day(now: datetime) -> date:
    """Say which day it is in the office."""
    return now.astimezone(BERLIN).date()
