"""Sign somebody up for the newsletter: mail a link, show a button, believe the button, keep the proof."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from functions.leads.consents import Consents
from functions.leads.crm import LeadCrm
from functions.leads.duplicates import NEWSLETTER_MARK
from functions.leads.journey import Journey
from functions.leads.mail import OPT_IN_SUBJECT, Mailer, opt_in_text
from functions.leads.paths import CONFIRM
from functions.leads.submission import Submission
from shared.clock import Clock, iso
from shared.errors import NotConfiguredError
from shared.events.task import SetAsideError
from shared.log import get_log
from shared.web.call import Call
from shared.web.pages import Pages

if TYPE_CHECKING:
    from shared.state.leads import LeadStore

log = get_log(__name__)
LINK_MS, KEPT_S = 48 * 3600 * 1000, 7 * 86400
_TOKEN = re.compile(r"[0-9a-f]{64}")
_PAGES = Pages(Path(__file__).parent / "templates", "newsletter.css", forms=True)


@dataclass(frozen=True)
class Newsletter:
    """The double opt-in; a confirmed address becomes a member of the target list, never a Lead."""

    store: Callable[[], LeadStore]
    crm: LeadCrm
    consents: Consents
    mailer: Mailer | None
    base_url: str | None
    target_list: str | None
    enqueue: Callable[[str], None]
    clock: Clock

    def invite(self, journey: Journey, submission: Submission, received_at: datetime) -> None:
        """Take a sign-up: keep it for a week and mail the link that is good for two days."""
        if not self.is_possible:
            raise NotConfiguredError("SMTP_URL and PUBLIC_BASE_URL are needed for the newsletter")
        self.keep(journey, submission, received_at)
        self.mail(journey)
        journey.write(("payload",), state="unbestaetigt")

    @property
    def is_possible(self) -> bool:
        """Tell whether links can be mailed."""
        return self.mailer is not None and bool(self.base_url)

    def wish(self, journey: Journey, submission: Submission, received_at: datetime) -> None:
        """Keep the sign-up of a box in another form; without mails there is nobody to confirm it."""
        lead = submission.lead
        if lead.consented("newsletter") and lead.person.email and self.is_possible and not journey.note("optin"):
            self.keep(journey, submission, received_at)

    def keep(self, journey: Journey, submission: Submission, received_at: datetime) -> None:
        """Keep a sign-up for a week."""
        lead = submission.lead
        digest = _digest(self._tokens(journey)[0])
        consent = next((each for each in lead.einwilligungen if each.zweck == "newsletter"), None)
        document = {
            "email": lead.person.email,
            "vorname": lead.person.vorname,
            "nachname": lead.person.nachname,
            "text": consent.text if consent else None,
            "text_version": consent.text_version if consent else None,
            "ip": (consent.ip if consent else None) or lead.technik.ip,
            "formular": lead.quelle.formular,
            "angefordert": iso(received_at),
            "lead_id": journey.lead_id,
        }
        journey.store.agreements.keep_sign_up(digest, document, int(received_at.timestamp() * 1000), KEPT_S)
        journey.write(optin=digest)

    def mail(self, journey: Journey) -> None:
        """Mail the link of a kept sign-up, once."""
        digest = journey.note("optin")
        if not digest or journey.note("mailed") or self.mailer is None:
            return
        document = journey.store.agreements.sign_up(digest)
        if document is None:
            return
        token = next((each for each in self._tokens(journey) if _digest(each) == digest), None)
        if token is None:
            raise SetAsideError("lead-undecipherable")
        journey.task.checkpoint()
        link = f"{(self.base_url or '').rstrip('/')}{CONFIRM}?token={token}"
        self.mailer.send(str(document["email"]), OPT_IN_SUBJECT, opt_in_text(link), automatic="auto-generated")
        journey.write(mailed=1)
        log.info("newsletter_invited", lead_id=journey.lead_id)

    def _tokens(self, journey: Journey) -> list[str]:
        """Derive the token by every key of ours: the one of a kept sign-up may be from before a rotation."""
        return journey.store.vault.digests("newsletter link", journey.lead_id.encode())

    def forget(self, journey: Journey) -> None:
        """Drop the sign-up of a lead that was erased."""
        for token in self._tokens(journey):
            journey.store.agreements.drop_sign_up(_digest(token))

    def show(self, call: Call) -> Response:
        """Show the button: mail scanners follow links, they press nothing."""
        token = call.query.get("token", "")
        if not _TOKEN.fullmatch(token):
            return _gone()
        return _PAGES.render("newsletter.html", token=token, confirmed=False)

    def confirm(self, call: Call) -> Response:
        """Take the confirmation; the target list is served by the worker."""
        token = call.request.form.get("token", "") or call.query.get("token", "")
        if not _TOKEN.fullmatch(token):
            return _gone()
        store, digest = self.store(), _digest(token)
        document = store.agreements.confirm(digest, "besucher", LINK_MS)
        if document is None:
            return _gone()
        lead_id = str(document["lead_id"])
        ip = call.request.headers.get("X-Real-IP") or call.request.remote_addr or ""
        proof = store.vault.seal_document({"bestaetigt": iso(self.clock()), "ip": ip}, lead_id)
        if not store.note(lead_id, optin=digest, confirmed=proof):
            return _gone()
        self.enqueue(lead_id)
        log.info("newsletter_confirmed", lead_id=lead_id)
        return _PAGES.render("newsletter.html", token="", confirmed=True)

    def enrol(self, journey: Journey) -> None:
        """Put a confirmed address on the target list and keep the proof of both steps."""
        digest, agreements = journey.note("optin"), journey.store.agreements
        document = agreements.sign_up(digest)
        if document is None:
            return
        if not self.target_list:
            raise NotConfiguredError("NEWSLETTER_TARGET_LIST_ID is needed for the newsletter")
        proof = document | {f"{key}_bestaetigung": value for key, value in self._confirmation(journey).items()}
        mail = str(document["email"])
        contact = journey.ensure(
            "member",
            lambda: self._known(mail),
            lambda: self.crm.create("Contact", _contact(document), skip_duplicate_check=True),
        )
        journey.task.checkpoint()
        self.crm.relate("TargetList", self.target_list, "contacts", contact)
        journey.ensure(
            "member_note",
            lambda: self.crm.note_of("Contact", contact, journey.lead_id),
            lambda: self.crm.add_note("Contact", contact, _proof_text(proof)),
        )
        if not journey.note("proven"):
            self.consents.keep_newsletter(mail, proof)
        state = journey.note("state") if journey.note("crm_id") else "angemeldet"
        journey.write(("confirmed",), state=state, proven=1)
        agreements.drop_sign_up(digest)
        log.info("newsletter_enrolled", lead_id=journey.lead_id)

    def _known(self, mail: str) -> str | None:
        rows = self.crm.persons("Contact", "emailAddress", mail)
        return str(rows[0]["id"]) if rows else None

    def _confirmation(self, journey: Journey) -> dict[str, Any]:
        return journey.store.vault.open_document(journey.note("confirmed"), journey.lead_id) or {}


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _gone() -> Response:
    return _PAGES.render("newsletter.html", 404, token="", confirmed=False)


def _contact(document: dict[str, Any]) -> dict[str, Any]:
    fields = {
        "firstName": document.get("vorname"),
        "lastName": document.get("nachname") or document["email"],
        "emailAddress": document["email"],
        "description": f"{NEWSLETTER_MARK}\nVorgang: {document['lead_id']}",
    }
    return {name: value for name, value in fields.items() if value}


def _proof_text(proof: dict[str, Any]) -> str:
    silent = {"lead_id", "vorname", "nachname"}
    lines = [f"{name}: {value}" for name, value in proof.items() if value and name not in silent]
    return "\n".join(["Einwilligung Newsletter", *lines, f"Vorgang: {proof['lead_id']}"])
