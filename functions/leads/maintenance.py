"""What the clock asks for: open checks, releases seen in EspoCRM, Tasks of direct creates, the end of retention."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from functions.leads.crm import LeadCrm, Record, gives_way, stamp
from functions.leads.escalation import Escalation
from functions.leads.mail import SUBJECT
from functions.leads.office import Office
from functions.leads.render import DIRECT_LINE, PROCESS, head_of, is_direct
from functions.leads.urgency import PRIORITIES
from shared.clock import Clock
from shared.errors import IntegrationError
from shared.espocrm.errors import InvalidFieldError
from shared.log import get_log
from shared.web.call import Call

if TYPE_CHECKING:
    from shared.state.leads import LeadStore

log = get_log(__name__)
AT_ONCE: Final = 100
RELEASED = ("freigegeben", "Freigegeben")
KEPT_STATUS = frozenset({"Converted"})


@dataclass(frozen=True)
class Maintenance:
    """Runs hourly and may run twice at once."""

    store: Callable[[], LeadStore]
    crm: LeadCrm
    enqueue: Callable[[str], None]
    office: Office
    default_user: str | None
    retention_days: int
    clock: Clock
    escalation: Escalation

    def run(self, _call: Call) -> dict[str, Any]:
        """Do all of it; a part that EspoCRM fails is left for the next time."""
        parts: dict[str, Callable[[], int]] = {
            "completed": self._direct_ones,
            "released": self._releases,
            "checks": self._open_checks,
            "escalated": self.escalation.run,
            "deleted": self._retention,
        }
        counts: dict[str, Any] = {name: self._attempt(name, part) for name, part in parts.items()}
        counts["failed"] = [name for name in parts if counts[name] is None]
        log.info("leads_maintained", deleted=counts["deleted"], held=counts["checks"], failed=len(counts["failed"]))
        return {**counts, **{name: counts[name] or 0 for name in parts}}

    def _attempt(self, name: str, part: Callable[[], int]) -> int | None:
        try:
            return part()
        except IntegrationError as error:
            log.warning("maintenance_part_failed", action=name, slug=error.slug)
            return None

    def _open_checks(self) -> int:
        waiting = self.store().open_checks()
        for lead_id in waiting:
            self.enqueue(lead_id)
        return len(waiting)

    def _releases(self) -> int:
        """Let go on what a person set to `freigegeben` in EspoCRM: the status, or an own field."""
        store, count = self.store(), 0
        for record in self._released_records():
            lead_id = head_of(record.get("description")).get(PROCESS)
            if not lead_id or "Advoware" in head_of(record.get("description")):
                continue
            known = store.load(lead_id)
            if known is None:
                store.revive(lead_id, record["id"])
            elif known.note("released") == "kanzlei" or not known.note("crm_id"):
                continue
            store.note(lead_id, released="kanzlei")
            self.enqueue(lead_id)
            count += 1
        return count

    def _released_records(self) -> Iterator[Record]:
        names = ["status", *filter(None, (self.crm.own_field("kollision"), self.crm.own_field("freigabe")))]
        for name in names:
            try:
                where = [{"type": "in", "attribute": name, "value": list(RELEASED)}]
                yield from self.crm.find("Lead", where, limit=AT_ONCE)
            except InvalidFieldError:
                continue

    def _direct_ones(self) -> int:
        """Give the leads that were created while the store was away the Task that they lack."""
        where = [{"type": "contains", "attribute": "description", "value": DIRECT_LINE}]
        rows = [row for row in self.crm.find("Lead", where, limit=AT_ONCE) if is_direct(row.get("description"))]
        for row in rows:
            head = head_of(row.get("description"))
            if gives_way(row["id"], self.crm.all_by_line(head.get(PROCESS, "-"))):
                self.crm.delete("Lead", row["id"])
                continue
            if self.crm.task_of("Lead", row["id"]) is None:
                self.crm.create("Task", self._task(row, head))
            self._know(head.get(PROCESS), row["id"])
            text = str(row["description"]).replace(f"\n{DIRECT_LINE}", "", 1)
            self.crm.update("Lead", row["id"], {"description": text})
        return len(rows)

    def _know(self, lead_id: str | None, crm_id: str) -> None:
        """Have the conflict check made up for."""
        if lead_id and self.store().load(lead_id) is None:
            self.store().revive(lead_id, crm_id)
            self.store().set_open(lead_id, self.clock().timestamp())

    def _task(self, row: Record, head: dict[str, str]) -> dict[str, Any]:
        level = head.get("Dringlichkeit", "normal").partition(" ")[0]
        fields = {
            "name": "Anfrage bearbeiten",
            "status": "Not Started",
            "priority": PRIORITIES.get(level, "Normal"),
            "dateEnd": stamp(self.office.due(level, self.clock())),
            "parentType": "Lead",
            "parentId": row["id"],
            "description": f"{PROCESS}: {head.get(PROCESS, '')}",
            "assignedUserId": row.get("assignedUserId") or self.default_user,
        }
        return {name: value for name, value in fields.items() if value is not None}

    def _retention(self) -> int:
        """Delete leads of ours that came to nothing and that nobody has touched for long."""
        oldest = stamp(self.clock() - timedelta(days=self.retention_days))
        where = [
            {"type": "contains", "attribute": "description", "value": f"{PROCESS}: "},
            {"type": "lessThan", "attribute": "modifiedAt", "value": oldest},
        ]
        rows = self.crm.find("Lead", where, limit=AT_ONCE)
        ended = [row for row in rows if self._has_ended(row, oldest)]
        return sum(self._delete(row["id"]) for row in ended)

    def _delete(self, record_id: str) -> bool:
        """Delete a Lead with its messages and replies; the Lead last, so that a repeat finds what is left."""
        self.crm.delete_messages("Lead", record_id)
        self.crm.delete_mails("Lead", record_id, SUBJECT)
        return self.crm.delete("Lead", record_id)

    def _has_ended(self, row: Record, oldest: str) -> bool:
        ours = PROCESS in head_of(row.get("description"))
        at = str(row.get("modifiedAt") or row.get("createdAt") or "9")
        return ours and row.get("status") not in KEPT_STATUS and at < oldest
