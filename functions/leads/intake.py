"""Decide what becomes of a lead: pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from functions.leads.office import Office
from functions.leads.spam import Crowd, Score, score
from functions.leads.submission import Submission
from functions.leads.urgency import PRIORITIES, Urgency, judge
from shared.domain.lead import CONTACT, LANDLORD, NEWSLETTER, TENANT
from shared.office_hours import BERLIN

_TITLES = {LANDLORD: "Vermieter", TENANT: "Mieter", CONTACT: "Kontaktformular"}


@dataclass(frozen=True)
class Verdict:
    """What was found out about one lead."""

    way: str  # newsletter, spam or crm
    urgency: Urgency
    grounds: tuple[str, ...]
    spam: Score

    @property
    def priority(self) -> str:
        """Say how EspoCRM calls the urgency."""
        return PRIORITIES[self.urgency.level]


def decide(submission: Submission, crowd: Crowd, office: Office, received_at: datetime, *, released: bool) -> Verdict:
    """Judge a lead; a person's release overrules the suspicion of spam."""
    found = score(submission, crowd)
    today = received_at.astimezone(BERLIN).date()
    urgency = judge(submission.lead, today, lambda day: office.working_days_until(received_at, day))
    grounds = list(submission.grounds)
    if found.is_suspect or (found.is_spam and released):
        grounds.append(f"Spamverdacht: {', '.join(found.reasons)}")
    way = "newsletter" if submission.lead.typ == NEWSLETTER else "crm"
    if found.is_spam and not released:
        way = "spam"
    return Verdict(way, urgency, tuple(dict.fromkeys(grounds)), found)


def task_name(submission: Submission) -> str:
    """Name the Task without saying who wrote."""
    topic = submission.lead.anliegen.thema
    kind = _TITLES.get(submission.lead.typ, "Anfrage")
    return f"Anfrage bearbeiten: {kind}" + (f", {topic}" if topic else "")


def may_reach_advoware(submission: Submission) -> bool:
    """Tell whether a lead may ever become a party: landlords only."""
    return submission.lead.typ == LANDLORD


def is_checked_for_conflicts(kind: str | None) -> bool:
    """Tell whether the sender is looked for in the firm's matters; a tenant is never taken to Advoware."""
    return kind in {LANDLORD, CONTACT}
