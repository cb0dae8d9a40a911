"""Pure: a call as a Call of EspoCRM, and its tasks; what people have written there stays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from functions.threecx.call import Group
from functions.threecx.matching import Hit
from shared.clock import iso
from shared.domain.call import Consent
from shared.threecx.number import display

ID_LINE = "Vorgang: "
_OURS = (ID_LINE, "Einwilligung: ", "Aufzeichnung: ", "Zuordnung: ", "Warteschlange: ", "Verlauf: ")
_CONSENT = {
    Consent.ASKED: "angefragt",
    Consent.GIVEN: "erteilt",
    Consent.REFUSED: "abgelehnt",
    Consent.WITHDRAWN: "widerrufen",
}
_FORMAT = "%Y-%m-%d %H:%M:%S"
NAME_LENGTH = 249


@dataclass(frozen=True)
class Known:
    """What the journal has found out besides the call itself."""

    hits: tuple[Hit, ...] = ()
    parent: Hit | None = None
    owner: str = ""
    recording_url: str = ""
    erasable: bool = True


def call_fields(group: Group, known: Known) -> dict[str, Any]:
    """Write a call as EspoCRM wants it."""
    call, parent = group.call, known.parent
    inbound = call.direction == "inbound"
    whom = parent.name if parent and parent.name else caller_name(call.number)
    fields: dict[str, Any] = {
        "name": f"{'Eingehender' if inbound else 'Ausgehender'} Anruf {whom}"[:NAME_LENGTH],
        "status": "Held" if call.answered else "Not Held",
        "direction": "Inbound" if inbound else "Outbound",
        "dateStart": stamp(call.start),
        "dateEnd": stamp(call.end or call.last),
        "description": "\n".join(_lines(group, known)),
    }
    if known.owner:
        fields |= {"assignedUserId": known.owner, "usersIds": [known.owner]}
    return fields | parent_fields(parent)


def parent_fields(parent: Hit | None) -> dict[str, Any]:
    """Link the record to which something belongs."""
    if parent is None:
        return {}
    links = {"Contact": {"contactsIds": [parent.id]}, "Lead": {"leadsIds": [parent.id]}}
    return {"parentType": parent.type, "parentId": parent.id, **links.get(parent.type, {})}


def caller_name(number: str) -> str:
    """Name somebody of whom only the number is known, if that."""
    return number or "mit unterdrückter Nummer"


def changes(wanted: dict[str, Any], stored: dict[str, Any]) -> dict[str, Any]:
    """Say what to change in a record that is there: our lines, not the notes; a parent that a person chose stays."""
    fields = {**wanted, "description": merged(str(stored.get("description") or ""), wanted["description"])}
    if stored.get("parentId") and stored.get("parentId") != wanted.get("parentId"):
        fields = {name: value for name, value in fields.items() if not name.startswith("parent") and name != "name"}
    return {name: value for name, value in fields.items() if stored.get(name) != value}


def merged(stored: str, ours: str) -> str:
    """Put our lines in the place of the earlier ones and leave all others."""
    theirs = [line for line in stored.splitlines() if not line.startswith(_OURS)]
    text = "\n".join(theirs).strip("\n")
    return f"{text}\n{ours}" if text else ours


def stamp(moment: datetime) -> str:
    """Write a moment as EspoCRM does."""
    return moment.astimezone(UTC).strftime(_FORMAT)


def read_stamp(text: Any) -> datetime | None:
    """Read a moment of EspoCRM's."""
    try:
        return datetime.strptime(str(text)[:19], _FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None


def _lines(group: Group, known: Known) -> list[str]:
    call = group.call
    lines = []
    if len(known.hits) > 1 and known.parent is None:
        lines.append(f"Zuordnung: offen, {len(known.hits)} mögliche Personen")
    elif known.hits and known.parent is None:
        lines.append(f"Zuordnung: vermutlich {known.hits[0].name}")
    if call.queue:
        lines.append(f"Warteschlange: {call.queue}")
    moves = sorted((event.at, event.moved_to) for event in call.events if event.moved_to)
    if moves:
        lines.append("Verlauf: " + ", ".join(f"{iso(at)} weitergeleitet an {to}" for at, to in moves))
    if call.consent is not Consent.NONE:
        lines.append(f"Einwilligung: {_consent(group)}")
    if known.recording_url:
        lines.append(f"Aufzeichnung: {known.recording_url}")
    elif call.recording_id and call.consent is not Consent.GIVEN:
        lines.append(f"Aufzeichnung: gesperrt, {'gelöscht' if known.erasable else 'in der Telefonanlage zu löschen'}")
    return [*lines, *(ID_LINE + key for key in group.keys)]


def _consent(group: Group) -> str:
    """Say which consent there is, since when, and who says so: it has to be proved later."""
    call = group.call
    said = min((event for event in call.events if event.consent is call.consent), key=lambda event: event.at)
    by = f"Nebenstelle {said.agent}" if said.agent else "Telefonanlage"
    return f"{_CONSENT[call.consent]} ({iso(said.at)}, gemeldet von {by})"


__all__ = [
    "Known",
    "call_fields",
    "caller_name",
    "changes",
    "display",
    "merged",
    "parent_fields",
    "read_stamp",
    "stamp",
]
