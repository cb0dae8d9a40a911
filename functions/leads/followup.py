"""What follows once a lead is in EspoCRM: conflict check, reply, call; and what a person's release lets go on."""

from __future__ import annotations

import time
from dataclasses import dataclass

from functions.leads import conflict
from functions.leads.advoware import Finding, Firm, query_of, query_of_record
from functions.leads.calling import Caller, may_call
from functions.leads.contact import folded_email
from functions.leads.crm import LeadCrm, Record
from functions.leads.intake import Verdict, is_checked_for_conflicts
from functions.leads.journey import Journey
from functions.leads.mail import SUBJECT, Mailer, reply_text
from functions.leads.newsletter import Newsletter
from functions.leads.office import Office
from functions.leads.render import head_of, with_line
from functions.leads.submission import Submission
from shared import metrics
from shared.clock import Clock
from shared.domain.lead import LANDLORD
from shared.errors import IntegrationError
from shared.log import get_log

log = get_log(__name__)
DAY_S = 86_400


@dataclass(frozen=True)
class FollowUp:
    """Everything after the Lead; nothing here may undo what was confirmed."""

    crm: LeadCrm
    firm: Firm | None
    newsletter: Newsletter
    mailer: Mailer | None
    reply_by: str
    caller: Caller | None
    call_hours: Office
    clock: Clock
    write_enabled: bool = True

    def now(self, journey: Journey, submission: Submission, verdict: Verdict) -> None:
        """Go on with a lead whose form is still at hand."""
        if journey.note("way") == "lead" and is_checked_for_conflicts(submission.lead.typ):
            finding = self.firm.check(query_of(submission.lead), journey.lead_id) if self.firm else _UNASKED
            self._note_conflict(journey, finding)
        self._reply(journey, submission, verdict)
        if self._may_call(journey, submission, verdict):
            self._call(journey)
        self.newsletter.mail(journey)

    def _may_call(self, journey: Journey, submission: Submission, verdict: Verdict) -> bool:
        """Tell whether a machine may call, which it may not where the firm could be on the other side."""
        free = journey.note("conflict") != conflict.HIT and not journey.note("called")
        return free and may_call(submission, verdict, self.call_hours, self.clock())

    def _call(self, journey: Journey) -> None:
        if self.caller:
            journey.write(called=1)
            metrics.LEADS.labels("call", "asked").inc()
            self.caller.ask(journey.lead_id, journey.note("crm_id"))

    def later(self, journey: Journey) -> None:
        """Go on with a lead that lives in EspoCRM alone."""
        if journey.note("confirmed"):
            self.newsletter.enrol(journey)
            return
        self.newsletter.mail(journey)
        if not journey.note("crm_id") or journey.note("way") != "lead":
            return
        record = self.crm.read("Lead", journey.note("crm_id"))
        if record is None:
            journey.store.set_open(journey.lead_id, None)
            return
        self._check_again(journey, record)
        if journey.note("released") == "kanzlei" and not journey.note("brought"):
            self._bring(journey, record)

    def _check_again(self, journey: Journey, record: Record) -> None:
        head = head_of(record.get("description"))
        is_known = journey.note("conflict") in {conflict.FREE, conflict.HIT}
        if self.firm is None or is_known or not is_checked_for_conflicts(head.get("Typ")):
            journey.store.set_open(journey.lead_id, None)
        else:
            self._note_conflict(journey, self.firm.check(query_of_record(record, head), journey.lead_id))

    def _note_conflict(self, journey: Journey, finding: Finding) -> None:
        if finding.result != conflict.OPEN:
            self._set_lines(journey, Kollision=finding.result)
        metrics.LEADS.labels("conflict", finding.result).inc()
        journey.write(conflict=finding.result)
        journey.store.set_open(journey.lead_id, time.time() if finding.repeatable else None)

    def _set_lines(self, journey: Journey, **lines: str) -> None:
        record = self.crm.read("Lead", journey.note("crm_id"))
        if record is None:
            return
        text = before = str(record.get("description") or "")
        own: dict[str, str] = {}
        for label, value in lines.items():
            text = with_line(text, label, value)
            name = self.crm.own_field(label.lower())
            own |= {name: value} if name else {}
        if text != before:
            self.crm.update("Lead", record["id"], {"description": text, **own})

    def _bring(self, journey: Journey, record: Record) -> None:
        """Bring a released landlord's lead to Advoware: linked where the party is known, entered where it is not."""
        if head_of(record.get("description")).get("Typ") != LANDLORD or self.firm is None or not self.write_enabled:
            journey.write(party="keine", brought=1)
            return
        bet_nr = journey.note("party") or self._party(journey, record, self.firm)
        self._set_lines(journey, Freigabe="ja", Advoware=f"betNr {bet_nr}")
        journey.store.choices.forget(journey.lead_id)
        journey.write(brought=1)
        log.info("lead_in_advoware", lead_id=journey.lead_id)

    def _party(self, journey: Journey, record: Record, firm: Firm) -> str:
        lead_id, choices = journey.lead_id, journey.store.choices
        with firm.naming(record, lead_id):
            return journey.ensure("party", lambda: firm.known(record, lead_id, choices), lambda: firm.enter(record))

    def _reply(self, journey: Journey, submission: Submission, verdict: Verdict) -> None:
        """Answer at most once an address and day, and only to who is surely no machine."""
        mail = submission.lead.person.email
        wanted = self.reply_by == "espocrm" or (self.reply_by == "smtp" and self.mailer is not None)
        if not mail or not wanted or verdict.spam.points or journey.note("replied"):
            return
        journey.write(replied=1)
        name, *older = [f"reply:{each}" for each in journey.store.vault.digests("mail", folded_email(mail).encode())]
        if journey.store.once(name, journey.lead_id, DAY_S, older) != journey.lead_id:
            return
        text = reply_text(submission.lead.typ, verdict.urgency.level)
        try:
            if self.reply_by == "espocrm":
                self._mail_by_espocrm(journey, mail, text)
            elif self.mailer:
                self.mailer.send(mail, SUBJECT, text)
            metrics.LEADS.labels("reply", "sent").inc()
        except IntegrationError as error:
            log.warning("reply_not_sent", lead_id=journey.lead_id, slug=error.slug)

    def _mail_by_espocrm(self, journey: Journey, to: str, text: str) -> None:
        parent = "Contact" if journey.note("way") == "contact" else "Lead"
        fields = {"subject": SUBJECT, "name": SUBJECT, "body": text, "isHtml": False, "to": to, "status": "Sending"}
        self.crm.create("Email", {**fields, "parentType": parent, "parentId": journey.note("crm_id")})


_UNASKED = Finding(conflict.OPEN)
