"""The steps of one lead in EspoCRM: Lead or Note, Task, and the proof that they are there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from functions.leads import duplicates
from functions.leads.crm import DONE_TASKS, LeadCrm, Record, stamp
from functions.leads.envelope import Envelope
from functions.leads.intake import Verdict, task_name
from functions.leads.journey import Journey
from functions.leads.office import Office
from functions.leads.render import (
    DIRECT_LINE,
    Facts,
    empty_fields,
    head_of,
    lead_fields,
    note_text,
    process_line,
    with_line,
)
from functions.leads.routing import Rule, route
from functions.leads.submission import Submission
from functions.leads.urgency import PRIORITIES, higher
from shared.errors import UpstreamMalformedError
from shared.espocrm.errors import ME

_OWN = {
    "vorgang": "Vorgang",
    "submissionid": "Vorgang",
    "dringlichkeit": "Dringlichkeit",
    "kollision": "Kollision",
    "typ": "Typ",
    "thema": "Thema",
    "frist": "Frist",
    "objekt": "Objekt",
    "gegenseite": "Gegenseite",
}


@dataclass(frozen=True)
class CrmSteps:
    """Brings leads to EspoCRM; every step looks before it creates."""

    crm: LeadCrm
    office: Office
    rules: Sequence[Rule]
    default_user: str | None
    clock: Callable[[], datetime]

    def carry(self, journey: Journey, submission: Submission, envelope: Envelope, verdict: Verdict) -> str:
        """Do all steps that are not done, read back what came of them, and drop what is personal."""
        facts = self.facts(journey.lead_id, submission, envelope.received_at, verdict)
        way, target, before = self._way(journey, submission, envelope)
        match way:
            case "contact":
                self._note(journey, "Contact", target, submission, facts)
                self._task(journey, "Contact", target, submission, verdict, envelope.received_at)
            case "lead_note":
                self._note(journey, "Lead", target, submission, facts)
                self._raise_urgency(journey, target, submission, verdict, envelope.received_at)
            case _:
                hinted, target = target, self._lead(journey, submission, envelope, facts, before)
                self._hint(journey, hinted, target)
                self._task(journey, "Lead", target, submission, verdict, envelope.received_at)
        self._read_back(journey, way, target)
        journey.write(("payload",), state="bestaetigt", crm_id=target)
        return way

    def facts(self, lead_id: str, submission: Submission, at: datetime, verdict: Verdict) -> Facts:
        """Say what is written beside the lead."""
        assigned = route(submission.lead, verdict.urgency.level, self.rules, lead_id, None)
        return Facts(lead_id, verdict.urgency.line, at, grounds=verdict.grounds, assigned=assigned)

    def fields(self, submission: Submission, facts: Facts) -> dict[str, Any]:
        """Write the Lead's attributes, own fields of the installation included."""
        fields = lead_fields(submission, facts)
        head = head_of(fields["description"])
        own = {self.crm.own_field(name): head[label] for name, label in _OWN.items() if label in head}
        return {**fields, **{name: value for name, value in own.items() if name}}

    def _way(
        self, journey: Journey, submission: Submission, envelope: Envelope
    ) -> tuple[str, str, duplicates.Earlier | None]:
        """Decide once where the lead belongs, and remember it; what was found on the way is given too."""
        if journey.note("way"):
            return journey.note("way"), journey.note("target"), None
        found = self.crm.find_lead(journey.lead_id, envelope.others, envelope.received_at)
        before = None
        if found:
            way, target = "lead", str(found["id"])
            journey.write(lead=target)
        elif contact := self._contact(submission):
            way, target = "contact", str(contact["id"])
        else:
            before = self._earlier(submission)
            way, target = _way_beside(before)
        journey.write(way=way, target=target)
        return way, target, before

    def _contact(self, submission: Submission) -> duplicates.Record | None:
        mail, phone = submission.lead.person.email, next(iter(submission.phones), None)
        return duplicates.contact_of(
            self.crm.persons("Contact", "emailAddress", mail), self.crm.persons("Contact", "phoneNumber", phone)
        )

    def _earlier(self, submission: Submission) -> duplicates.Earlier:
        mail, phone = submission.lead.person.email, next(iter(submission.phones), None)
        return duplicates.earlier(
            submission,
            self.crm.persons("Lead", "emailAddress", mail),
            self.crm.persons("Lead", "phoneNumber", phone),
            self.clock(),
        )

    def _lead(
        self,
        journey: Journey,
        submission: Submission,
        envelope: Envelope,
        facts: Facts,
        before: duplicates.Earlier | None,
    ) -> str:
        def find() -> str | None:
            found = self.crm.find_lead(journey.lead_id, envelope.others, envelope.received_at)
            return found["id"] if found else None

        def create() -> Record:
            others = (before or self._earlier(submission)).others
            earlier = tuple(head_of(each.get("description")).get("Vorgang", "")[:32] for each in others[-3:])
            named = replace(facts, earlier=tuple(filter(None, earlier)))
            return self.crm.create_lead(self.fields(submission, named))

        return journey.ensure("lead", find, create, surely_none=before is not None)

    def _hint(self, journey: Journey, before: str, target: str) -> None:
        """Say beside an open lead of the same person that there is another one; the new one names the old."""
        if before and before != target:
            text = f"Neue Anfrage zu einem anderen Anliegen.\n{process_line(journey.lead_id)}"
            journey.ensure(
                "hint",
                lambda: self.crm.note_of("Lead", before, journey.lead_id),
                lambda: self.crm.add_note("Lead", before, text),
            )

    def _note(self, journey: Journey, parent: str, target: str, submission: Submission, facts: Facts) -> None:
        journey.ensure(
            "note",
            lambda: self.crm.note_of(parent, target, journey.lead_id),
            lambda: self.crm.add_note(parent, target, note_text(submission, facts)),
        )

    def _task(  # noqa: PLR0913, PLR0917 - what a Task says
        self,
        journey: Journey,
        parent: str,
        target: str,
        submission: Submission,
        verdict: Verdict,
        at: datetime,
        *,
        own: bool = False,
    ) -> None:
        own = own or parent == "Contact"

        def find() -> str | None:
            found = self.crm.task_of(parent, target, journey.lead_id if own else None)
            return found["id"] if found else None

        def create() -> Record:
            return self.crm.create("Task", self._task_fields(journey.lead_id, parent, target, submission, verdict, at))

        journey.ensure("task", find, create, surely_none=parent == "Lead" and "lead" in journey.created)

    def _task_fields(  # noqa: PLR0913, PLR0917 - as above
        self, lead_id: str, parent: str, target: str, submission: Submission, verdict: Verdict, at: datetime
    ) -> dict[str, Any]:
        record = self.crm.read(parent, target) if parent == "Contact" else None
        user = (record or {}).get("assignedUserId") or self.default_user
        return {
            "name": task_name(submission),
            "status": "Not Started",
            "priority": verdict.priority,
            "dateEnd": stamp(self.office.due(verdict.urgency.level, at)),
            "parentType": parent,
            "parentId": target,
            "description": process_line(lead_id),
            **route(submission.lead, verdict.urgency.level, self.rules, lead_id, user),
        }

    def _raise_urgency(
        self, journey: Journey, target: str, submission: Submission, verdict: Verdict, at: datetime
    ) -> None:
        """Let a further message make the open Task and the Lead more urgent, never less; fill what was empty."""
        task = self.crm.task_of("Lead", target)
        if task is None or task.get("status") in DONE_TASKS:
            self._task(journey, "Lead", target, submission, verdict, at, own=True)
        else:
            self._raise_task(task, verdict, at)
        record = self.crm.read("Lead", target)
        if record is None:
            return
        known = self.fields(submission, self.facts(journey.lead_id, submission, at, verdict))
        changes = empty_fields(record, known)
        text = str(record.get("description") or "")
        before = head_of(text).get("Dringlichkeit", "").partition(" ")[0]
        if higher(before, verdict.urgency.level) != before:
            changes["description"] = with_line(text, "Dringlichkeit", verdict.urgency.line)
        if changes:
            self.crm.update("Lead", target, changes)

    def _raise_task(self, task: Record, verdict: Verdict, at: datetime) -> None:
        level = next((name for name, word in PRIORITIES.items() if word == task.get("priority")), "normal")
        if higher(level, verdict.urgency.level) == level:
            return
        due = min(filter(None, (str(task.get("dateEnd") or ""), stamp(self.office.due(verdict.urgency.level, at)))))
        self.crm.update("Task", task["id"], {"priority": verdict.priority, "dateEnd": due})

    def _read_back(self, journey: Journey, way: str, target: str) -> None:
        """See the record, and take away a second one that was created past the store at the same moment."""
        if way == "lead":
            rows = self.crm.all_by_line(journey.lead_id)
            there = any(row["id"] == target for row in rows) or self.crm.read("Lead", target) is not None
            for row in rows if there else ():
                if row["id"] != target and DIRECT_LINE in str(row.get("description")):
                    self.crm.delete("Lead", row["id"])
        else:
            there = self.crm.read("Contact" if way == "contact" else "Lead", target) is not None
        if not there:
            journey.write(("way", "target", "lead", "note", "task"))  # somebody deleted it meanwhile: begin anew
            raise UpstreamMalformedError(ME, f"{ME} does not show what it created")


def _way_beside(before: duplicates.Earlier) -> tuple[str, str]:
    """Say where a lead belongs beside what the same person asked before."""
    if before.same:
        return "lead_note", str(before.same["id"])
    return "lead", str(before.open_others[-1]["id"]) if before.open_others else ""
