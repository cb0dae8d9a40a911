"""Read single values as people and plugins write them: texts, names, numbers, dates, yes and no."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from typing import Any, Final

TAG = re.compile(r"</?[a-zA-Z][\w:-]{0,40}(?:\s[^<>]{0,500}|/)?>")  # no `<anna@example.org>`, no `<https://…>`
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_TRUE = frozenset({"on", "1", "true", "ja", "yes", "accepted", "y", "j", "wahr", "checked"})
_FALSE = frozenset({"off", "0", "false", "nein", "no", "n", "falsch"})
_AGREEING = frozenset(
    "ich wir ja hiermit einverstanden akzeptiere akzeptiert zugestimmt gelesen i we yes agree".split()
)
_DENYING = re.compile(r"nein|nicht|no|not|kein\w*|ohne")
_CALL = re.compile(r"r(?:ü|ue)ckruf|\banruf|\bruf|mittag|abend|morgen|uhr\b|jederzeit|egal")
_PARTICLES = frozenset({"von", "van", "de", "zu", "vom", "zum", "der", "den", "ten", "di", "da", "la", "le", "auf"})
_TITLE = re.compile(r"^((?:(?:Prof|Dr|Dipl|Mag)\.?(?:-?[A-Z][a-z]+\.?)?\s+)+)(?=\S)")
_FIRM = re.compile(r"(?i:\b(?:gmbh|mbh|gbr|ohg|kgaa|ltd)\b|\be\.\s?(?:v|k)\.)|\b(?:AG|KG|UG|SE|eG|PartG)\b|^WEG\b")
_SALUTATIONS: Final = {
    "frau": "frau",
    "fr": "frau",
    "mrs": "frau",
    "ms": "frau",
    "herr": "herr",
    "herrn": "herr",
    "hr": "herr",
    "mr": "herr",
    "divers": "divers",
    "firma": "firma",
    "keine_angabe": "keine_angabe",
    "keine angabe": "keine_angabe",
}


def as_text(value: Any) -> str:
    """Write any value as one text; lists are joined."""
    if isinstance(value, bool):
        return "ja" if value else "nein"
    if isinstance(value, list):
        return ", ".join(filter(None, (as_text(each) for each in value)))
    if isinstance(value, dict):
        return ", ".join(filter(None, (as_text(each) for each in value.values())))
    return "" if value is None else str(value)


def cleaned(value: Any) -> str:
    """Make a text of several lines safe to keep: NFC, LF, no control characters, no markup."""
    text = unicodedata.normalize("NFC", as_text(value)).replace("\r\n", "\n").replace("\r", "\n")
    return TAG.sub("", _CONTROL.sub("", text)).strip()


def line(value: Any) -> str:
    """Make a text of one line."""
    return " ".join(cleaned(value).split())


def as_bool(value: Any) -> bool | None:
    """Read yes and no; None for neither."""
    if isinstance(value, bool) or value is None:
        return value
    word = line(value).lower()
    if word in _FALSE or not word:
        return False if word else None
    return True if word in _TRUE else None


def agreed(value: Any) -> bool:
    """Read the box of a consent: some plugins send its wording when it was ticked."""
    read = as_bool(value)
    if read is not None:
        return read
    words = re.findall(r"\w+", line(value).lower())
    return bool(_AGREEING & set(words)) and not any(_DENYING.fullmatch(word) for word in words[:4])


def wished(value: Any) -> bool:
    """Read the box of a call back: yes, or its wording; some forms send the time at which the call suits."""
    read = as_bool(value)
    if read is not None:
        return read
    words = re.findall(r"\w+", line(value).lower())
    return agreed(value) or (bool(_CALL.search(" ".join(words))) and not any(map(_DENYING.fullmatch, words)))


def as_number(value: Any) -> float | None:
    """Read an amount, `4.350,50 €` as well as `4350.50`; a range, or months instead of money, is none."""
    if isinstance(value, bool) or value is None:
        return None
    found = re.findall(r"-?\d[\d.,]*", re.sub(r"(?<=\d)[ '](?=\d{3}\b)", "", line(value)))
    if len(found) != 1 or re.search("monat|miete", line(value), re.IGNORECASE):
        return None
    plain = found[0].rstrip(".,")
    if "," in plain:
        plain = (
            plain.replace(".", "").replace(",", ".") if plain.rfind(",") > plain.rfind(".") else plain.replace(",", "")
        )
    elif re.fullmatch(r"\d{1,3}(\.\d{3})+", plain):
        plain = plain.replace(".", "")
    try:
        number = float(plain)
    except ValueError:
        return None
    return number if 0 <= number <= 10_000_000 else None


def as_date(value: Any) -> date | None:
    """Read a day in ISO or dd.mm.yyyy; everything else is ambiguous and none."""
    text = line(value)
    iso = re.match(r"(\d{4})-(\d{2})-(\d{2})(?=$|[T ])", text)
    german = re.fullmatch(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})", text)
    if iso is None and german is None:
        return None
    parts = [int(part) for part in (iso.groups() if iso else german.groups()[::-1] if german else ())]
    try:
        return date(*parts)
    except ValueError:
        return None


def as_moment(value: Any) -> str | None:
    """Read a moment with its zone."""
    text = line(value)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return text if moment.tzinfo is not None and "T" in text else None


def salutation(value: Any) -> str | None:
    """Read a salutation, also before a title; never guessed from a name, and two persons have none."""
    words = line(value).lower().split()
    alone = len(words) == 1 or all(word.startswith(("dr", "prof")) for word in words[1:])
    first = words[0].rstrip(".,") if words and alone else " ".join(words)
    return _SALUTATIONS.get(first)


def title_in(value: Any) -> str | None:
    """Find a title behind a salutation."""
    found = re.search(r"\b(?:(?:prof|dr)\b\.?\s*)+", line(value), re.IGNORECASE)
    return found.group().strip() if found else None


def is_firm(name: str) -> bool:
    """Tell a firm that was written where a person's name belongs."""
    return _FIRM.search(name) is not None


def split_name(whole: str) -> tuple[str | None, str, str | None]:
    """Split "Dr. Anna von Groß" into first name, surname and title."""
    found = _TITLE.match(whole)
    title = found.group(1).strip() if found else None
    rest = whole[found.end() :] if found else whole
    if rest.count(",") == 1:
        last, first = (part.strip() for part in rest.split(","))
        return first or None, last, title
    words = rest.split()
    start = next((n for n, word in enumerate(words) if n and word.lower() in _PARTICLES), len(words) - 1)
    return " ".join(words[:start]) or None, " ".join(words[start:]), title


def split_street(text: str) -> tuple[str, str | None]:
    """Split a house number off a street."""
    found = re.fullmatch(r"(.*?\D)\s+(\d{1,4}\s?[a-zA-Z]?(?:\s?[-/]\s?\d{1,4}\s?[a-zA-Z]?)?)", text)
    return (found.group(1).strip(" ,"), found.group(2)) if found else (text, None)


def split_address(text: str) -> tuple[str, str | None, str | None, str | None]:
    """Split "Lange Str. 1, 30159 Hannover" into street, number, PLZ and town."""
    found = re.fullmatch(r"(.*?)[,\s]+(\d{5})\s+(\D+)", text)
    street, number = split_street((found.group(1) if found else text).strip(" ,"))
    return street, number, found.group(2) if found else None, found.group(3).strip() if found else None
