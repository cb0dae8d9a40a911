"""What a person decides about leads, and what is known of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from functions.leads.advoware import Firm, query_of_record
from functions.leads.consents import Consents
from functions.leads.crm import LeadCrm
from functions.leads.erasure import Erasure
from functions.leads.intake import is_checked_for_conflicts
from functions.leads.journey import time_of
from functions.leads.render import head_of
from shared.clock import iso
from shared.errors import InvalidRequestError, NotConfiguredError, NotFoundError
from shared.log import get_log

if TYPE_CHECKING:
    from shared.state.leads import LeadStore, Record

log = get_log(__name__)
_STEPS: Final = {
    "at": "eingegangen",
    time_of("judged"): "geprüft",
    time_of("crm_id"): "in EspoCRM",
    time_of("conflict"): "Kollision geprüft",
    time_of("replied"): "beantwortet",
    time_of("called"): "Anruf erbeten",
    time_of("mailed"): "Newsletter: Link verschickt",
    time_of("proven"): "Newsletter: bestätigt",
    time_of("released"): "freigegeben",
    time_of("party"): "in Advoware",
}


@dataclass(frozen=True)
class Admin:
    """Acts on leads by the word of a person."""

    store: Callable[[], LeadStore]
    crm: LeadCrm
    enqueue: Callable[[str], None]
    consents: Consents
    target_list: str | None
    firm: Firm | None = None

    def release(self, lead_id: str) -> dict[str, str]:
        """Let a held lead go on: spam to EspoCRM, one that EspoCRM has to Advoware."""
        store, record = self.store(), self._known(lead_id)
        if record.payload is None and record.note("state") == "spam":
            raise NotFoundError("Der Inhalt dieses Vorgangs wird nicht mehr aufbewahrt.")
        kind = "spam" if record.payload is not None else "kanzlei"
        state = "freigegeben" if kind == "spam" else record.note("state")
        store.note(lead_id, released=kind, state=state, released_at=_now_ms())
        self.enqueue(lead_id)
        log.info("lead_released", lead_id=lead_id, action=kind)
        return {"id": lead_id, "freigegeben": kind}

    def show(self, lead_id: str) -> dict[str, Any]:
        """Tell how far a lead has come, and when: no content, no person."""
        record = self._known(lead_id)
        steps = [
            {"wann": _moment(record.number(name)), "was": step} for name, step in _STEPS.items() if record.note(name)
        ]
        return {
            "id": lead_id,
            "stand": record.note("state"),
            "kollision": record.note("conflict"),
            "espocrm": record.note("crm_id"),
            "inhalt": "aufbewahrt" if record.payload is not None else "gelöscht",
            "verlauf": sorted(steps, key=lambda step: step["wann"]),
        }

    def conflicts(self, lead_id: str) -> dict[str, Any]:
        """List the matters that a lead's conflict check hits: asked anew, shown to who asks, written nowhere."""
        known = self._known(lead_id)
        record = self.crm.read("Lead", known.note("crm_id")) if known.note("way") == "lead" else None
        if record is None:
            raise NotFoundError("Zu diesem Vorgang gibt es keinen Lead in EspoCRM.")
        head = head_of(record.get("description"))
        if not is_checked_for_conflicts(head.get("Typ")):
            raise InvalidRequestError("Nach einem Mieter wird in Advoware nicht gefragt.")
        if self.firm is None:
            raise NotConfiguredError("Advoware is not configured")
        found = self.firm.hits(query_of_record(record, head))
        log.info("conflict_shown", lead_id=lead_id, total=len(found))
        return {"id": lead_id, "kollision": known.note("conflict"), "akten": found}

    def erase(self, *, email: str | None = None, phone: str | None = None) -> dict[str, Any]:
        """Erase what we hold of an address or number, here and in EspoCRM, and say what was erased where."""
        return self._erasure.erase(email, phone)

    def finish_erasure(self, lead_id: str) -> None:
        """Erase in EspoCRM what came of a lead that was erased while a worker had it in hand."""
        self._erasure.finish(lead_id)

    @property
    def _erasure(self) -> Erasure:
        return Erasure(self.store, self.crm, self.consents, self.target_list)

    def withdraw(self, purpose: str, *, email: str | None = None, phone: str | None = None) -> dict[str, Any]:
        """Note that a consent has ended; of the newsletter, take the address off the list too."""
        ended = self.consents.withdraw(purpose, email=email, phone=phone)
        if purpose == "newsletter" and email and self.target_list:
            for row in self.crm.persons("Contact", "emailAddress", email):
                self.crm.take_off_list(self.target_list, row["id"])
        log.info("consent_withdrawn", action=purpose)
        return ended

    def _known(self, lead_id: str) -> Record:
        record = self.store().load(lead_id)
        if record is None:
            raise NotFoundError("Kein solcher Vorgang (mehr).")
        return record


def _moment(ms: int) -> str:
    return iso(datetime.fromtimestamp(ms / 1000, UTC))


def _now_ms() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)
