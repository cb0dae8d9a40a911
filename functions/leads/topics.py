"""Read topics, kinds of property, ways of contact and the like as their words in the schema."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from functions.leads.aliases import folded_key
from functions.leads.values import line
from shared.domain.lead import CONTACT, LANDLORD, NEWSLETTER, TENANT, TYPES

_TYPES: Final = {
    **{each: each for each in TYPES},
    "vermieter": LANDLORD,
    "mieter": TENANT,
    "kontakt": CONTACT,
    "newsletter": NEWSLETTER,
}
_TOPICS: Final[Sequence[tuple[str, str]]] = (
    ("eigenbedarf", "eigenbedarf"),
    ("raeumung", "raeumung|zwangsvollstreckung"),
    ("mietrueckstand", "mietrueckstand|mietschulden|rueckstand|zahlt nicht|zahlungsverzug"),
    ("untervermietung", "unterverm|untermiet"),
    ("mieterhoehung", "mieterhoehung|mietanpassung|indexmiete"),
    ("nebenkosten", "nebenkosten|betriebskosten|heizkosten|abrechnung"),
    ("kaution", "kaution"),
    ("kuendigung", "kuendig"),
    ("maengel", "maengel|mangel|mietminderung|schimmel"),
    ("mietvertrag", "mietvertrag|vertragspruefung"),
    ("weg", r"\bweg\b|wohnungseigentum|eigentuemergemeinschaft"),
    ("sonstiges", "sonstig|anderes"),
)
_KINDS: Final = (
    ("wohnung", "wohnung|apartment|zimmer"),
    ("haus", "haus"),
    ("gewerbe", "gewerbe|laden|buero|praxis"),
    ("stellplatz", "stellplatz|garage|parkplatz"),
    ("sonstiges", "sonstig"),
)
_WAYS: Final = (("telefon", "telefon|anruf|rueckruf|phone"), ("email", "mail"), ("post", r"\bpost\b|brief"))
_TIMES: Final = tuple((each, each.rstrip("s")) for each in ("vormittags", "nachmittags", "mittags", "abends", "egal"))
_DEADLINES: Final = tuple((each, each) for each in "gericht kuendigung zahlung widerspruch abrechnung sonstige".split())
_ROLES: Final = tuple((each, each) for each in ("hausverwaltung", "vermieter", "mieter", "nachbar", "sonstige"))
_COVERS: Final = (
    ("ja", r"\bja\b|^1$|true|vorhanden"),
    ("nein", r"\bnein\b|^0$|false|kein"),
    ("unbekannt", "unbekannt"),
)
_WORDS: Final[Mapping[str, Sequence[tuple[str, str]]]] = {
    "thema": _TOPICS,
    "art": _KINDS,
    "weg": _WAYS,
    "zeitfenster": _TIMES,
    "frist_art": _DEADLINES,
    "rolle": _ROLES,
    "rechtsschutz": _COVERS,
}


def lead_type(value: Any) -> str | None:
    """Read the type of a lead; None for a word that is none."""
    return _TYPES.get(folded_key(line(value)))


def word(kind: str, value: Any) -> str | None:
    """Find the schema's word for what somebody chose or wrote; the first of several choices counts."""
    parts = value if isinstance(value, list) else re.split(r"\|\||,|;", line(value)) if value is not None else []
    for part in parts:
        plain = folded_key(line(part)).replace("_", " ")
        found = next((name for name, pattern in _WORDS[kind] if plain and re.search(pattern, plain)), None)
        if found:
            return found
    return None
