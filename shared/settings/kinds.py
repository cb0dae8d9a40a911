"""From the text of an environment variable to a value; what cannot be read is said without repeating it.

Plain functions: a validation library costs a function a quarter of its start, and settings are only ever text.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")
URL: Final = r"https?://[^\s?#]+"
ADDRESS: Final = r"https?://\S+"
_SWITCH: Final = {
    **dict.fromkeys(("1", "true", "t", "yes", "y", "on"), True),
    **dict.fromkeys(("0", "false", "f", "no", "n", "off"), False),
}


class UnreadableError(ValueError):
    """A value that means nothing; the message says what is expected."""


class SecretStr:
    """A text that is never printed by accident."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def get_secret_value(self) -> str:
        """Give the text."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretStr) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "SecretStr('**********')"


class KeyFile(str):
    """The path of a file that has to be there when it is needed."""

    __slots__ = ()


def text(value: str) -> str:
    """Take any text."""
    return value


def secret(value: str) -> SecretStr:
    """Take any text, and hide it."""
    return SecretStr(value)


def matching(pattern: str) -> Callable[[str], str]:
    """Take a text that fits a pattern as a whole."""
    form = re.compile(pattern)

    def read(value: str) -> str:
        if not form.fullmatch(value):
            raise UnreadableError(f"expected {pattern}")
        return value

    return read


def folder_url(value: str) -> str:
    """Take an address below which paths are appended."""
    address = matching(URL)(value)
    return address if address.endswith("/") else address + "/"


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """Take a whole number within bounds."""

    def read(value: str) -> int:
        digits = value.strip()
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", digits):
            raise UnreadableError("expected a whole number")
        number = int(digits)
        if number < least or (most is not None and number > most):
            raise UnreadableError(f"expected {least} or more" if most is None else f"expected {least} to {most}")
        return number

    return read


def share(value: str) -> float:
    """Take a number from 0 to 1."""
    number = _number(value)
    if not 0 <= number <= 1:
        raise UnreadableError("expected 0 to 1")
    return number


def above_zero(value: str) -> float:
    """Take a number above 0."""
    number = _number(value)
    if not number > 0:
        raise UnreadableError("expected a number above 0")
    return number


def switch(value: str) -> bool:
    """Take yes or no in any of the usual spellings."""
    try:
        return _SWITCH[value.strip().lower()]
    except KeyError:
        raise UnreadableError("expected true or false") from None


def one_of(*values: T) -> Callable[[str], T]:
    """Take one of a few words."""
    known = {str(each): each for each in values}

    def read(value: str) -> T:
        if value not in known:
            raise UnreadableError(f"expected one of {', '.join(known)}")
        return known[value]

    return read


def comma_list(value: str) -> tuple[str, ...]:
    """Take the parts between commas."""
    return tuple(part.strip() for part in value.split(",") if part.strip())


def pairs(value: str, separator: str = "=") -> dict[str, str]:
    """Take a comma list of `name=value`."""
    found = {}
    for part in comma_list(value):
        key, there, rest = part.partition(separator)
        if not there or not key.strip() or not rest.strip():
            raise UnreadableError(f"expected a comma list of name{separator}value")
        found[key.strip()] = rest.strip()
    return found


def secrets(value: str) -> dict[str, SecretStr]:
    """Take a comma list of `name:secret`."""
    return {name: SecretStr(each) for name, each in pairs(value, ":").items()}


def base64_secret(value: str) -> SecretStr:
    """Take a key in base64, as it is written."""
    if decoded(value) is None:
        raise UnreadableError("is not base64")
    return SecretStr(value)


def decoded(value: str, altchars: bytes | None = None) -> bytes | None:
    """Decode base64; None for what is none."""
    try:
        return base64.b64decode(value, altchars=altchars, validate=True)
    except (binascii.Error, ValueError):
        return None


def json_text(kind: type, called: str) -> Callable[[str], str]:
    """Take JSON of one kind, and leave it as it is."""

    def read(value: str) -> str:
        try:
            fits = isinstance(json.loads(value), kind)
        except ValueError:
            fits = False
        if not fits:
            raise UnreadableError(f"needs a JSON {called}")
        return value

    return read


def _number(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        raise UnreadableError("expected a number") from None
    if not math.isfinite(number):
        raise UnreadableError("expected a number")
    return number
