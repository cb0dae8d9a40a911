"""Compare both sides with each other and with what persons did, when all is quiet."""

from __future__ import annotations

from collections.abc import Callable

from .items import FIELDS, PLACEHOLDER, Item, Json, Values, number_of, token_of, values_of_event, values_of_row
from .people import People

Note = Callable[[str], None]


def hidden(values: Values) -> Values:
    """Say what of an appointment an anonymised event shows."""
    return {**values, "text": PLACEHOLDER, "ort": "", "notiz": ""}


def rest(people: People, kuerzel: str, mode: str, note: Note) -> None:
    """After a clean run that nobody disturbed: what both sides hold is checked, and is the base from now on."""
    events = {number_of(event): event for event in people.living(kuerzel) if number_of(event)}
    known = {item.token: item for item in people.items}
    others = [number_of(event) for other in people.kuerzel if other != kuerzel for event in people.living(other)]
    for number, row in people.rows().items():
        item, event = known.get(token_of(row)), events.get(number)
        if item is None or event is None or row["anwalt"] != kuerzel or number in others:
            continue  # what was typed into the event of one who had it before is still on its way
        _compare(row, event, mode, note)
        _judge(item, row, note)
        item.rest(values_of_row(row))


def _compare(row: Json, event: Json, mode: str, note: Note) -> None:
    wanted, seen = values_of_row(row), values_of_event(event)
    wanted = hidden(wanted) if mode == "a" else wanted
    if wanted != seen:
        differing = {name: (wanted[name], seen[name]) for name in FIELDS if wanted[name] != seen[name]}
        note(f"differs: {row['frNr']} (Advoware, Google) {differing}")
    if mode == "a" and event.get("visibility") != "private":
        note(f"not private: {row['frNr']}")


def _judge(item: Item, row: Json, note: Note) -> None:
    """Ask whether what is there may be there."""
    if item.gone_a and not item.doubtful:
        note(f"came back after a deletion in Advoware: {item.token}")
    if item.gone_g and not item.unsettled and not item.doubtful:
        note(f"came back after a deletion in Google: {item.token}")
    if item.loose:
        return
    values = values_of_row(row)
    for name in FIELDS:
        if values[name] not in item.allowed(name):
            note(f"lost: {item.token} {name} is {values[name]!r}, not one of {sorted(item.allowed(name))}")
    if item.token.startswith("A") and row.get("raum") != item.token:
        note(f"lost: {item.token} a field we do not know")


def reckon(people: People, mode: str, note: Note) -> None:
    """Reckon up everything."""
    rows = people.rows()
    for kuerzel in people.kuerzel:
        _pair_off(people, kuerzel, [row for row in rows.values() if row["anwalt"] == kuerzel], mode, note)
    for item in people.items:
        found = [row for row in rows.values() if token_of(row) == item.token]
        if len(found) > (2 if item.twin else 1):
            note(f"doubled in Advoware: {item.token}")
        for row in found:
            _judge(item, row, note)
        if not found and not (item.gone_a or item.gone_g):
            note(f"lost: {item.token}")


def _pair_off(people: People, kuerzel: str, rows: list[Json], mode: str, note: Note) -> None:
    events = people.living(kuerzel)
    linked: dict[int, list[Json]] = {}
    for event in events:
        if number_of(event):
            linked.setdefault(number_of(event), []).append(event)
        elif event["id"] not in people.left_alone:
            note(f"only in Google: {event['id'][:20]} {event.get('summary')}")
    for row in rows:
        found = linked.pop(row["frNr"], [])
        if len(found) != 1:
            note(f"{row['frNr']} {token_of(row)} has {len(found)} events with {kuerzel}")
        for event in found:
            _compare(row, event, mode, note)
    for number in linked:
        note(f"an event of {number}, which is not there")
