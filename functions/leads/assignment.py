"""Find out who is responsible for a lead, once for its Lead and its Task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from functions.leads import routing
from functions.leads.conflict import is_named
from functions.leads.crm import LeadCrm
from functions.leads.duplicates import CLOSED
from functions.leads.journey import Journey
from functions.leads.render import head_of
from functions.leads.submission import Submission
from shared.domain.lead import LANDLORD, TENANT, Lead

NOBODY = "-"


@dataclass(frozen=True)
class Assignment:
    """Who gets what: a tenant goes to whoever works for the landlord, the rest by the configured rules."""

    crm: LeadCrm
    rules: Sequence[routing.Rule]

    def at_once(self, submission: Submission, urgency: str, lead_id: str) -> dict[str, Any]:
        """Give EspoCRM's attributes without asking anything."""
        rule = routing.rule_for(submission.lead, urgency, self.rules)
        persons = routing.persons_of(rule)
        return _attributes(routing.turn(persons, lead_id) if persons else "", rule)

    def of(self, journey: Journey, submission: Submission, urgency: str) -> dict[str, Any]:
        """Give EspoCRM's attributes; who it is was decided once and is remembered."""
        rule = routing.rule_for(submission.lead, urgency, self.rules)
        if not journey.note("person"):
            journey.write(person=self._choose(rule, submission.lead, journey.lead_id) or NOBODY)
        person = journey.note("person")
        return _attributes("" if person == NOBODY else person, rule)

    def _choose(self, rule: routing.Rule, lead: Lead, lead_id: str) -> str | None:
        if lead.typ == TENANT and (handler := self._handler(lead)):
            return handler
        persons = routing.persons_of(rule)
        if len(persons) > 1 and rule.get("wahl") == routing.LEAST_BUSY:
            return routing.least_busy({each: self.crm.open_tasks(each) for each in persons})
        return routing.turn(persons, lead_id) if persons else None

    def _handler(self, lead: Lead) -> str | None:
        """Find who handles the landlord's lead that names this tenant; nothing of a tenant goes to Advoware."""
        name = lead.person.nachname
        rows = self.crm.leads_that_mention(name) if name else []
        for row in rows:
            head = head_of(row.get("description"))
            named = head.get("Typ") == LANDLORD and is_named(name or "", head.get("Gegenseite", ""))
            if named and row.get("assignedUserId") and row.get("status") not in CLOSED:
                return str(row["assignedUserId"])
        return None


def _attributes(person: str, rule: routing.Rule) -> dict[str, Any]:
    assigned = {"assignedUserId": person} if person else {}
    return assigned | ({"teamsIds": [rule["team"]]} if rule.get("team") else {})
