"""Erase what we hold of an address or number, and report what was erased where."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.leads.consents import Consents
from functions.leads.contact import folded_email, read_phones
from functions.leads.crm import LeadCrm, Record
from functions.leads.duplicates import NEWSLETTER_MARK
from functions.leads.mail import SUBJECT
from functions.leads.render import PROCESS, head_of
from shared.errors import IntegrationError, InvalidRequestError, UpstreamRejectedError
from shared.log import get_log

if TYPE_CHECKING:
    from shared.state.leads import LeadStore

log = get_log(__name__)
PERSONAL = (
    "salutationName firstName lastName accountName emailAddress phoneNumber addressStreet addressPostalCode "
    "addressCity addressCountry description"
).split()
NOT_ERASED = "nicht automatisch gelöscht: Aufbewahrung der Handakten (§ 50 BRAO)"
PROOFS_KEPT = "bleiben erhalten (3 Jahre nach ihrem Ende, Telefonwerbung 5 Jahre)"
_ERASED = "personenbezogene Angaben gelöscht"


@dataclass(frozen=True)
class Erasure:
    """Erases here and in EspoCRM; clients, Advoware and proofs of consent are for persons to decide about."""

    store: Callable[[], LeadStore]
    crm: LeadCrm
    consents: Consents
    target_list: str | None

    def erase(self, email: str | None, phone: str | None) -> dict[str, Any]:
        """Erase, and say what was erased where; what EspoCRM does not answer is named and can be asked again."""
        numbers = read_phones(phone) if phone else []
        if not email and not numbers:
            raise InvalidRequestError("Eine E-Mail-Adresse oder eine gültige Telefonnummer ist nötig.")
        report: dict[str, Any] = {"redis": self._here(email, numbers), "advoware": NOT_ERASED, "fehler": []}
        for entity in ("Lead", "Contact"):
            try:
                rows = self._rows(entity, email, numbers, report["redis"]["vorgaenge"])
                report[entity] = [self._erase_record(entity, row) for row in rows]
            except IntegrationError as error:
                report["fehler"].append({"ort": f"EspoCRM {entity}", "grund": error.slug})
        if email and any(each.get("newsletter") for each in report.get("Contact", ())):
            self.consents.withdraw("newsletter", email=email, phone=None)
        report["einwilligungsnachweise"] = PROOFS_KEPT
        log.info("erased", count=len(report["redis"]["vorgaenge"]), failed=len(report["fehler"]))
        return report

    def finish(self, lead_id: str) -> None:
        """Erase in EspoCRM what a worker wrote of a lead that was erased while it had it in hand."""
        for entity in ("Lead", "Contact"):
            found = [*self.crm.all_by_line(lead_id, entity), *self._beside(entity, lead_id)]
            for row in {row["id"]: row for row in found}.values():
                self._erase_record(entity, row)
        log.info("erased_in_hand", lead_id=lead_id)

    def _beside(self, entity: str, lead_id: str) -> list[Record]:
        """Give the record that was there before, beside which the lead was noted."""
        record = self.store().load(lead_id)
        is_there = record is not None and record.note("way") == {"Lead": "lead_note", "Contact": "contact"}[entity]
        row = self.crm.read(entity, record.note("target")) if record and is_there else None
        return [row] if row else []

    def _here(self, email: str | None, numbers: list[str]) -> dict[str, Any]:
        store = self.store()
        digests = store.vault.digests("mail", folded_email(email).encode()) if email else []
        digests += [digest for number in numbers for digest in store.vault.digests("phone", number.encode())]
        ids, bodies, sign_ups = store.ids_of(digests), 0, 0
        for lead_id in ids:
            record = store.load(lead_id)
            if record is None:
                continue
            bodies += record.payload is not None
            sign_ups += bool(record.note("optin")) and store.agreements.drop_sign_up(record.note("optin"))
            store.erase(lead_id)
            store.set_open(lead_id, None)
            store.choices.forget(lead_id)
        store.forget_who(digests)
        return {"vorgaenge": ids, "inhalte": bodies, "anmeldungen": sign_ups}

    def _rows(self, entity: str, email: str | None, numbers: list[str], ids: list[str]) -> list[Record]:
        """List the records with the address or number, and the Leads that only name it in their lines."""
        found = self.crm.persons(entity, "emailAddress", email)
        found += [row for number in numbers for row in self.crm.persons(entity, "phoneNumber", number)]
        if entity == "Lead":
            found += [row for lead_id in ids for row in self.crm.all_by_line(lead_id)]
            found += [row for word in filter(None, (email, *numbers)) for row in self._naming(word)]
        else:
            found += [row for lead_id in ids for row in self._beside(entity, lead_id)]
        return list({row["id"]: row for row in found}.values())

    def _naming(self, word: str) -> list[Record]:
        """List the Leads of ours that name a further address or number of their sender."""
        labels = ("E-Mail wie angegeben", "Weitere Telefonnummern")
        rows = self.crm.leads_that_mention(word)
        heads = ((row, head_of(row.get("description"))) for row in rows)
        return [
            row for row, head in heads if PROCESS in head and _names(word, *(head.get(each, "") for each in labels))
        ]

    def _erase_record(self, entity: str, row: Record) -> dict[str, Any]:
        text = str(row.get("description") or "")
        told: dict[str, Any] = {"id": row["id"], "notizen": self.crm.delete_messages(entity, row["id"])}
        told["mails"] = self.crm.delete_mails(entity, row["id"], SUBJECT)
        if entity == "Contact" and self.target_list:
            self.crm.take_off_list(self.target_list, row["id"])
            told["newsletter"] = "von der Liste genommen"
        if entity == "Contact" and NEWSLETTER_MARK not in text:
            return {**told, "ergebnis": "Mandantenkontakt, bleibt bestehen; von einer Person zu prüfen"}
        if PROCESS not in head_of(text) and NEWSLETTER_MARK not in text:
            return {**told, "ergebnis": "nicht von uns angelegt, bleibt bestehen"}
        self._fields(entity, row["id"])
        return {**told, "ergebnis": _ERASED, "felder": PERSONAL}

    def _fields(self, entity: str, record_id: str) -> None:
        """Use EspoCRM's own erasure; where it is not allowed or not there, delete the record."""
        try:
            self.crm.erase(entity, record_id, PERSONAL)
        except UpstreamRejectedError:
            self.crm.delete(entity, record_id)


def _names(word: str, *lines: str) -> bool:
    wanted = folded_email(word)
    return any(wanted == folded_email(each) for line in lines for each in re.split(r"[\s,;]+", line))
