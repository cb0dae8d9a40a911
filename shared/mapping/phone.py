"""Any spelling of a phone number to E.164; the library is loaded when the first number comes by."""

from __future__ import annotations

import re
from typing import Any

from shared.dialled import parsed

_WORDS = re.compile(r"\d.*?(?!ext|durchwahl)\b[^\W\d_]{3,}", re.IGNORECASE)  # the library would dial letters
_GERMAN_MOBILE = re.compile("1[567]")


def e164(text: str | None) -> str | None:
    """Write a number as E.164; None for what is no possible number."""
    number = _parsed(text)
    if number is None:
        return None
    import phonenumbers

    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def is_mobile(text: str | None, *, assumed: bool = False) -> bool:
    """Tell whether a number belongs to a mobile phone; `assumed` decides where the numbering plan does not say."""
    number = _parsed(text)
    if number is None:
        return assumed
    if number.country_code == 49:
        return _GERMAN_MOBILE.match(str(number.national_number)) is not None
    import phonenumbers

    kind = phonenumbers.number_type(number)
    if kind == phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE:
        return assumed
    return bool(kind == phonenumbers.PhoneNumberType.MOBILE)


def same_number(first: str | None, second: str | None) -> bool:
    """Compare two spellings; what cannot be read is compared as text."""
    return (e164(first) or (first or "").strip()) == (e164(second) or (second or "").strip())


def _parsed(text: str | None) -> Any:
    """Read a number as it is dialled in Germany; a zero in brackets is not dialled."""
    if not text or not text.strip() or len(text) > 60:
        return None
    spelled = text.strip().replace("(0)", "")
    if _WORDS.search(spelled):
        return None
    number = parsed(spelled)
    if number is None:
        return None
    import phonenumbers

    return number if phonenumbers.is_possible_number(number) else None
