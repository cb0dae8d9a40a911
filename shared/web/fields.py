"""Read the fields of a small message without a validation library, where a first answer must not wait for one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from shared.errors import FieldProblem, InvalidRequestError

Reader = Callable[[Any], Any]


class UnfitError(ValueError):
    """A value does not fit; the code and the message are for the sender, without the value."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def read_fields(readers: Mapping[str, Reader], needed: frozenset[str], value: Any) -> dict[str, Any]:
    """Read every known field that is there; all bad ones are named at once, what nobody knows is left out."""
    if not isinstance(value, dict):
        raise InvalidRequestError.of([FieldProblem("body", "dict_type", "an object is needed")])
    found, problems = {}, []
    for name, reader in readers.items():
        if name not in value:
            problems += [FieldProblem(name, "missing", "this field is needed")] if name in needed else []
            continue
        try:
            found[name] = reader(value[name])
        except UnfitError as error:
            problems.append(FieldProblem(name, error.code, error.message))
    if problems:
        raise InvalidRequestError.of(problems)
    return found


def one_of(*words: str) -> Reader:
    """Take one of some words."""

    def read(value: Any) -> str:
        if isinstance(value, str) and value in words:
            return value
        raise UnfitError("literal_error", f"one of {', '.join(words)}")

    return read


def or_none(reader: Reader) -> Reader:
    """Take null for something that was not said."""
    return lambda value: None if value is None else reader(value)


def fitting(pattern: str, reader: Reader) -> Reader:
    """Take a text that has a shape as a whole."""

    def read(value: Any) -> str:
        text = str(reader(value))
        if re.fullmatch(pattern, text):
            return text
        raise UnfitError("string_pattern_mismatch", "not of the expected shape")

    return read


def text_of_at_most(length: int) -> Reader:
    """Take a text up to a length."""

    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise UnfitError("string_type", "a text is needed")
        if len(value) > length:
            raise UnfitError("too_long", f"at most {length} characters")
        return value

    return read


def number_between(least: float, most: float) -> Reader:
    """Take a number within limits, also one that is written as text."""

    def read(value: Any) -> float:
        try:
            number = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
        except (ValueError, OverflowError):
            number = None
        if number is None or not least <= number <= most:
            raise UnfitError("number", f"a number from {least:g} to {most:g}")
        return number

    return read


def yes_or_no(value: Any) -> bool:
    """Take true and false, also written as words or as 1 and 0."""
    word = str(value).strip().casefold() if isinstance(value, bool | int | str) else ""
    if word in {"true", "1", "yes"}:
        return True
    if word in {"false", "0", "no"}:
        return False
    raise UnfitError("bool_parsing", "true or false")
