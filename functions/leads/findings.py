"""What is remarkable about a lead that was read: remarks for the sender, hints for the office, grounds to look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from functions.leads.contact import Email
from functions.leads.places import remark_on
from functions.leads.submission import Remark
from shared.domain.lead import NEWSLETTER, Address, Lead


@dataclass(frozen=True)
class Findings:
    """All of them, in the order of the form."""

    remarks: tuple[Remark, ...]
    hints: tuple[Remark, ...]
    grounds: tuple[str, ...]


def judge(lead: Lead, email: Email, phones: Sequence[str], given_phone: str) -> Findings:
    """Look at the ways to reach the person, at name and message, places and consent."""
    doubts = [
        *_contact(email, phones, given_phone),
        *([] if lead.typ == NEWSLETTER else _content(lead)),
    ]
    wished = [] if lead.typ == NEWSLETTER else _places(lead)
    mild = [*_mild(email, phones), *wished]
    disposable = ["Wegwerf-Adresse"] if email.disposable else []
    grounds = [*(ground for _, ground in doubts), *disposable]
    return Findings((*(remark for remark, _ in doubts), *mild), _hints(lead), tuple(dict.fromkeys(grounds)))


def _contact(email: Email, phones: Sequence[str], given_phone: str) -> list[tuple[Remark, str]]:
    found = []
    if email.given and email.address is None:
        found.append((Remark("person.email", "email_ungueltig"), "E-Mail ungültig"))
    if given_phone and not phones:
        found.append((Remark("person.telefon", "telefon_ungueltig"), "Telefonnummer ungültig"))
    return found


def _content(lead: Lead) -> list[tuple[Remark, str]]:
    found = []
    if not (lead.person.nachname or lead.person.firma):
        found.append((Remark("person.nachname", "name_fehlt"), "Name fehlt"))
    if not lead.anliegen.beschreibung:
        found.append((Remark("anliegen.beschreibung", "nachricht_fehlt"), "Nachricht fehlt"))
    return found


def _mild(email: Email, phones: Sequence[str]) -> list[Remark]:
    signs = (
        (email.address and email.suggestion, Remark("person.email", "email_tippfehler")),
        (email.several, Remark("person.email", "email_mehrere")),
        (len(phones) > 1, Remark("person.telefon", "telefon_mehrere")),
    )
    return [remark for sign, remark in signs if sign]


def _places(lead: Lead) -> list[Remark]:
    home = lead.adresse if lead.adresse.land in {None, "DE"} else Address()
    places = (("adresse.plz", home), ("objekt.plz", lead.objekt))
    odd = ((field, remark_on(place.plz, place.ort)) for field, place in places)
    return [Remark(field, code) for field, code in odd if code]


def _hints(lead: Lead) -> tuple[Remark, ...]:
    """Note a privacy box that was not ticked: it says "noticed", nothing depends on it."""
    unticked = lead.typ != NEWSLETTER and not lead.consented("datenschutzhinweis")
    return (Remark("einwilligungen", "datenschutzhinweis_fehlt"),) if unticked else ()
