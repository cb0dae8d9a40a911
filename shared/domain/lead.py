"""A lead: what a visitor of the website told us, whichever form it came through; names as in its JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

LANDLORD, TENANT = "vermieter_anfrage", "mieter_anfrage"
CONTACT, NEWSLETTER = "kontaktformular", "newsletter_anmeldung"
TYPES = (LANDLORD, TENANT, CONTACT, NEWSLETTER)


@dataclass(frozen=True)
class Person:
    """Who asks."""

    anrede: str | None = None
    titel: str | None = None
    vorname: str | None = None
    nachname: str | None = None
    firma: str | None = None
    email: str | None = None
    telefon: str | None = None

    @property
    def name(self) -> str:
        """Say how the person or firm is called; empty when nobody said."""
        return " ".join(filter(None, (self.vorname, self.nachname))) or self.firma or ""


@dataclass(frozen=True)
class Place:
    """An address, of a person or of a property."""

    strasse: str | None = None
    hausnummer: str | None = None
    plz: str | None = None
    ort: str | None = None

    @property
    def line(self) -> str:
        """Write the address in one line."""
        street = " ".join(filter(None, (self.strasse, self.hausnummer)))
        return ", ".join(filter(None, (street, " ".join(filter(None, (self.plz, self.ort))))))


@dataclass(frozen=True)
class Address(Place):
    """Where a person lives."""

    land: str | None = None


@dataclass(frozen=True)
class Property(Place):
    """What the matter is about."""

    art: str | None = None
    einheiten: int | None = None


@dataclass(frozen=True)
class Opponent:
    """The other side."""

    rolle: str | None = None
    name: str | None = None
    anwalt: str | None = None


@dataclass(frozen=True)
class Concern:
    """What it is about."""

    thema: str | None = None
    betreff: str | None = None
    beschreibung: str | None = None
    frist: str | None = None
    frist_art: str | None = None
    rueckstand_eur: float | None = None
    gericht: str | None = None
    aktenzeichen: str | None = None
    rechtsschutz: str | None = None


@dataclass(frozen=True)
class Wish:
    """How the person wants to be reached."""

    weg: str | None = None
    rueckruf: bool | None = None
    zeitfenster: str | None = None


@dataclass(frozen=True)
class Consent:
    """What somebody agreed to, in which words, when and from where."""

    zweck: str
    erteilt: bool
    text: str | None = None
    text_version: str | None = None
    zeitpunkt: str | None = None
    ip: str | None = None


@dataclass(frozen=True)
class Source:
    """Where the visitor came from; not to be trusted, for display only."""

    plugin: str = "unbekannt"
    site: str | None = None
    seite: str | None = None
    referrer: str | None = None
    formular: str | None = None
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    utm_term: str | None = None
    utm_content: str | None = None
    gclid: str | None = None
    fbclid: str | None = None
    msclkid: str | None = None


@dataclass(frozen=True)
class Technical:
    """What helps to tell people from machines."""

    ip: str | None = None
    user_agent: str | None = None
    honeypot: str | None = None
    ausfuellzeit_s: float | None = None


@dataclass(frozen=True)
class Attachment:
    """A link to a file, never fetched by us."""

    url: str
    name: str | None = None


@dataclass(frozen=True)
class Lead:
    """The normalised lead."""

    typ: str
    event: str
    id: str | None = None
    eingegangen_am: str | None = None
    person: Person = Person()
    adresse: Address = Address()
    objekt: Property = Property()
    gegenseite: Opponent = Opponent()
    anliegen: Concern = Concern()
    kontaktwunsch: Wish = Wish()
    einwilligungen: tuple[Consent, ...] = ()
    quelle: Source = Source()
    technik: Technical = Technical()
    anhaenge: tuple[Attachment, ...] = ()
    weitere: Mapping[str, str] = field(default_factory=dict)

    def consented(self, purpose: str) -> bool:
        """Tell whether a consent was given."""
        return any(each.zweck == purpose and each.erteilt for each in self.einwilligungen)

    def to_json(self) -> dict[str, Any]:
        """Write the lead as its JSON Schema wants it: nothing empty but `person` and `einwilligungen`."""
        document: dict[str, Any] = _without_nothing({"schema": 1, **asdict(self)})
        return {"person": {}, "einwilligungen": [], **document}


def _without_nothing(value: Any) -> Any:
    if isinstance(value, Mapping):
        inner = {key: _without_nothing(each) for key, each in value.items()}
        return {key: each for key, each in inner.items() if each is not None and each not in ({}, [])}
    if isinstance(value, list | tuple):
        return [_without_nothing(each) for each in value]
    return value
