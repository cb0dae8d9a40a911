"""Raise Tasks that nobody has begun although their time is over: once each, told beside the lead."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from functions.leads.crm import LeadCrm, Record, stamp
from functions.leads.office import Office
from functions.leads.render import PROCESS
from shared import metrics
from shared.clock import Clock
from shared.log import get_log
from shared.office_hours import BERLIN

if TYPE_CHECKING:
    from shared.state.leads import LeadStore

log = get_log(__name__)
GRACE: Final = timedelta(hours=1)  # of office time after the Task was due
MARK: Final = "Eskaliert"
UNTOUCHED: Final = frozenset({"New", "Assigned"})
AT_ONCE, HOUR_S = 100, 3600


@dataclass(frozen=True)
class Escalation:
    """Looks for untouched Tasks of ours; `person` is who gets them, else they stay where they are."""

    store: Callable[[], LeadStore]
    crm: LeadCrm
    office: Office
    person: str | None
    clock: Clock

    def run(self) -> int:
        """Raise what is due, and count it."""
        now = self.clock()
        where = [
            {"type": "contains", "attribute": "description", "value": f"{PROCESS}: "},
            {"type": "notContains", "attribute": "description", "value": f"{MARK}: "},
            {"type": "equals", "attribute": "status", "value": "Not Started"},
            {"type": "lessThan", "attribute": "dateEnd", "value": stamp(now)},
        ]
        rows = self.crm.find("Task", where, limit=AT_ONCE, orderBy="dateEnd", order="asc")
        return sum(self._raise(row, now) for row in rows if self._is_over(row, now) and self._is_untouched(row))

    def _is_over(self, row: Record, now: datetime) -> bool:
        try:
            due = datetime.strptime(str(row.get("dateEnd")), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        except ValueError:
            return False
        return self.office.after(due, GRACE) <= now

    def _is_untouched(self, row: Record) -> bool:
        """Tell whether the Lead was left alone too; a Contact says nothing about that."""
        if row.get("parentType") != "Lead":
            return True
        lead = self.crm.read("Lead", str(row.get("parentId")))
        return lead is not None and lead.get("status") in UNTOUCHED

    def _raise(self, row: Record, now: datetime) -> bool:
        mine = secrets.token_hex(8)
        if self.store().once(f"escalated:{row['id']}", mine, HOUR_S) != mine:
            return False  # another run is at it
        when = now.astimezone(BERLIN).strftime("%d.%m.%Y %H:%M")
        changes: dict[str, Any] = {"priority": "Urgent", "description": f"{row['description']}\n{MARK}: {when}"}
        self.crm.update("Task", row["id"], changes | ({"assignedUserId": self.person} if self.person else {}))
        parent = row.get("parentType"), row.get("parentId")
        if all(parent):
            self.crm.add_note(
                str(parent[0]), str(parent[1]), f"Noch nicht bearbeitet, die Aufgabe ist überfällig ({when})."
            )
        metrics.LEADS.labels("escalated", "task").inc()
        log.info("lead_escalated", action=str(row.get("priority")))
        return True
