"""Fold names and streets for comparison; write them in every spelling that a register may hold: pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

_STREET: Final = re.compile(r"(str)(?:a(?:ß|ss)e\b|\.|\b).*", re.IGNORECASE | re.DOTALL)
_UMLAUT: Final = {"ae": "ä", "oe": "ö", "ue": "ü"}
_UMLAUTS: Final = re.compile("ae|oe|(?<![aeq])ue")
_PLAIN: Final = re.compile("[äöü]")


def folded(name: str) -> str:
    """Fold a name for comparison: case, umlauts, accents, hyphens and blanks do not count."""
    text = name.casefold()
    for umlaut, plain in (("ä", "ae"), ("ö", "oe"), ("ü", "ue")):
        text = unicodedata.normalize("NFC", text).replace(umlaut, plain)
    bare = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return " ".join("".join(char if char.isalnum() else " " for char in bare).split())


def folded_street(street: str) -> str:
    """Fold a street, whichever way it is abbreviated."""
    return folded(street).replace("strasse", "str").replace(" ", "")


def spellings(name: str) -> list[str]:
    """Write a name as given, without umlauts, and with those that it may stand for: a register may not fold."""
    plain = folded(name)
    umlauts = _UMLAUTS.sub(lambda found: _UMLAUT[found[0]], plain)
    written = [name, plain, umlauts, *(each.replace("ss", "ß") for each in (plain, umlauts))]
    return _each_once(written)


def _each_once(written: Iterable[str]) -> list[str]:
    once: dict[str, str] = {}
    for each in written:
        once.setdefault(each.lower(), each)
    return list(once.values())


def street_terms(street: str) -> list[str]:
    """Write a street as given and cut behind `Str`, with which every spelling of it begins, also with umlauts."""
    short = _STREET.sub(r"\1", street)
    plain = _PLAIN.sub(lambda found: folded(found[0]), short.lower())
    umlauts = _UMLAUTS.sub(lambda found: _UMLAUT[found[0]], plain)
    written = [street, short, plain, umlauts]
    return _each_once(written)
