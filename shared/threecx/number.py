"""What a phone system calls a number, told apart: an outside number in E.164, an extension, withheld, or nothing."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from enum import StrEnum

from shared.dialled import parsed

HOME_CODE = "49"
INTERNAL_DIGITS = 5
LONGEST = 60
EMERGENCY = frozenset({"110", "112", "115", "116117", "116116", "116111", "116006", "116000", "911", "999"})
_WITHHELD = frozenset({"", "anonymous", "anonym", "withheld", "private", "unknown", "unbekannt", "restricted"})
_LITERAL = re.compile(r"\[\w+\]")  # a template variable that an older phone system does not know
_EXTENSION = re.compile(r"(?:ext\.?|durchwahl|dw\.?|x)\s*\d{1,6}$", re.IGNORECASE)
_AT_HOME = re.compile(rf"(?:\+{HOME_CODE}|00{HOME_CODE}|0)([1-9]\d{{6,12}})")  # the plan changes nothing in these
_FORBIDDEN = re.compile(r"[*#]|[^\W\d_]", re.UNICODE)
_DRESS = re.compile("[\\s\u00a0\u200e\u200f\u202a-\u202e\u2066-\u2069()./–—‐‑-]+")


class Kind(StrEnum):
    """What a text turned out to be."""

    OUTSIDE = "outside"
    INTERNAL = "internal"
    WITHHELD = "withheld"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Number:
    """One end of a call; `value` is E.164 for an outside number and the digits of an extension."""

    kind: Kind
    value: str = ""

    @property
    def masked(self) -> str:
        """Show no more than the last three digits."""
        return f"…{self.value[-3:]}" if len(self.value) > INTERNAL_DIGITS else "…"

    @property
    def national(self) -> str:
        """Give the number without its country code, where we know that code; else all digits."""
        digits = self.value.removeprefix("+")
        return digits.removeprefix(HOME_CODE) if digits.startswith(HOME_CODE) else digits


WITHHELD = Number(Kind.WITHHELD)
UNREADABLE = Number(Kind.UNREADABLE)


def told_number(value: str) -> Number:
    """Take a number as it was kept with an event: E.164, or digits that nobody can read, or nothing."""
    if not value:
        return WITHHELD
    return Number(Kind.OUTSIDE if value.startswith("+") else Kind.UNREADABLE, value)


def digits_of(text: str) -> str:
    """Keep of an unreadable number what people may still recognise."""
    return re.sub(r"[^0-9*#]", "", text)[:20]


@functools.lru_cache(maxsize=256)
def read_number(text: str | None, outside_prefix: str = "", area_code: str = "") -> Number:
    """Read any spelling, as it is dialled in Germany."""
    raw = _bare(text)
    if raw.casefold() in _WITHHELD or _LITERAL.fullmatch(raw):
        return WITHHELD
    raw = _EXTENSION.sub("", raw).strip()
    if len(raw) > LONGEST or _FORBIDDEN.search(raw):
        return UNREADABLE
    compact = _DRESS.sub("", raw.replace("(0)", "") if raw.startswith(("+", "00")) else raw)
    digits = _ascii(compact)
    if not digits:
        return UNREADABLE
    if len(digits) <= INTERNAL_DIGITS or digits in EMERGENCY:
        return Number(Kind.INTERNAL, digits)
    return _first_valid(_readings(digits, outside_prefix, area_code))


def _bare(text: str | None) -> str:
    """Cut what belongs to an address: scheme, host, parameters."""
    raw = (text or "").strip().strip("<>")
    raw = re.sub(r"^(?:sips?|tel|callto):", "", raw, flags=re.IGNORECASE)
    return raw.partition("@")[0].partition(";")[0].strip()


def _ascii(compact: str) -> str:
    """Write digits of any script as ASCII, with a plus in front where there is one; nothing for anything else."""
    body = compact[1:] if compact[:1] in {"+", "＋"} else compact
    if not body or not all(char.isdecimal() for char in body):
        return ""
    return ("+" if len(body) < len(compact) else "") + "".join(str(int(char)) for char in body)


def _readings(digits: str, outside_prefix: str, area_code: str) -> list[str]:
    """List what the digits may stand for, the most likely first."""
    found = []
    inside = digits[len(outside_prefix) :] if outside_prefix and digits.startswith(outside_prefix + "0") else ""
    if inside.startswith("00"):
        found.append(inside)
    if digits.startswith(HOME_CODE) and len(digits) >= 10:
        found.append("+" + digits)
    if digits.startswith(("+", "0")):
        found += [digits, inside] if digits.startswith("00") else [inside, digits]
    elif area_code:
        code = area_code.removeprefix("+" + HOME_CODE).lstrip("0")
        found.append(f"+{HOME_CODE}{code}{digits}")
        found.append(digits)
    elif len(digits) >= 9:
        found.append(digits)
    return [each for each in found if each]


def _first_valid(readings: list[str]) -> Number:
    """Take the first reading in the numbering plan, else the first that could be: plans change faster than we do."""
    if len(readings) == 1 and (plain := _AT_HOME.fullmatch(readings[0])):
        return Number(Kind.OUTSIDE, f"+{HOME_CODE}{plain[1]}")
    import phonenumbers

    found = [each for each in map(parsed, readings) if each is not None]
    for fits in (phonenumbers.is_valid_number, phonenumbers.is_possible_number):
        for each in found:
            if fits(each) and each.national_number >= 10**6:
                return Number(Kind.OUTSIDE, str(phonenumbers.format_number(each, phonenumbers.PhoneNumberFormat.E164)))
    return UNREADABLE


def is_ordinary(value: str) -> bool:
    """Tell whether an E.164 number is a fixed or a mobile line by the numbering plan (facts: leads, phone traps)."""
    import phonenumbers

    number, kinds = parsed(value), phonenumbers.PhoneNumberType
    ordinary = (kinds.FIXED_LINE, kinds.MOBILE, kinds.FIXED_LINE_OR_MOBILE)
    return number is not None and phonenumbers.number_type(number) in ordinary


def display(value: str) -> str:
    """Write an E.164 number as people read it; what is none stays as it is."""
    import phonenumbers

    try:
        number = phonenumbers.parse(value)
    except phonenumbers.NumberParseException:
        return value
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL))
