"""Say whether somebody has written before, and whether about the same matter: pure, over what searches brought."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from functions.leads.contact import folded_email, is_own_domain
from functions.leads.render import PROCESS, head_of, phone_of
from functions.leads.submission import Submission
from shared.mapping.spelling import folded, folded_street

Record = Mapping[str, Any]
WINDOW: Final = timedelta(days=30)
TOO_MANY: Final = 20  # an address or number of so many records belongs to a switchboard
TOLD_LATER: Final = frozenset({"objekt", "gegenseite", "frist"})  # own fields that a further message may fill
CLOSED: Final = frozenset({"Converted", "Recycled", "Dead"})
_PLACE: Final = re.compile(r"\s*(\d{5}\b)?(.*)", re.DOTALL)
NEWSLETTER_MARK: Final = "Newsletter: nur Anmeldung"


@dataclass(frozen=True)
class Earlier:
    """The open lead of the same matter, and others of the same person."""

    same: Record | None = None
    others: tuple[Record, ...] = ()
    open_others: tuple[Record, ...] = ()
    strangers: tuple[Record, ...] = ()  # the same number under another name


def contact_of(by_mail: Iterable[Record], by_phone: Iterable[Record]) -> Record | None:
    """Find the contact with this address or number; one that only gets the newsletter is no client."""
    for rows in (list(by_mail), list(by_phone)):
        clients = [row for row in rows if NEWSLETTER_MARK not in str(row.get("description") or "")]
        if clients and len(rows) <= TOO_MANY:
            return clients[0]
    return None


def earlier(submission: Submission, by_mail: Iterable[Record], by_phone: Iterable[Record], now: datetime) -> Earlier:
    """Sort out what the same person asked before."""
    mails, phones = list(by_mail), list(by_phone)
    rows = mails if len(mails) <= TOO_MANY else []
    strangers: list[Record] = []
    if len(phones) <= TOO_MANY:
        known = {row["id"] for row in rows}
        unknown = [row for row in phones if row["id"] not in known]
        strangers = [row for row in unknown if not _may_be_same_person(submission, row)]
        rows = [*rows, *(row for row in unknown if row not in strangers)]
    ours = sorted(
        (row for row in rows if PROCESS in head_of(row.get("description"))), key=lambda row: str(row.get("createdAt"))
    )
    open_ones = [row for row in ours if row.get("status") not in CLOSED and _age(row, now) <= WINDOW]
    same = next((row for row in reversed(open_ones) if is_same_matter(submission, row)), None)
    others = tuple(row for row in ours if row is not same)
    return Earlier(same, others, tuple(row for row in open_ones if row is not same), tuple(strangers))


def weak_signs(submission: Submission) -> list[list[dict[str, Any]]]:
    """Say which searches hint at the same person or firm: name and PLZ, and a mail domain that is a firm's own."""
    person, plz = submission.lead.person, submission.lead.adresse.plz
    domain = folded_email(person.email or "").rpartition("@")[2]
    named = [("equals", "lastName", person.nachname or ""), ("equals", "addressPostalCode", plz or "")]
    firm = [("endsWith", "emailAddress", f"@{domain}")]
    searches = [each for each, useful in ((named, person.nachname and plz), (firm, is_own_domain(domain))) if useful]
    return [[{"type": kind, "attribute": name, "value": value} for kind, name, value in each] for each in searches]


def is_same_matter(submission: Submission, row: Record) -> bool:
    """Compare type, topic and object; where one side says nothing of the object nothing differs."""
    lead, head = submission.lead, head_of(row.get("description"))
    if head.get("Typ") != lead.typ or head.get("Thema", "") != (lead.anliegen.thema or ""):
        return False
    return is_same_place(head.get("Objekt", ""), lead.objekt.line)


def is_same_place(first: str, second: str) -> bool:
    """Compare two addresses as far as both tell: the street in any spelling, and the PLZ, else the town."""
    (street, plz, town), (other_street, other_plz, other_town) = _parts(first), _parts(second)
    places = (plz, other_plz) if plz and other_plz else (town, other_town)
    return all(not one or not other or one == other for one, other in ((street, other_street), places))


def _parts(text: str) -> tuple[str, str, str]:
    """Read an address as our labelled lines write it: street, comma, PLZ and town, each of which may be missing."""
    street, _, rest = text.rpartition(",") if re.match(r"\s*\d{5}\b", text) else text.partition(",")
    found = _PLACE.fullmatch(rest)
    plz, town = found.groups("") if found else ("", "")
    return folded_street(street), plz, folded(town)


def _may_be_same_person(submission: Submission, row: Record) -> bool:
    """A number shared by two names is a hint, never a reason to merge."""
    person = submission.lead.person
    ours, theirs = folded(person.nachname or ""), folded(str(row.get("lastName") or ""))
    same_mail = folded_email(str(row.get("emailAddress") or "")) == folded_email(person.email or "")
    same_phone = phone_of(row) in submission.phones or not row.get("phoneNumber")
    return same_mail or (same_phone and (not ours or not theirs or ours == theirs))


def _age(row: Record, now: datetime) -> timedelta:
    created = created_at(row)
    return now - created if created else timedelta()


def created_at(row: Record) -> datetime | None:
    """Read when EspoCRM created a record."""
    try:
        return datetime.strptime(str(row.get("createdAt")), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None
