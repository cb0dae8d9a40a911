"""Sort a form's fields by what they mean; what nobody knows is kept apart and never lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from functions.leads.aliases import FORM_MAP_WORDS, MEANINGS, folded_key, meaning_of
from functions.leads.contact import looks_like_email, looks_like_phone
from functions.leads.unwrap import Fields
from functions.leads.values import as_text, cleaned

FormMaps = Mapping[str, Mapping[str, Any]]
MAX_OTHERS, MAX_OTHER_KEY, MAX_OTHER_TEXT = 40, 80, 2000


@dataclass
class Meanings:
    """The fields by meaning; of several with the same one the first that says something counts."""

    known: dict[str, Any] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)
    raw_others: list[tuple[str, Any]] = field(default_factory=list)
    is_cut: bool = False  # what nobody knows was more than is kept

    def get(self, name: str) -> Any:
        """Give what a meaning's field says."""
        return self.known.get(name)

    def text(self, name: str) -> str:
        """Give a field as cleaned text."""
        return cleaned(self.known.get(name))


def sort_fields(fields: Fields, maps: FormMaps) -> tuple[Meanings, str | None]:
    """Apply the configured map of this form first, then the table of names; also say which type the map gives."""
    form = next((maps[name] for name in fields.form_names if name in maps), {})
    mapped = form.get("felder") if isinstance(form.get("felder"), Mapping) else {}
    own = {folded_key(str(key)): _word(str(word)) for key, word in (mapped or {}).items()}
    found = Meanings()
    for key, value in fields.pairs:
        meaning = own.get(folded_key(key)) or meaning_of(key)
        if value is None:
            continue
        if meaning == "telefon" and _already(found, meaning, value):
            found.known[meaning] = f"{as_text(found.known[meaning])}, {as_text(value)}"
        elif meaning is None or _already(found, meaning, value):
            found.raw_others.append((key, value))
        else:
            found.known[meaning] = value
    _guess_contact(found)
    found.others = _kept(found.raw_others)
    found.is_cut = len(found.raw_others) > MAX_OTHERS or any(
        len(cleaned(as_text(value))) > MAX_OTHER_TEXT for _, value in found.raw_others
    )
    return found, form.get("typ") if isinstance(form.get("typ"), str) else None


_PERSON = frozenset("anrede titel vorname nachname firma email telefon".split())
_HOME = frozenset("strasse hausnummer plz ort land".split())


def path_of(meaning: str) -> str:
    """Say where the schema of leads keeps a meaning."""
    section, _, rest = meaning.partition("_")
    if section in {"objekt", "gegenseite"} and rest:
        return f"{section}.{rest}"
    if meaning == "name":
        return "person.nachname"
    part = "person" if meaning in _PERSON else "adresse" if meaning in _HOME else "anliegen"
    return f"{part}.{meaning}"


def _word(word: str) -> str | None:
    name = folded_key(word)
    name = FORM_MAP_WORDS.get(name, name)
    return name if name in MEANINGS else meaning_of(word)


def _already(found: Meanings, meaning: str, value: Any) -> bool:
    return meaning in found.known and found.known[meaning] != value


def _guess_contact(found: Meanings) -> None:
    """Without an address or number under a known name take a value that can be nothing else."""
    if "email" in found.known or "telefon" in found.known:
        return
    for name, fits in (("email", looks_like_email), ("telefon", looks_like_phone)):
        hits = [each for each in found.raw_others if fits(each[1])]
        if len(hits) == 1:
            found.known[name] = hits[0][1]
            found.raw_others.remove(hits[0])


def _kept(pairs: list[tuple[str, Any]]) -> dict[str, str]:
    kept: dict[str, str] = {}
    for key, value in pairs[:MAX_OTHERS]:
        name, text = cleaned(key)[:MAX_OTHER_KEY], cleaned(as_text(value))
        if text:
            kept[name] = (f"{kept[name]}, {text}" if name in kept else text)[:MAX_OTHER_TEXT]
    return kept
