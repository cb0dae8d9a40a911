"""Find the record of a call that nobody here remembers: by the line that names it, else by its number and time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from functions.threecx.call import CLOSE, Entry, Group, grouped
from functions.threecx.description import ID_LINE, NUMBER_LINE, number_of, remembered, stamp
from shared.espocrm.client import EspoCrmClient, Record

MOST = 50
_SELECT = ("name", "direction", "dateStart", "dateEnd", "description")


@dataclass(frozen=True)
class Memory:
    """Asks EspoCRM, which remembers after a crash or a lost Redis."""

    espocrm: EspoCrmClient

    def find(self, group: Group) -> str:
        """Find the record of a call; empty for none."""
        return self._named(group) or self._near(group)

    def _named(self, group: Group) -> str:
        where = [{"type": "or", "value": [_contains(ID_LINE + key) for key in group.keys]}]
        rows = self.espocrm.find("Call", where, select=("name",), limit=2, orderBy="createdAt", order="asc")
        return str(rows[0]["id"]) if rows else ""

    def _near(self, group: Group) -> str:
        call, edge = group.call, CLOSE + timedelta(seconds=1)
        where = [
            {"type": "greaterThanOrEquals", "attribute": "dateStart", "value": stamp(call.start - edge)},
            {"type": "lessThanOrEquals", "attribute": "dateStart", "value": stamp(call.start + edge)},
            {"type": "equals", "attribute": "direction", "value": call.direction.capitalize()},
            _contains(NUMBER_LINE + number_of(call)),
        ]
        rows = self.espocrm.find("Call", where, select=_SELECT, limit=MOST, orderBy="createdAt", order="asc")
        return same_call(group, rows)


def same_call(group: Group, rows: list[Record]) -> str:
    """Name the record that tells of the same real call, by the same rules that join what is told."""
    mine = Entry(group.keys[0], group.call, group.has_id)
    there = [(entry, str(row["id"])) for row in rows for entry in remembered(row)]
    there = [(entry, record) for entry, record in there if entry.call.number == group.call.number]
    records = {entry.key: record for entry, record in there if entry.key not in group.keys}
    home = next(each for each in grouped([*(entry for entry, _ in there), mine]) if mine.key in each.keys)
    return next((records[key] for key in home.keys if key in records), "")


def _contains(text: str) -> dict[str, Any]:
    return {"type": "contains", "attribute": "description", "value": text}
