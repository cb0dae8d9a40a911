"""The steps of one lead in EspoCRM: Lead or Note, Task, and the proof that they are there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from functions.leads import conflict, duplicates
from functions.leads.assignment import Assignment
from functions.leads.crm import LeadCrm, Record
from functions.leads.envelope import Envelope
from functions.leads.intake import Verdict
from functions.leads.journey import Journey
from functions.leads.office import Office
from functions.leads.own_fields import own_values
from functions.leads.render import (
    PROCESS,
    Facts,
    empty_fields,
    head_of,
    is_direct,
    lead_fields,
    note_text,
    process_line,
    with_line,
    with_missing_lines,
)
from functions.leads.routing import Rule
from functions.leads.submission import Submission
from functions.leads.task_steps import TaskSteps
from functions.leads.urgency import higher
from functions.leads.work import Work
from shared.errors import UpstreamMalformedError
from shared.espocrm.errors import ME

_CHECKED = ("Gegenseite", "Objekt", "Geburtsdatum")
MOST = 3  # numbers that are looked for


@dataclass(frozen=True)
class CrmSteps:
    """Brings leads to EspoCRM; every step looks before it creates."""

    crm: LeadCrm
    office: Office
    rules: Sequence[Rule]
    default_user: str | None
    clock: Callable[[], datetime]

    @property
    def who(self) -> Assignment:
        """Say who is responsible."""
        return Assignment(self.crm, self.rules)

    @property
    def tasks(self) -> TaskSteps:
        """Give the steps of the Task."""
        return TaskSteps(self.crm, self.office, self.default_user)

    def carry(self, journey: Journey, submission: Submission, envelope: Envelope, verdict: Verdict) -> str:
        """Do all steps that are not done, read back what came of them, and drop what is personal."""
        facts = self.facts(journey.lead_id, submission, envelope.received_at, verdict)
        facts = replace(facts, assigned=self.who.of(journey, submission, verdict.urgency.level))
        work = Work(journey, submission, verdict, facts, envelope.others, envelope.given)
        way, target, before = self._way(work)
        match way:
            case "contact":
                self._note(work, "Contact", target)
                self.tasks.ensure(work, "Contact", target)
            case "lead_note":
                self._note(work, "Lead", target)
                self.tasks.raise_or_ensure(work, target)
                self._complete(work, target)
            case _:
                hinted, target = target, self._lead(work, before)
                self._hint(work, hinted, target)
                self.tasks.ensure(work, "Lead", target)
        self._read_back(journey, way, target)
        journey.write(("payload",), state="bestaetigt", crm_id=target)
        return way

    def facts(self, lead_id: str, submission: Submission, at: datetime, verdict: Verdict) -> Facts:
        """Say what is written beside the lead, without asking anybody."""
        assigned = self.who.at_once(submission, verdict.urgency.level, lead_id)
        return Facts(lead_id, verdict.urgency.line, at, grounds=verdict.grounds, assigned=assigned)

    def fields(self, submission: Submission, facts: Facts) -> dict[str, Any]:
        """Write the Lead's attributes, own fields of the installation included."""
        return {**lead_fields(submission, facts), **own_values(submission, facts, self.crm.own_field)}

    def _way(self, work: Work) -> tuple[str, str, duplicates.Earlier | None]:
        """Decide once where the lead belongs, and remember it; what was found on the way is given too."""
        journey, before = work.journey, None
        if journey.note("way"):
            return journey.note("way"), journey.note("target"), None
        found = self.crm.find_lead(work.lead_id, work.others, work.repeats_since)
        if found:
            way, target = "lead", str(found["id"])
            journey.write(lead=target)
        elif contact := self._contact(work.submission):
            way, target = "contact", str(contact["id"])
        else:
            before = self._earlier(work.submission)
            way, target = _way_beside(before)
        journey.write(way=way, target=target)
        return way, target, before

    def _contact(self, submission: Submission) -> duplicates.Record | None:
        return duplicates.contact_of(*self._known("Contact", submission))

    def _earlier(self, submission: Submission) -> duplicates.Earlier:
        by_mail, by_phone = self._known("Lead", submission)
        return duplicates.earlier(submission, by_mail, by_phone, self.clock())

    def _known(self, entity: str, submission: Submission) -> tuple[list[Record], list[Record]]:
        """List the records with the address, and those with one of the numbers."""
        by_mail = self.crm.persons(entity, "emailAddress", submission.lead.person.email)
        rows = [row for phone in submission.phones[:MOST] for row in self.crm.persons(entity, "phoneNumber", phone)]
        return by_mail, list({row["id"]: row for row in rows}.values())

    def _lead(self, work: Work, before: duplicates.Earlier | None) -> str:
        def find() -> str | None:
            found = self.crm.find_lead(work.lead_id, work.others, work.repeats_since)
            return found["id"] if found else None

        def create() -> Record:
            known = before or self._earlier(work.submission)
            earlier = tuple(head_of(each.get("description")).get("Vorgang", "")[:32] for each in known.others[-3:])
            similar = self._similar(work.submission, known)
            named = replace(work.facts, earlier=tuple(filter(None, earlier)), similar=similar)
            return self.crm.create_lead(self.fields(work.submission, named))

        return work.journey.ensure("lead", find, create, surely_none=before is not None)

    def _similar(self, submission: Submission, known: duplicates.Earlier) -> tuple[str, ...]:
        """Name the Leads that may be of the same person or firm; a person decides whether they are."""
        found = (row for where in duplicates.weak_signs(submission) for row in self.crm.similar(where))
        sure = {row["id"] for row in known.others}
        ids = dict.fromkeys(str(row["id"]) for row in (*known.strangers, *found) if row["id"] not in sure)
        return tuple(f"#Lead/view/{each}" for each in list(ids)[:3])

    def _hint(self, work: Work, before: str, target: str) -> None:
        """Say beside an open lead of the same person that there is another one; the new one names the old."""
        if before and before != target:
            text = f"Neue Anfrage zu einem anderen Anliegen.\n{process_line(work.lead_id)}"
            work.journey.ensure(
                "hint",
                lambda: self.crm.note_of("Lead", before, work.lead_id),
                lambda: self.crm.add_note("Lead", before, text),
            )

    def _note(self, work: Work, parent: str, target: str) -> None:
        work.journey.ensure(
            "note",
            lambda: self.crm.note_of(parent, target, work.lead_id),
            lambda: self.crm.add_note(parent, target, note_text(work.submission, work.facts)),
        )

    def _complete(self, work: Work, target: str) -> None:
        """Fill what the open Lead had nothing in, and let it become more urgent."""
        record = self.crm.read("Lead", target)
        if record is None:
            return
        fields = self.fields(work.submission, work.facts)
        changes = empty_fields(record, fields) | self._empty_own(record, work)
        before, level = str(record.get("description") or ""), work.verdict.urgency.level
        text = with_missing_lines(before, fields["description"])
        urgency = head_of(text).get("Dringlichkeit", "").partition(" ")[0]
        if higher(urgency, level) != urgency:
            own = self.crm.own_field("dringlichkeit")
            text = with_line(text, "Dringlichkeit", work.verdict.urgency.line)
            changes |= {own: level} if own else {}
        changes |= {"description": text} if text != before else {}
        if changes:
            self.crm.update("Lead", target, changes)
        self._check_anew(work, before, text)

    def _empty_own(self, record: Record, work: Work) -> dict[str, Any]:
        def find(name: str) -> str | None:
            return self.crm.own_field(name) if name in duplicates.TOLD_LATER else None

        values = own_values(work.submission, work.facts, find)
        return {name: value for name, value in values.items() if not record.get(name)}

    def _check_anew(self, work: Work, before: str, text: str) -> None:
        """Have an open conflict check made again, now that more is known of the other side or the object."""
        old, new = head_of(before), head_of(text)
        if new.get("Kollision") == conflict.OPEN and any(new.get(each) != old.get(each) for each in _CHECKED):
            work.journey.store.set_open(new.get(PROCESS, work.lead_id), self.clock().timestamp())

    def _read_back(self, journey: Journey, way: str, target: str) -> None:
        """See the record, and take away a second one that was created past the store at the same moment."""
        if way == "lead":
            rows = self.crm.all_by_line(journey.lead_id)
            there = any(row["id"] == target for row in rows) or self.crm.read("Lead", target) is not None
            for row in rows if there else ():
                if row["id"] != target and is_direct(row.get("description")):
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
