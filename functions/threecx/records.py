"""Pure: a call as a Call of EspoCRM; what people have written or chosen there stays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from functions.threecx.call import Group
from functions.threecx.description import Facts, added, knows_more, merged, stamp, without_match, written
from functions.threecx.matching import Hit

NAME_LENGTH = 249


@dataclass(frozen=True)
class Known:
    """What the journal has found out besides the call itself."""

    hits: tuple[Hit, ...] = ()
    parent: Hit | None = None
    owner: str = ""
    recording_url: str = ""
    erased: bool = False
    recording_id: str = ""


def call_fields(group: Group, known: Known) -> dict[str, Any]:
    """Write a call as EspoCRM wants it."""
    call, parent = group.call, known.parent
    inbound = call.direction == "inbound"
    facts = Facts(_match(known), known.recording_url, known.erased, known.recording_id)
    fields: dict[str, Any] = {
        "name": _name(parent, call.number, inbound=inbound),
        "status": "Held" if call.answered else "Not Held",
        "direction": "Inbound" if inbound else "Outbound",
        "dateStart": stamp(call.start),
        "dateEnd": stamp(call.end or call.last),
        "description": written(group, facts),
    }
    if known.owner:
        fields |= {"assignedUserId": known.owner, "usersIds": [known.owner]}
    return fields | parent_fields(parent)


def linked(stored: Mapping[str, Any], parent: Hit) -> dict[str, Any]:
    """Say what to change in a call of nobody once its caller is known."""
    name = _name(parent, "", inbound=stored.get("direction") == "Inbound")
    return {"name": name, "description": without_match(str(stored.get("description") or "")), **parent_fields(parent)}


def parent_fields(parent: Hit | None) -> dict[str, Any]:
    """Link the record to which something belongs."""
    if parent is None:
        return {}
    links = {"Contact": {"contactsIds": [parent.id]}, "Lead": {"leadsIds": [parent.id]}}
    return {"parentType": parent.type, "parentId": parent.id, **links.get(parent.type, {})}


def caller_name(number: str) -> str:
    """Name somebody of whom only the number is known, if that."""
    return number or "mit unterdrückter Nummer"


def changes(wanted: dict[str, Any], stored: dict[str, Any], *, less: bool = False) -> dict[str, Any]:
    """Say what to change in a record that is there: our lines, not the notes; a parent that a person chose stays.

    `less`: the record was written when more was known; then only lines are added to it.
    """
    before = str(stored.get("description") or "")
    text = (added if less else merged)(before, wanted["description"])
    fields = {"description": text} if less else {**wanted, "description": text}
    if stored.get("parentId") and stored.get("parentId") != wanted.get("parentId"):
        fields = {name: value for name, value in fields.items() if not name.startswith("parent") and name != "name"}
    return {name: value for name, value in fields.items() if stored.get(name) != value}


def is_less(stored: dict[str, Any], around: Iterable[Group]) -> bool:
    """Tell whether what is known now is less than what a record was written from."""
    return knows_more(stored, (group.call for group in around))


def _name(parent: Hit | None, number: str, *, inbound: bool) -> str:
    whom = parent.name if parent and parent.name else caller_name(number)
    return f"{'Eingehender' if inbound else 'Ausgehender'} Anruf {whom}"[:NAME_LENGTH]


def _match(known: Known) -> str:
    if known.parent is not None or not known.hits:
        return ""
    if len(known.hits) > 1:
        return f"offen, {len(known.hits)} mögliche Personen"
    return f"vermutlich {known.hits[0].name}"
