"""Read what a caller sent: bytes within a limit, strict JSON, and values that fit a model."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

from werkzeug.wrappers import Request

from shared.errors import (
    FieldProblem,
    IntegrationError,
    InvalidRequestError,
    MediaTypeError,
    TooLargeError,
    UnavailableError,
    UnreadableRequestError,
)

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

MAX_DEPTH = 32
CHUNK = 64 * 1024
LONGEST_NAME = 60
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
M = TypeVar("M", bound="BaseModel")


def read_body(request: Request, limit: int) -> bytes:
    """Read the whole body, and stop as soon as it is longer than it may be."""
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in {"", "identity"}:
        raise MediaTypeError("Compressed bodies are not taken.")
    check_length(request, limit)
    announced = request.content_length
    parts, size = [], 0
    while (announced is None or size < announced) and (part := _next(request)):
        size += len(part)
        if size > limit:
            raise TooLargeError(f"The body may have at most {limit} bytes.")
        parts.append(part)
    return b"".join(parts)


def _next(request: Request) -> bytes:
    try:
        return request.stream.read(CHUNK)
    except Exception as error:  # servers have errors of their own for chunks that are none, or end early
        raise unread(error) from error


def unread(error: Exception) -> IntegrationError:
    """Say what to answer when a body could not be read: a caller who is merely slow may come again."""
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return UnavailableError("The body comes too slowly.")
    return UnreadableRequestError("The body is cut short or badly framed.")


def check_length(request: Request, limit: int) -> None:
    """Refuse a body that announces more than it may have, whether anybody wants to read it or not."""
    if (request.content_length or 0) > limit:
        raise TooLargeError(f"The body may have at most {limit} bytes.")


def is_json(content_type: str | None) -> bool:
    """Tell whether a media type announces JSON."""
    kind = (content_type or "").partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def strict_json(raw: bytes) -> Any:
    """Read JSON as RFC 8259 means it; whatever two readers could understand differently is refused."""
    try:
        text = raw.decode("utf-8")
        value = _STRICT.decode(text)
    except UnicodeDecodeError:
        raise UnreadableRequestError("The body is not UTF-8.") from None
    except RecursionError:
        raise UnreadableRequestError(f"The JSON is nested deeper than {MAX_DEPTH}.") from None
    except ValueError as error:
        raise UnreadableRequestError(_reason(error)) from None
    _check_depth(value)
    if _SURROGATE.search(text):
        _check_surrogates(value)
    return value


def validated(model: type[M], value: Any) -> M:
    """Fit a value from outside into a model; every bad field is named, no value is repeated."""
    from pydantic import ValidationError  # loaded by whoever has a model; a webhook has none

    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise InvalidRequestError.of(field_problems(error)) from None


def field_problems(error: ValidationError) -> list[FieldProblem]:
    """List the fields of a validation error, without the values."""
    return [_problem(each) for each in error.errors(include_input=False, include_url=False)]


def _problem(told: ErrorDetails) -> FieldProblem:
    name = ".".join(str(part)[:LONGEST_NAME] for part in told["loc"]) or "body"
    match told["type"]:
        case "string_too_long":
            return FieldProblem(name, "too_long", f"at most {told['ctx']['max_length']} characters")
        case "string_too_short":
            least = told["ctx"]["min_length"]
            return FieldProblem(name, "too_short", f"at least {least} character{'s' if least > 1 else ''}")
        case "model_type":  # its sentence would name a class of ours
            return FieldProblem(name, "dict_type", "an object is needed")
    return FieldProblem(name, told["type"], told["msg"])


class _RefusedError(ValueError):
    """Something that json would take."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _RefusedError("A key appears twice in one object.")
    return value


def _no_constant(_name: str) -> NoReturn:
    raise _RefusedError("NaN and Infinity are no JSON.")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in {float("inf"), float("-inf")}:
        raise _RefusedError("A number is too large.")
    return number


_STRICT: Final = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite)


def _reason(error: ValueError) -> str:
    return str(error) if isinstance(error, _RefusedError) else "The body is not JSON."


def _check_depth(value: Any) -> None:
    level, depth = _containers([value]), 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise UnreadableRequestError(f"The JSON is nested deeper than {MAX_DEPTH}.")
        level = [inner for outer in level for inner in _containers(_children(outer))]


def _children(value: Any) -> Sequence[Any]:
    return list(value.values()) if isinstance(value, dict) else value


def _containers(values: Sequence[Any]) -> list[Any]:
    return [value for value in values if isinstance(value, dict | list)]


def _check_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise UnreadableRequestError("A string contains half a character.") from None
