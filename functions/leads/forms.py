"""From any sender's body to a lead: pure, and it refuses nothing."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from typing import Final, TypeVar

from functions.leads.contact import read_email, read_phones
from functions.leads.findings import judge
from functions.leads.meanings import FormMaps, Meanings, path_of, sort_fields
from functions.leads.provenance import attachments, consents, source, technical
from functions.leads.reading import Body
from functions.leads.submission import Remark, Submission
from functions.leads.topics import lead_type, word
from functions.leads.unwrap import Fields, unwrap
from functions.leads.values import (
    TAG,
    as_date,
    as_moment,
    as_number,
    as_text,
    cleaned,
    is_firm,
    line,
    salutation,
    split_address,
    split_name,
    title_in,
    wished,
)
from shared.domain import lead as nouns
from shared.domain.lead import CONTACT, LANDLORD, NEWSLETTER, TENANT, Lead
from shared.mapping.country import iso_country

BODY_ID: Final = re.compile(r"[A-Za-z0-9._:-]{8,64}")
_PLZ = re.compile(r"(0[1-9]|[1-9]\d)\d{3}")
_BBCODE = re.compile(r"\[(url|link|img|b)[=\]]", re.IGNORECASE)
LONGEST_WORD = 20
T = TypeVar("T")
_EVENTS = {"lead.created", "contact.submitted"}
_LIMITS: Final = {
    "beschreibung": 10_000,
    "strasse": 120,
    "hausnummer": 12,
    "titel": 40,
    "betreff": 200,
    "aktenzeichen": 60,
}


def read_form(
    body: Body, *, query_type: str | None, maps: FormMaps, received_at: str, hosts: Collection[str]
) -> Submission:
    """Read a body as a submission."""
    fields = unwrap(body.values)
    found, mapped_type = sort_fields(fields, maps)
    given = found.get("typ") or query_type or mapped_type
    kind = CONTACT if given is None or not body.readable else lead_type(given)
    if not body.readable and lead_type(given):
        kind = lead_type(given)
    reader = _Reader(found, fields, kind or CONTACT, received_at, hosts)
    submission = reader.read()
    remarks = [*(Remark("anfrage", code) for code in body.remarks), *submission.remarks]
    grounds = submission.grounds if body.readable else ("Inhalt unlesbar", *submission.grounds)
    return replace(
        submission,
        type_known=kind is not None,
        remarks=tuple(dict.fromkeys(remarks)),
        grounds=grounds,
        readable=body.readable,
        text=body.text,
    )


class _Reader:
    """Reads one form's meanings into the parts of a lead and notes what is remarkable."""

    def __init__(self, found: Meanings, fields: Fields, kind: str, received_at: str, hosts: Collection[str]) -> None:
        self._found, self._fields, self._kind, self._hosts = found, fields, kind, hosts
        self._received_at = received_at
        self._remarks: list[Remark] = []
        self._hints: list[Remark] = []

    def read(self) -> Submission:
        """Put the lead together."""
        email, phones = read_email(self._found.get("email")), read_phones(self._found.get("telefon"))
        person = self._person(email.address, phones)
        self._note_birthday()
        if self._found.is_cut:
            self._remarks.append(Remark("weitere", "gekuerzt"))
        lead = Lead(
            typ=self._kind,
            event=self._event(),
            id=self._body_id(),
            eingegangen_am=as_moment(self._found.get("eingegangen_am")) or self._received_at,
            person=person,
            adresse=self._address(),
            objekt=self._property(),
            gegenseite=nouns.Opponent(
                self._word("rolle", "gegenseite_rolle"),
                self._line("gegenseite_name", 200),
                self._line("gegenseite_anwalt", 200),
            ),
            anliegen=self._concern(),
            kontaktwunsch=self._wish(),
            einwilligungen=consents(self._found, self._kind, self._received_at),
            quelle=source(self._found, self._fields),
            technik=technical(self._found),
            anhaenge=attachments(self._found, self._hosts, self._remarks, self._hints),
            weitere=self._found.others,
        )
        found = judge(lead, email, phones, line(self._found.get("telefon")))
        return Submission(
            lead,
            remarks=(*self._remarks, *found.remarks),
            hints=(*self._hints, *found.hints),
            grounds=found.grounds,
            phones=tuple(phones),
            given_email=email.given,
            given_phone=line(self._found.get("telefon")),
            email_suggestion=email.suggestion,
            disposable=email.disposable,
            markup=self._has_markup(),
        )

    def _body_id(self) -> str | None:
        given = self._found.get("id")
        return given if isinstance(given, str) and BODY_ID.fullmatch(given) else None

    def _event(self) -> str:
        given = self._found.get("event")
        if self._kind != NEWSLETTER and isinstance(given, str) and given in _EVENTS:
            return given
        return "lead.created" if self._kind in {LANDLORD, TENANT} else "contact.submitted"

    def _person(self, email: str | None, phones: list[str]) -> nouns.Person:
        first, last = self._line("vorname"), self._line("nachname")
        greeting = self._found.get("anrede")
        title = self._line("titel") or title_in(greeting)
        whole, firm = self._line("name"), self._line("firma")
        if whole and not last and is_firm(whole):
            firm = firm or whole
        elif whole and not last:
            split_first, last, split_title = split_name(whole)
            first, title = first or split_first, title or split_title
        phone = phones[0] if phones else line(self._found.get("telefon"))[:60]
        called = self._understood("anrede", salutation(greeting))
        return nouns.Person(called, title, first, last, firm, email, phone if len(phone) >= 3 else None)

    def _address(self) -> nouns.Address:
        whole = self._line("strasse", 300) or ""
        street, number, plz, town = split_address(whole)
        country = self._understood("land", iso_country(self._line("land") or "")) or ""
        return nouns.Address(
            street[:120] or None,
            self._line("hausnummer") or (number[:12] if number else None),
            self._plz("plz") or (plz if plz and _PLZ.fullmatch(plz) else None),
            self._line("ort") or town,
            country if len(country) == 2 else None,
        )

    def _property(self) -> nouns.Property:
        text = self._line("objekt_strasse", 300) or ""
        street, number, plz, town = split_address(text)
        units = self._understood("objekt_einheiten", as_number(self._found.get("objekt_einheiten")))
        return nouns.Property(
            street[:120] or None,
            self._line("objekt_hausnummer") or (number[:12] if number else None),
            self._plz("objekt_plz") or (plz if plz and _PLZ.fullmatch(plz) else None),
            self._line("objekt_ort") or town,
            self._word("art", "objekt_art"),
            int(units) if units and 1 <= units <= 10_000 else None,
        )

    def _note_birthday(self) -> None:
        """Keep a birthday with what the schema has no place for."""
        given = self._found.get("geburtsdatum")
        if given is not None:
            day = as_date(given)
            self._found.others["geburtsdatum"] = day.isoformat() if day else line(given)[:100]

    def _plz(self, name: str) -> str | None:
        text = line(self._found.get(name))
        if not text or _PLZ.fullmatch(text):
            return text or None
        self._remarks.append(Remark(f"{'objekt' if name.startswith('objekt') else 'adresse'}.plz", "plz_ungueltig"))
        self._found.others[name] = text[:100]
        return None

    def _concern(self) -> nouns.Concern:
        chosen = self._found.get("thema")
        topic, subject = word("thema", chosen), self._line("betreff")
        text = self._limited("beschreibung", self._found.text("beschreibung"))
        if chosen is not None and (topic is None or len(line(chosen)) > 60):
            text = text or self._limited("beschreibung", cleaned(chosen))
            subject = subject or (line(chosen)[:200] if text != cleaned(chosen) else None)
        if topic is None and self._kind == LANDLORD:
            topic = "sonstiges"
        return nouns.Concern(
            topic,
            subject,
            text or None,
            self._deadline(),
            self._word("frist_art"),
            self._understood("rueckstand_eur", as_number(self._found.get("rueckstand_eur"))),
            self._line("gericht"),
            self._line("aktenzeichen"),
            self._word("rechtsschutz"),
        )

    def _deadline(self) -> str | None:
        given = self._found.get("frist")
        day = as_date(given)
        if given is not None and day is None:
            self._remarks.append(Remark("anliegen.frist", "frist_mehrdeutig"))
            self._found.others["frist"] = line(given)[:200]
        return day.isoformat() if day else None

    def _wish(self) -> nouns.Wish:
        way = self._found.get("weg")
        given = self._found.get("rueckruf")
        call = None if given is None else wished(given)
        if call is None and "rueckruf" in line(way).lower().replace("ü", "ue"):
            call = True
        return nouns.Wish(self._word("weg"), call, self._word("zeitfenster"))

    def _has_markup(self) -> bool:
        raw = as_text(self._found.get("beschreibung"))
        return bool(TAG.search(raw) or _BBCODE.search(raw))

    def _word(self, kind: str, name: str = "") -> str | None:
        return self._understood(name or kind, word(kind, self._found.get(name or kind)))

    def _understood(self, name: str, read: T) -> T:
        """Give what was read; where it is nothing, or not all that was written, the words are kept too."""
        given = line(self._found.get(name))
        if given and (read is None or len(given) > LONGEST_WORD):
            self._found.others.setdefault(name, given[:200])
        return read

    def _line(self, name: str, limit: int = 100) -> str | None:
        return self._limited(name, line(self._found.get(name)), limit) or None

    def _limited(self, name: str, text: str, limit: int = 100) -> str:
        longest = _LIMITS.get(name, limit)
        if len(text) > longest:
            self._remarks.append(Remark(path_of(name), "gekuerzt"))
        return text[:longest]
