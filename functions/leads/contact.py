"""Read e-mail addresses and phone numbers as people type them."""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Any, Final

from functions.leads.values import as_text

HOME: Final = "DE"
DIALLED_COUNTRIES: Final = frozenset({49, 43, 41})
_COMMON = (
    "gmail.com web.de gmx.de gmx.net t-online.de freenet.de outlook.de outlook.com hotmail.com hotmail.de yahoo.de "
    "yahoo.com icloud.com aol.com arcor.de posteo.de mailbox.org live.de me.com googlemail.com online.de"
).split()
_WRONG_ENDINGS = frozenset("con cmo cim vom ed dr dee comm".split())
_ADDRESS = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+\.[A-Za-z]{2,}")
_EMERGENCY = re.compile(r"11[0235]|116\d{3}")
_BLOCKED = re.compile(r"\+49(137|18|700|900|190|118|31|32|800)")


@dataclass(frozen=True)
class Email:
    """An address as it may be written to, or what was given instead."""

    address: str | None
    given: str
    suggestion: str | None = None
    disposable: bool = False
    several: bool = False


def read_email(value: Any) -> Email:
    """Check an address by its syntax alone; the part before the @ stays as it is."""
    from email_validator import EmailNotValidError, validate_email

    given = as_text(value).strip()
    several = re.split(r"[ \t]*[,;][ \t]*", given)
    if len(several) > 1 and all(_ADDRESS.fullmatch(each) for each in several):
        first = read_email(several[0])
        return replace(first, given=given, several=True)
    try:
        found = validate_email(given, check_deliverability=False, strict=True)
    except EmailNotValidError:
        return Email(None, given, _near(given.rpartition("@")[2]))
    domain = (found.ascii_domain or found.domain).lower()
    return Email(found.normalized, given, _near(domain), _is_disposable(domain))


def _near(domain: str) -> str | None:
    """Suggest the well-known domain that somebody meant; only the domain, never the address."""
    plain = domain.strip().lower().replace(",", ".").replace(" ", "")
    if domain in _COMMON:
        return None
    stem, _, ending = plain.rpartition(".")
    if ending in _WRONG_ENDINGS and (meant := next((each for each in _COMMON if each.startswith(f"{stem}.")), None)):
        return meant
    return next(iter(difflib.get_close_matches(plain, _COMMON, 1, 0.83)), None) if plain else None


def _is_disposable(domain: str) -> bool:
    from disposable_email_domains import blocklist

    return any(part in blocklist for part in (domain, domain.partition(".")[2]))


def is_own_domain(domain: str) -> bool:
    """Tell a firm's own mail domain from those where everybody has an address."""
    return bool(domain) and domain not in _COMMON and not _is_disposable(domain)


def looks_like_email(value: Any) -> bool:
    """Tell whether a value is nothing but an e-mail address."""
    return isinstance(value, str) and _ADDRESS.fullmatch(value.strip()) is not None


def looks_like_phone(value: Any) -> bool:
    """Tell whether a value is nothing but a phone number."""
    return (
        isinstance(value, str)
        and re.fullmatch(r"(\+|0)[\d\s()/.-]{6,25}", value.strip()) is not None
        and read_phones(value) != []
    )


def folded_email(address: str) -> str:
    """Fold an address for comparison."""
    return address.strip().casefold()


def read_phones(value: Any) -> list[str]:
    """Read the numbers of one field as E.164; an empty list when there is none that can be right."""
    text = unicodedata.normalize("NFKC", as_text(value)).strip()
    text = re.sub(r"^(tel|sip|callto):", "", text, flags=re.IGNORECASE).partition("@")[0].partition(";ext=")[0]
    if any(sign in text for sign in "*#") or len(text) > 100:
        return []
    text = re.sub(r"^[^\d+(]+", "", text)
    first = re.split(r"[^\W\d_]", text, maxsplit=1)[0].rstrip(" (-/,.")
    single = _single(first)
    return list(dict.fromkeys([single, *_several(text[len(first) :])])) if single else _several(text)


def _single(text: str) -> str | None:
    digits = re.sub(r"\D", "", text)
    if len(digits) <= 5 or _EMERGENCY.fullmatch(digits):
        return None
    if digits.startswith("49") and not text.lstrip(" (").startswith("+") and len(digits) >= 10:
        whole = _valid("+" + digits)
        if whole:
            return whole
    return _valid(text)


def _valid(text: str) -> str | None:
    import phonenumbers

    try:
        number = phonenumbers.parse(text, HOME)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _several(text: str) -> list[str]:
    import phonenumbers

    found = [match.raw_string for match in phonenumbers.PhoneNumberMatcher(text, HOME)]
    return list(dict.fromkeys(filter(None, map(_single, found))))


def may_be_dialled(e164: str | None) -> bool:
    """Tell whether a machine may call a number: fixed lines and mobiles of DE, AT and CH only."""
    import phonenumbers

    if not e164 or not e164.startswith("+") or _BLOCKED.match(e164):
        return False
    try:
        number = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return False
    kinds = phonenumbers.PhoneNumberType
    allowed = {kinds.FIXED_LINE, kinds.MOBILE, kinds.FIXED_LINE_OR_MOBILE}
    return number.country_code in DIALLED_COUNTRIES and phonenumbers.number_type(number) in allowed
