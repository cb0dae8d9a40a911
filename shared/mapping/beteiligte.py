"""EspoCRM's entity, our Party and Advoware's Beteiligte; the table of fields is in docs/parties.md."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

from shared.domain.party import Party
from shared.mapping.country import iso_country
from shared.mapping.phone import e164, is_mobile, same_number
from shared.mapping.spelling import folded, folded_street

Json = Mapping[str, Any]

SALUTATIONS = {"Mr.": "Herr", "Ms.": "Frau", "Mrs.": "Frau", "Miss": "Frau"}
PERSONS = frozenset({"herr", "frau", "divers", "person", "privat", "privatperson", "natürliche person"})
COMPANY = "Firma"
WIRE = {
    "anrede": "salutation",
    "titel": "title",
    "vorname": "first_name",
    "name": "name",
    "rechtsform": "legal_form",
    "geburtsdatum": "birth_date",
    "strasse": "street",
    "plz": "postal_code",
    "ort": "city",
    "land": "country",
    "email": "email",
    "telefon": "phone",
    "mobil": "mobile",
}
NULLABLE = frozenset({"geburtsdatum"})
_SPELLED = frozenset({"email", "land", "telefon", "mobil"})


@dataclass(frozen=True)
class Names:
    """EspoCRM's attribute for each of our fields; of several the first one that a record has."""

    name: tuple[str, ...] = ("lastName",)
    company: tuple[str, ...] = ("firmenname", "firma", "companyName")
    first_name: tuple[str, ...] = ("firstName",)
    salutation: tuple[str, ...] = ("salutationName",)
    title: tuple[str, ...] = ("titel",)
    legal_form: tuple[str, ...] = ("rechtsform", "legalForm")
    birth_date: tuple[str, ...] = ("geburtsdatum", "dateOfBirth", "birthDate")
    street: tuple[str, ...] = ("addressStreet", "billingAddressStreet")
    postal_code: tuple[str, ...] = ("addressPostalCode", "billingAddressPostalCode")
    city: tuple[str, ...] = ("addressCity", "billingAddressCity")
    country: tuple[str, ...] = ("addressCountry", "billingAddressCountry")

    @classmethod
    def of(cls, own: Mapping[str, str]) -> Names:
        """Put an installation's own names in the place of ours; an unknown field of ours is a ValueError."""
        known = {each.name for each in fields(cls)}
        if unknown := sorted(own.keys() - known):
            raise ValueError(f"no such field: {', '.join(unknown)}")
        return replace(cls(), **{field: (name,) for field, name in own.items()})


def from_entity(record: Json, names: Names) -> Party:
    """Read EspoCRM's record; an attribute that it does not carry says nothing."""
    said: dict[str, Any] = {each.name: _said(record, getattr(names, each.name)) for each in fields(names)}
    company, legal = said.pop("company"), said["legal_form"]
    name = said.pop("name") or company or _text(record.get("name"))
    salutation, title = _address(said.pop("salutation"), said.pop("title"), legal or "")
    if legal and legal.casefold() not in PERSONS and not salutation:
        salutation = COMPANY
    street, country = said.pop("street"), said.pop("country")
    return Party(
        name=name,
        salutation=salutation,
        title=title,
        street=None if street is None else ", ".join(filter(None, map(str.strip, street.splitlines()))),
        country=None if country is None else iso_country(country),
        **said,
        **_phones(record),
        **_emails(record),
    )


def from_beteiligte(row: Json) -> Party:
    """Read Advoware's Beteiligte, which speaks about every field."""
    said: dict[str, Any] = {ours: _text(row.get(wire)) for wire, ours in WIRE.items()}
    said["birth_date"] = said["birth_date"][:10]
    return Party(**said)


def new_beteiligte(party: Party) -> dict[str, Any]:
    """Write what Advoware gets to create a party."""
    return {**{wire: _value(party, wire) for wire in filled(party)}, "aktiv": True}


def filled(party: Party) -> list[str]:
    """Name Advoware's fields about which the party has something to say."""
    return [wire for wire, ours in WIRE.items() if getattr(party, ours)]


def changes(party: Party, row: Json, ours: Collection[str] = ()) -> dict[str, Any]:
    """Say which of Advoware's fields must change, and to what.

    An empty field empties Advoware's only if we had filled that one (`ours`): what Advoware alone knows survives.
    """
    changed: dict[str, Any] = {}
    for wire, field in WIRE.items():
        wanted = getattr(party, field)
        if wanted and not _same(wire, _value(party, wire), row.get(wire)):
            changed[wire] = _value(party, wire)
        elif wanted == "" and wire in ours and wire != "name" and row.get(wire) not in {None, ""}:
            changed[wire] = None if wire in NULLABLE else ""
    return changed


def canonical(party: Party) -> list[str]:
    """Write a party so that two spellings of the same content become equal."""
    numbers = [e164(number) or number or "" for number in (party.phone, party.mobile)]
    plain = [str(getattr(party, ours) or "").strip() for wire, ours in WIRE.items() if wire not in _SPELLED]
    return [*plain, (party.email or "").casefold(), iso_country(party.country or "") or party.country or "", *numbers]


_SHORTEST_LINE = len("+49") + 6


def is_same_party(ours: Party, theirs: Party) -> bool:
    """Say whether both are surely the same: equal names, and one more thing that namesakes do not share."""
    same_name = folded(ours.name) == folded(theirs.name) and folded(ours.first_name or "") == folded(
        theirs.first_name or ""
    )
    return bool(folded(ours.name)) and same_name and _shares_more(ours, theirs)


def _lines(party: Party) -> set[str]:
    """List the numbers that belong to one line: an area code or a filler such as 000 says nothing about anybody."""
    numbers = (e164(number) for number in party.phones)
    return {number for number in numbers if number and len(number) >= _SHORTEST_LINE}


def _shares_more(ours: Party, theirs: Party) -> bool:
    if {mail.casefold() for mail in ours.emails} & {mail.casefold() for mail in theirs.emails}:
        return True
    if _lines(ours) & _lines(theirs):
        return True
    if ours.birth_date and ours.birth_date == theirs.birth_date:
        return True
    homes = [(party.postal_code or "", folded_street(party.street or "")) for party in (ours, theirs)]
    return all(homes[0]) and homes[0] == homes[1]


def _value(party: Party, wire: str) -> Any:
    value = getattr(party, WIRE[wire])
    return value.isoformat() if isinstance(value, date) else value


def _same(wire: str, wanted: str, current: Any) -> bool:
    text = _text(current)
    match wire:
        case "telefon" | "mobil":
            return same_number(wanted, text)
        case "email":
            return wanted.casefold() == text.casefold()
        case "geburtsdatum":
            return wanted == text[:10]
        case "land":
            return wanted == (iso_country(text) or text)
    return wanted == text


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _said(record: Json, names: tuple[str, ...]) -> str | None:
    return next((_text(record[name]) for name in names if name in record), None)


def _address(salutation: str | None, title: str | None, legal: str) -> tuple[str | None, str | None]:
    """Tell salutation and title apart, which EspoCRM keeps in one list."""
    if salutation and salutation.rstrip(".") in {"Dr", "Prof"}:
        return None, title or salutation
    if not salutation and legal.casefold() in {"herr", "frau"}:
        return legal, title
    return SALUTATIONS.get(salutation or "", salutation), title


def _phones(record: Json) -> dict[str, Any]:
    """Choose the first line of the office and the first mobile; a list's row knows the primary number only."""
    if "phoneNumberData" not in record:
        primary = _text(record.get("phoneNumber"))
        field = "mobile" if is_mobile(primary) else "phone"
        return {field: e164(primary) or primary} if primary else {}
    rows = _rows(record, "phoneNumber")
    numbers = {
        e164(row["phoneNumber"]) or row["phoneNumber"].strip(): is_mobile(
            row["phoneNumber"], assumed=row.get("type") == "Mobile"
        )
        for row in rows
        if row.get("type") != "Fax"
    }
    phone = next((number for number, mobile in numbers.items() if not mobile), "")
    mobile = next((number for number, mobile in numbers.items() if mobile), "")
    others = tuple(number for number in numbers if number not in {phone, mobile})
    return {"phone": phone, "mobile": mobile, "other_phones": others}


def _emails(record: Json) -> dict[str, Any]:
    if "emailAddressData" not in record and "emailAddress" not in record:
        return {}
    rows = [row["emailAddress"].strip() for row in _rows(record, "emailAddress")]
    every = list(dict.fromkeys(filter(None, [_text(record.get("emailAddress")), *rows])))
    return {"email": every[0] if every else "", "other_emails": tuple(every[1:])}


def _rows(record: Json, name: str) -> list[Json]:
    """List a record's numbers or addresses, the primary one first, without those that are marked as wrong."""
    data = record.get(f"{name}Data")
    rows = [row for row in data if isinstance(row, dict) and _text(row.get(name))] if isinstance(data, list) else []
    if not rows and _text(record.get(name)):
        rows = [{name: record[name], "primary": True}]
    return sorted((row for row in rows if not row.get("invalid")), key=lambda row: not row.get("primary"))
