"""Name the lawyers and the staff."""

from itertools import product
from random import Random
from typing import Any

TEN = [
    ("SB", "Berger", "Sabine"),
    ("ÖZ", "Zimmermann", "Özlem"),
    ("MK", "Köhler", "Matthias"),
    ("JW", "Weiß", "Jürgen"),
    ("ATL", "Thielmann-Lüders", "Anke"),
    ("FH", "Hülsmann", "Friedrich"),
    ("KRÄ", "Krämer", "Käthe"),
    ("DV", "von der Vögte", "Dörte"),
    ("NP", "Petersen", "Nils"),
    ("GS", "Strauß", "Gülsüm"),
]
NAMES = ["Ahlers", "Böttcher", "Cordes", "Dümmer", "Ehlers", "Fröhlich", "Göbel", "Heßling", "Immel", "Jäger", "Lührs"]
FIRST_NAMES = ["Anton", "Bärbel", "Clara", "Detlef", "Elif", "Frauke", "Grigori", "Heike", "Ingo", "Jörg", "Kübra"]
PLAIN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", " ": "-"})


def email(name: str, first_name: str) -> str:
    """Write somebody's address without umlauts."""
    return f"{first_name[0].lower()}.{name.lower()}@kanzlei.example".translate(PLAIN)


def people(count: int, rng: Random) -> list[dict[str, Any]]:
    """List the employees: the well-known ten first, then as many as are wanted."""
    others = [(first[0] + name[:2].upper(), name, first) for name, first in product(NAMES, FIRST_NAMES)]
    rng.shuffle(others)
    if count > len(TEN) + len(others):
        raise ValueError(f"at most {len(TEN) + len(others)} employees")
    return [
        {"kuerzel": kuerzel, "name": name, "vorname": first, "email": email(name, first), "aktiv": True}
        for kuerzel, name, first in (TEN + others)[:count]
    ]
