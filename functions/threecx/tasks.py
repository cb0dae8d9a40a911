"""Tasks that follow from calls: call back once for each number, look after a qualified lead once."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from functions.threecx.call import Call
from functions.threecx.description import ID_LINE, stamp
from functions.threecx.records import Known, caller_name, parent_fields
from shared.espocrm.client import EspoCrmClient, Record
from shared.office_hours import BERLIN, OfficeHours

OPEN = ("Not Started", "Started", "Deferred")
CALL_BACK, LOOK_AFTER_DAYS = timedelta(hours=1), 1  # of open time; working days
_NOT_ANY_MORE = frozenset({"Converted", "Dead", "Recycled"})
_MISSED = re.compile(r"^Verpasst: .*\((?P<key>[cr]-[0-9a-f]{12})\)$", re.MULTILINE)
_SINCE = re.compile(r"^Verpasst: (?P<at>\S+ \S+) Uhr", re.MULTILINE)


@dataclass(frozen=True)
class Tasks:
    """The tasks of EspoCRM that calls make, found again by a line that names what they are for."""

    espocrm: EspoCrmClient
    hours: OfficeHours
    mark: Callable[[str], str]

    def missed(self, call: Call, keys: Sequence[str], known: Known) -> None:
        """Ask for a call back; a further missed call of the same number is added to the open task."""
        there = self._of("m-" + self.mark(call.number))
        told = {found["key"] for row in there for found in _MISSED.finditer(str(row.get("description") or ""))}
        if told & {key[:14] for key in keys}:
            return
        line = f"Verpasst: {call.start.astimezone(BERLIN):%d.%m.%Y %H:%M} Uhr ({keys[0][:14]})"
        still_open = next((row for row in there if row.get("status") in OPEN), None)
        if still_open:
            text = f"{line}\n{still_open.get('description') or ''}"
            self.espocrm.update("Task", still_open["id"], {"description": text})
            return
        due = stamp(self.hours.after(call.end or call.last, CALL_BACK))
        self._create(
            f"Rückruf {_whom(call, known)}", f"{line}\n{ID_LINE}m-{self.mark(call.number)}", due, "High", known
        )

    def close_missed(self, call: Call) -> None:
        """Close the open task of a number: somebody has spoken to them since."""
        for row in self._of("m-" + self.mark(call.number)):
            if row.get("status") not in OPEN:
                continue
            missed = [found["at"] for found in _SINCE.finditer(str(row.get("description") or ""))]
            spoken = f"{call.start.astimezone(BERLIN):%Y%m%d%H%M}"
            if all(_sortable(at) <= spoken for at in missed):
                self.espocrm.update("Task", row["id"], {"status": "Completed"})

    def follow_up(self, call: Call, known: Known) -> None:
        """Have a qualified lead looked after once somebody has spoken to it."""
        parent = known.parent
        if parent is None or parent.type != "Lead":
            return
        lead = self.espocrm.read("Lead", parent.id) or {}
        if is_qualified(lead) and not self._of(f"f-{parent.id}"):
            due = stamp(self.hours.after_days(call.end or call.last, LOOK_AFTER_DAYS))
            self._create(f"Nachfassen {parent.name}", f"{ID_LINE}f-{parent.id}", due, "Normal", known)

    def _of(self, mark: str) -> list[Record]:
        where = [{"type": "contains", "attribute": "description", "value": ID_LINE + mark}]
        return self.espocrm.find(
            "Task", where, select=("status", "description"), limit=20, orderBy="createdAt", order="desc"
        )

    def _create(self, name: str, description: str, due: str, priority: str, known: Known) -> None:
        fields: dict[str, Any] = {"name": name[:249], "description": description, "dateEnd": due, "priority": priority}
        if known.owner:
            fields["assignedUserId"] = known.owner
        links = {key: value for key, value in parent_fields(known.parent).items() if key.startswith("parent")}
        self.espocrm.create("Task", fields | links)


def is_qualified(lead: Record) -> bool:
    """Tell whether a lead is worth a further task: free of conflicts of interest and still open."""
    lines = str(lead.get("description") or "").splitlines()
    free = any(line.strip().casefold() == "kollision: frei" for line in lines)
    checked = any(line.strip().casefold().startswith("prüfung: ja") for line in lines)
    return free and not checked and lead.get("status") not in _NOT_ANY_MORE


def _whom(call: Call, known: Known) -> str:
    return known.parent.name if known.parent and known.parent.name else caller_name(call.number)


def _sortable(at: str) -> str:
    """Turn day.month.year hour:minute into something that sorts by time."""
    day, clock = at.split(" ")
    return "".join([*reversed(day.split(".")), *clock.split(":")])
