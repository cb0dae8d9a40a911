"""Calls in EspoCRM that belong to nobody: linked once their number is saved somewhere, deleted when they are too old.

EspoCRM itself says which they are, so a lost Redis changes nothing. Only records that carry our lines are touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from functions.threecx.description import ID_LINE, NUMBER_LINE, foreign_lines, named_keys, number_in, stamp
from functions.threecx.directory import Directory
from functions.threecx.journal import Journal
from functions.threecx.matching import Hit, can_match, only_one
from functions.threecx.records import linked
from functions.threecx.tasks import OPEN
from shared.espocrm.client import PAGE, EspoCrmClient, Record
from shared.threecx.number import told_number

_SELECT = ("name", "direction", "description", "parentId", "status")
_NOBODYS = {"type": "isNull", "attribute": "parentId"}


@dataclass(frozen=True)
class Strangers:
    """Looks after calls of nobody, a page at a time."""

    espocrm: EspoCrmClient
    directory: Directory
    journal: Journal
    keep_days: int

    def link(self, now: datetime) -> int:
        """Link the calls of numbers that have become known; give how many."""
        young = _time("createdAt", "greaterThanOrEquals", self._edge(now))
        rows = [row for row in self._rows("Call", young, f"{NUMBER_LINE}+") if number_in(row).startswith("+")]
        found: dict[str, Hit | None] = {}
        count = 0
        for row in rows:
            number = number_in(row)
            if number not in found:
                found[number] = self._parent(number)
            if parent := found[number]:
                self._link(row, parent)
                count += 1
        return count

    def expire(self, now: datetime) -> int:
        """Delete what is too old to be kept: calls of nobody without a note of a person, and their finished tasks."""
        old = _time("createdAt", "lessThan", self._edge(now))
        calls = [row for row in self._rows("Call", old, NUMBER_LINE) if number_in(row) and not foreign_lines(row)]
        tasks = self._rows("Task", old, ID_LINE + "m-")
        done = [row for row in tasks if row.get("status") not in OPEN]
        gone = [self.espocrm.delete("Call", str(row["id"])) for row in calls]
        return sum([*gone, *(self.espocrm.delete("Task", str(row["id"])) for row in done)])

    def _link(self, row: Record, parent: Hit) -> None:
        """Write the call anew where its events are known, so that what follows from it follows; else link it."""
        key = next((each for each in named_keys(row) if self.journal.store.events(each)), "")
        if key:
            self.journal.write(key)
        else:
            self.espocrm.update("Call", str(row["id"]), linked(row, parent))

    def _parent(self, number: str) -> Hit | None:
        read = told_number(number)
        return only_one(self.directory.find(read)) if can_match(read) else None

    def _rows(self, entity: str, when: Mapping[str, Any], line: str) -> list[Record]:
        ours = {"type": "contains", "attribute": "description", "value": line}
        where = [_NOBODYS, ours, when]
        return self.espocrm.find(entity, where, select=_SELECT, limit=PAGE, orderBy="createdAt", order="desc")

    def _edge(self, now: datetime) -> str:
        return stamp(now - timedelta(days=self.keep_days))


def _time(attribute: str, kind: str, value: str) -> dict[str, Any]:
    return {"type": kind, "attribute": attribute, "value": value}
