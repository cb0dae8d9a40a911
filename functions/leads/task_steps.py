"""The Task beside a lead: exactly one, due in office hours, and more urgent when somebody writes again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from functions.leads.crm import DONE_TASKS, LeadCrm, Record, stamp
from functions.leads.intake import task_name
from functions.leads.office import Office
from functions.leads.render import process_line
from functions.leads.urgency import PRIORITIES, higher
from functions.leads.work import Work


@dataclass(frozen=True)
class TaskSteps:
    """Creates Tasks and raises them."""

    crm: LeadCrm
    office: Office
    default_user: str | None

    def ensure(self, work: Work, parent: str, target: str, *, own: bool = False) -> None:
        """Have a Task: any of a Lead will do, of a Contact or a closed one it must be for this very submission."""
        own = own or parent == "Contact"

        def find() -> str | None:
            found = self.crm.task_of(parent, target, work.lead_id if own else None)
            return found["id"] if found else None

        surely_none = parent == "Lead" and "lead" in work.journey.created
        work.journey.ensure(
            "task", find, lambda: self.crm.create("Task", self._fields(work, parent, target)), surely_none=surely_none
        )

    def raise_or_ensure(self, work: Work, target: str) -> None:
        """Let a further message make the Lead's open Task more urgent, never less; a closed one gets a successor."""
        task = self.crm.task_of("Lead", target)
        if task is None or task.get("status") in DONE_TASKS:
            self.ensure(work, "Lead", target, own=True)
        else:
            self._raise(task, work)

    def _raise(self, task: Record, work: Work) -> None:
        wanted = work.verdict.urgency.level
        level = next((name for name, word in PRIORITIES.items() if word == task.get("priority")), "normal")
        if higher(level, wanted) == level:
            return
        due = min(filter(None, (str(task.get("dateEnd") or ""), stamp(self.office.due(wanted, work.at)))))
        self.crm.update("Task", task["id"], {"priority": work.verdict.priority, "dateEnd": due})

    def _fields(self, work: Work, parent: str, target: str) -> dict[str, Any]:
        record = self.crm.read(parent, target) if parent == "Contact" else None
        user = (record or {}).get("assignedUserId") or self.default_user
        return {
            "name": task_name(work.submission),
            "status": "Not Started",
            "priority": work.verdict.priority,
            "dateEnd": stamp(self.office.due(work.verdict.urgency.level, work.at)),
            "parentType": parent,
            "parentId": target,
            "description": process_line(work.lead_id),
            **({"assignedUserId": user} if user else {}),
            **work.assigned,
        }
