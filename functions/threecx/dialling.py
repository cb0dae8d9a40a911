"""Pure: may this number be dialled, now, for this person? The first rule that objects decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.errors import ForbiddenError
from shared.office_hours import OfficeHours
from shared.threecx.number import EMERGENCY, Number, is_ordinary

COUNTRIES = ("49", "43", "41")
PER_LEAD, PER_NUMBER = 1, 3
_PREMIUM = (
    "900",
    "137",
    "138",
    "180",
    "700",
    "701",
    "118",
    "19",
    "12",
    "181",
    "182",
    "183",
    "184",
    "185",
    "186",
    "187",
)
_PREMIUM_ABROAD = {
    "43": ("900", "901", "930", "931", "939", "810", "820", "821", "118"),
    "41": ("90", "84", "86", "18"),
}


class RefusedError(ForbiddenError):
    """A call that is not placed; the slug says why."""


class EmergencyError(RefusedError):
    """Emergency numbers are not dialled by a machine."""

    slug, title = "emergency", "Emergency numbers are not dialled by a machine"


class PremiumError(RefusedError):
    """Premium and service numbers are not dialled."""

    slug, title = "premium", "Premium and service numbers are not dialled"


class CountryError(RefusedError):
    """Only numbers in Germany, Austria and Switzerland are dialled."""

    slug, title = "country", "Only numbers in Germany, Austria and Switzerland are dialled"


class DoNotCallError(RefusedError):
    """This person does not want to be called."""

    slug, title = "do-not-call", "This person does not want to be called"


class NoConsentError(RefusedError):
    """There is no wish to be called back."""

    slug, title = "no-consent", "There is no wish to be called back"


class HoursError(RefusedError):
    """It is not the time for automatic calls."""

    slug, title = "hours", "It is not the time for automatic calls"


class DailyLimitError(RefusedError):
    """This number was called often enough today."""

    slug, title = "daily-limit", "This number was called often enough today"


class LeadLimitError(RefusedError):
    """This lead was called automatically before."""

    slug, title = "lead-limit", "This lead was called automatically before"


@dataclass(frozen=True)
class Whom:
    """Whom a call is for: the number, and the record if there is one."""

    number: Number
    kind: str = ""
    record_id: str = ""
    do_not_call: bool = False
    wants_call: bool = False


def is_emergency(text: str) -> bool:
    """Recognise an emergency or harmonised short number however it is written."""
    dialled = text.partition(";")[0]
    digits = "".join(str(int(char)) for char in dialled if char.isdecimal())
    for prefix in ("", "0049", "00490", "49", "490", "0"):
        rest = digits.removeprefix(prefix)
        if rest in EMERGENCY or (rest.startswith("116") and len(rest) == 6):
            return True
    return False


def check_number(number: Number) -> None:
    """Refuse numbers that nobody may dial through us, in either mode: all but fixed and mobile lines."""
    digits = number.value.removeprefix("+")
    country = next((code for code in COUNTRIES if digits.startswith(code)), "")
    if not country:
        raise CountryError
    national = digits.removeprefix(country)
    if national in EMERGENCY or (country == "49" and national.startswith("116") and len(national) == 6):
        raise EmergencyError
    if national.startswith(_PREMIUM if country == "49" else _PREMIUM_ABROAD[country]) or not is_ordinary(number.value):
        raise PremiumError


def check_person(whom: Whom) -> None:
    """Honour a do-not-call flag, in either mode."""
    if whom.do_not_call:
        raise DoNotCallError


def check_automatic(whom: Whom, now: datetime, hours: OfficeHours) -> None:
    """Let a machine dial only where a call back is wished, within the hours."""
    if not whom.wants_call:
        raise NoConsentError
    if not hours.is_open(now):
        raise HoursError


def whom_of(kind: str, row: Mapping[str, Any], number: Number) -> Whom:
    """Read what a record says about calls."""
    lines = [line.strip().casefold() for line in str(row.get("description") or "").splitlines()]
    opted_out = any(each.get("optOut") for each in row.get("phoneNumberData") or [] if each.get("primary"))
    wants = kind == "Lead" and "rückruf: ja" in lines and not any(line.startswith("prüfung: ja") for line in lines)
    return Whom(number, kind, str(row.get("id") or ""), bool(row.get("doNotCall")) or opted_out, wants)
