"""Ask for one automatic call back, where the rules allow it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import requests

from functions.leads.contact import may_be_dialled
from functions.leads.intake import Verdict
from functions.leads.office import Office
from functions.leads.submission import Submission
from shared.domain.lead import CONTACT, LANDLORD
from shared.http import new_session
from shared.log import get_log

log = get_log(__name__)
TIMEOUT_S = 5.0


def may_call(submission: Submission, verdict: Verdict, hours: Office, now: datetime) -> bool:
    """Tell whether a machine may call: an explicit wish, a plain number, the hours, nothing doubtful, no tenant."""
    lead = submission.lead
    wished = bool(lead.kontaktwunsch.rueckruf) and lead.typ in {LANDLORD, CONTACT}
    return wished and not verdict.grounds and hours.is_open(now) and any(map(may_be_dialled, submission.phones[:1]))


@dataclass(frozen=True)
class Caller:
    """Asks the telephone function of ours, which keeps the limits; never twice, whatever it answers."""

    url: str
    secret: str | None
    session: Callable[[], requests.Session] = new_session

    def ask(self, lead_id: str, crm_id: str) -> None:
        """Ask once; the Task is there for a person in any case."""
        headers = {"X-Gateway-Secret": self.secret} if self.secret else {}
        body = {"lead_id": crm_id, "mode": "automatic"}
        try:
            answer = self.session().post(self.url, json=body, headers=headers, timeout=TIMEOUT_S, allow_redirects=False)
        except requests.RequestException:
            log.warning("call_not_asked", lead_id=lead_id)
            return
        log.info("call_asked", lead_id=lead_id, status=answer.status_code)
