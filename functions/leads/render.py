"""Write a lead as EspoCRM shows it, and read the labelled lines back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from functions.leads.contact import read_phones
from functions.leads.places import land_of
from functions.leads.submission import Submission
from shared.domain.lead import Lead
from shared.office_hours import BERLIN

PROCESS = "Vorgang"
DIRECT_LINE = "Aufnahme: direkt, Aufgabe folgt"
_HEAD_END: Final = "\n\n"
_SALUTATIONS = {"herr": "Mr.", "frau": "Ms."}
_LONGEST_RAW = 5000
_AS_GIVEN = {
    "frist": "Frist wie angegeben",
    "plz": "PLZ wie angegeben",
    "objekt_plz": "PLZ des Objekts wie angegeben",
    "geburtsdatum": "Geburtsdatum",
}
_LATER: Final = (
    "Objekt",
    "Objektart",
    "Bundesland",
    "Gegenseite",
    "Anwalt der Gegenseite",
    "Frist",
    "Rückstand",
    "Gericht",
    "Rechtsschutz",
    "Geburtsdatum",
)
_PLAIN_PHONE = re.compile(r"[\d\s()+/.-]+")
_TECHNICAL = re.compile(
    r"(?i)_.*|.*(nonce|captcha|token|secret|passwor|api.?key|signature|cookie).*|(is|payment|transaction)_\w+"
    r"|(date_)?(created|updated)(_by)?|status|currency|(user|post|entry|queried|source|created_by)_id|referer_title|credit"
    r"|präsentiert von|powered by|datum|uhrzeit|date|time|gesendet|action"
)


@dataclass(frozen=True)
class Facts:
    """What we found out about a lead and say beside it."""

    lead_id: str
    urgency: str
    received_at: datetime
    conflict: str = "offen"
    grounds: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()
    similar: tuple[str, ...] = ()  # EspoCRM's Leads that may be of the same person or firm
    assigned: Mapping[str, Any] = field(default_factory=dict)


def lead_fields(submission: Submission, facts: Facts) -> dict[str, Any]:
    """Write the attributes of EspoCRM's Lead; what is not there is not sent."""
    lead = submission.lead
    person, home = lead.person, lead.adresse
    named = person.vorname or person.nachname or person.firma
    attributes = {
        "salutationName": _SALUTATIONS.get(person.anrede or ""),
        "firstName": person.vorname,
        "lastName": person.nachname or (None if named else "(ohne Namen)"),
        "accountName": person.firma,
        "emailAddress": person.email,
        "phoneNumber": submission.phones[0] if submission.phones else None,
        "addressStreet": " ".join(filter(None, (home.strasse, home.hausnummer))) or None,
        "addressPostalCode": home.plz,
        "addressCity": home.ort,
        "addressCountry": home.land,
        "source": "Web Site",
        "status": "New",
        "description": description(submission, facts),
        **facts.assigned,
    }
    return {name: value for name, value in attributes.items() if value is not None}


def description(submission: Submission, facts: Facts) -> str:
    """Write the labelled lines and, below them, what else and what the visitor wrote."""
    head = "\n".join(f"{label}: {' '.join(text.split())}" for label, text in _lines(submission, facts))
    rest = "\n".join(f"{key}: {text}" for key, text in submission.lead.weitere.items() if not is_technical(key))
    parts = [head, f"Weitere Angaben:\n{rest}" if rest else "", _message(submission)]
    return _HEAD_END.join(filter(None, parts))


def _message(submission: Submission) -> str:
    body = submission.lead.anliegen.beschreibung or ""
    if not submission.readable:
        body = f"{body}\n\nInhalt wie empfangen:\n{submission.text[:_LONGEST_RAW]}".strip()
    return f"Nachricht:\n{body}" if body else ""


def _lines(submission: Submission, facts: Facts) -> Iterator[tuple[str, str]]:
    lead = submission.lead
    yield "Dringlichkeit", facts.urgency
    yield "Kollision", facts.conflict
    yield "Rückruf", "ja" if lead.kontaktwunsch.rueckruf else "nein"
    if facts.grounds:
        yield "Prüfung", f"ja ({'; '.join(facts.grounds)})"
    yield from ((label, text) for label, text in _details(lead) if text)
    if submission.given_phone and not (submission.phones and _PLAIN_PHONE.fullmatch(submission.given_phone)):
        yield "Telefon wie angegeben", submission.given_phone[:200]
    if len(submission.phones) > 1:
        yield "Weitere Telefonnummern", ", ".join(submission.phones[1:])
    if submission.given_email and (not lead.person.email or re.search(r"[,;]", submission.given_email)):
        yield "E-Mail wie angegeben", submission.given_email[:300]
    yield from ((label, lead.weitere[key][:200]) for key, label in _AS_GIVEN.items() if key in lead.weitere)
    if submission.remarks or submission.hints:
        remarks = dict.fromkeys((*submission.remarks, *submission.hints))
        yield "Hinweise", ", ".join(f"{each.feld} {each.code}" for each in remarks)
    if facts.earlier:
        yield "Frühere Anfragen", ", ".join(facts.earlier)
    if facts.similar:
        yield "Ähnlich", " ".join(facts.similar)
    yield "Eingang", facts.received_at.astimezone(BERLIN).strftime("%d.%m.%Y %H:%M")
    yield PROCESS, facts.lead_id


def _details(lead: Lead) -> Iterator[tuple[str, str]]:
    concern, opponent = lead.anliegen, lead.gegenseite
    yield "Typ", lead.typ
    yield "Thema", concern.thema or ""
    yield "Betreff", concern.betreff or ""
    yield "Titel", lead.person.titel or ""
    yield "Objekt", lead.objekt.line
    yield "Objektart", lead.objekt.art or ""
    yield "Bundesland", land_of(lead.objekt.plz) or land_of(lead.adresse.plz) or ""
    yield "Gegenseite", opponent.name or ""
    yield "Anwalt der Gegenseite", opponent.anwalt or ""
    yield "Frist", " ".join(filter(None, (concern.frist, concern.frist_art)))
    yield "Rückstand", f"{concern.rueckstand_eur:.2f} EUR" if concern.rueckstand_eur is not None else ""
    yield "Gericht", " ".join(filter(None, (concern.gericht, concern.aktenzeichen)))
    yield "Rechtsschutz", concern.rechtsschutz or ""
    yield "Kontaktweg", " ".join(filter(None, (lead.kontaktwunsch.weg, lead.kontaktwunsch.zeitfenster)))
    yield (
        "Einwilligungen",
        "; ".join(_consent(each.zweck, each.erteilt, each.zeitpunkt) for each in lead.einwilligungen),
    )
    yield "Quelle", _source(lead)
    yield "Anhänge", " ".join(each.url for each in lead.anhaenge)


def _consent(purpose: str, given: bool, at: str | None) -> str:
    return f"{purpose} {'ja' if given else 'nein'}" + (f" ({at})" if at else "")


def _source(lead: Lead) -> str:
    where = lead.quelle
    marks = [
        f"{name} {value}"
        for name in (
            "utm_source",
            "utm_medium",
            "utm_campaign",
            "utm_term",
            "utm_content",
            "gclid",
            "fbclid",
            "msclkid",
        )
        if (value := getattr(where, name))
    ]
    page = (where.seite or "").partition("?")[0][:300]
    return ", ".join(filter(None, (where.plugin, where.formular, page, *marks)))


def is_technical(key: str) -> bool:
    """Tell what plugins add from what a visitor answered."""
    return key in _AS_GIVEN or _TECHNICAL.fullmatch(key) is not None


def note_text(submission: Submission, facts: Facts) -> str:
    """Write what is added to a lead or contact that is there already."""
    when = facts.received_at.astimezone(BERLIN).strftime("%d.%m.%Y %H:%M")
    return f"Weitere Anfrage vom {when}\n{description(submission, facts)}"


def process_line(lead_id: str) -> str:
    """Write the line by which a submission is found again."""
    return f"{PROCESS}: {lead_id}"


def head_of(text: str | None) -> dict[str, str]:
    """Read the labelled lines; what a visitor wrote below them does not count."""
    head = (text or "").replace("\r\n", "\n").partition(_HEAD_END)[0]
    pairs = (each.partition(": ") for each in head.split("\n"))
    return {label: value.strip() for label, found, value in pairs if found}


def is_direct(text: str | None) -> bool:
    """Tell whether a Lead was created past the store and has not been looked after."""
    label, _, value = DIRECT_LINE.partition(": ")
    return head_of(text).get(label) == value


def with_line(text: str, label: str, value: str) -> str:
    """Put another value into a labelled line, or add the line to the head."""
    head, gap, body = text.replace("\r\n", "\n").partition(_HEAD_END)
    pattern = re.compile(rf"^{re.escape(label)}: .*$", re.MULTILINE)
    written = f"{label}: {value}"
    head = pattern.sub(lambda _: written, head, count=1) if pattern.search(head) else f"{head}\n{written}"
    return head + gap + body


def with_missing_lines(text: str, newer: str) -> str:
    """Add what a further message tells of the matter and nobody had told before; nothing known is overwritten."""
    known, told = head_of(text), head_of(newer)
    for label in _LATER:
        if label in told and label not in known:
            text = with_line(text, label, told[label])
    return text


def empty_fields(record: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Say which attributes a record has nothing in, of those that we know; nothing known is overwritten."""
    names = "salutationName firstName accountName emailAddress phoneNumber addressStreet addressPostalCode".split()
    names += ["addressCity", "addressCountry"]
    missing = {name: fields[name] for name in names if name in fields and not record.get(name)}
    place = {name for name in missing if name.startswith("address")}
    whole = place == {name for name in fields if name.startswith("address")}
    return {name: value for name, value in missing.items() if whole or name not in place}


def phone_of(record: Mapping[str, Any]) -> str | None:
    """Read a record's number as E.164."""
    return next(iter(read_phones(record.get("phoneNumber") or "")), None)
