"""Without a store: give one lead to EspoCRM within two seconds, under an id that makes its repeat harmless."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from functions.leads.crm import LeadCrm, gives_way
from functions.leads.crm_steps import CrmSteps
from functions.leads.identity import Identity
from functions.leads.intake import decide
from functions.leads.render import DIRECT_LINE
from functions.leads.spam import Crowd
from functions.leads.submission import Submission
from shared.errors import IntegrationError
from shared.log import get_log

log = get_log(__name__)
WITHIN_S, LEAST_S = 2.0, 0.15


class LocalPause:
    """Leaves EspoCRM alone after a refused login, without asking the store that is not there."""

    def __init__(self) -> None:
        self._end = 0.0

    def left_s(self) -> float:
        """Tell for how long this process may not call."""
        return max(0.0, self._end - time.monotonic())

    def begin(self) -> None:
        """Start the pause."""
        self._end = time.monotonic() + 60.0


@dataclass(frozen=True)
class Direct:
    """Creates a Lead at once; newsletter and spam need the store and are not taken."""

    make_crm: Callable[[float], LeadCrm]
    make_steps: Callable[[LeadCrm], CrmSteps]

    def create(self, submission: Submission, identity: Identity, at: datetime) -> bool:
        """Say whether EspoCRM confirmed the lead in time."""
        ends = time.monotonic() + WITHIN_S
        try:
            return self._create(submission, identity, at, ends)
        except IntegrationError as error:
            log.warning("direct_create_failed", lead_id=identity.lead_id, slug=error.slug)
            return False

    def _create(self, submission: Submission, identity: Identity, at: datetime, ends: float) -> bool:
        steps = self.make_steps(self._crm(ends))
        verdict = decide(submission, Crowd(), steps.office, at, released=False)
        if verdict.way != "crm":
            return False
        ids = (identity.lead_id, *identity.others)
        if any(self._crm(ends).by_line(each) for each in ids):
            return True
        facts = steps.facts(identity.lead_id, submission, at, verdict)
        fields = steps.fields(submission, facts)
        head, gap, body = fields["description"].partition("\n\n")
        fields["description"] = f"{head}\n{DIRECT_LINE}{gap}{body}"
        created = self._crm(ends).create_lead(fields)
        self._give_way(created["id"], identity.lead_id, ends)
        return True

    def _give_way(self, own_id: str, lead_id: str, ends: float) -> None:
        """Take ours back if somebody else was as quick; where that cannot be seen now, the clock looks."""
        try:
            if gives_way(own_id, self._crm(ends).all_by_line(lead_id)):
                self._crm(ends).delete("Lead", own_id)
        except IntegrationError as error:
            log.info("direct_create_unchecked", lead_id=lead_id, slug=error.slug)

    def _crm(self, ends: float) -> LeadCrm:
        return self.make_crm(max(LEAST_S, ends - time.monotonic()))
