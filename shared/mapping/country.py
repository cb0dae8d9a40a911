"""Countries as people write them, in Advoware's two letters."""

from __future__ import annotations

_NAMES = {
    "DE": "deutschland germany brd",
    "AT": "österreich austria",
    "CH": "schweiz switzerland",
    "LI": "liechtenstein",
    "LU": "luxemburg luxembourg",
    "NL": "niederlande netherlands holland",
    "BE": "belgien belgium",
    "FR": "frankreich france",
    "IT": "italien italy",
    "ES": "spanien spain",
    "PT": "portugal",
    "GB": "großbritannien england",
    "IE": "irland ireland",
    "DK": "dänemark denmark",
    "SE": "schweden sweden",
    "NO": "norwegen norway",
    "FI": "finnland finland",
    "PL": "polen poland",
    "CZ": "tschechien czechia",
    "SK": "slowakei slovakia",
    "HU": "ungarn hungary",
    "SI": "slowenien slovenia",
    "HR": "kroatien croatia",
    "RO": "rumänien romania",
    "BG": "bulgarien bulgaria",
    "GR": "griechenland greece",
    "TR": "türkei turkey türkiye",
    "UA": "ukraine",
    "RU": "russland russia",
    "US": "usa",
}
_CODES = {name: code for code, names in _NAMES.items() for name in names.split()}


def iso_country(text: str) -> str | None:
    """Find a country's two letters; "" for nothing, None for a name we do not know."""
    plain = text.strip()
    if len(plain) == 2 and plain.isascii() and plain.isalpha():
        return plain.upper()
    return _CODES.get(plain.casefold()) if plain else ""
