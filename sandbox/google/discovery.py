"""Check calls and answers against Google's own description of the Calendar API."""

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from googleapiclient.discovery_cache import get_static_doc

from sandbox.google.errors import GoogleError, not_found
from sandbox.google.values import check_parameter, check_text

PREFIX = "/calendar/v3/"
TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}
Json = dict[str, Any]


@dataclass(frozen=True)
class Method:
    """Describe one method of the API."""

    id: str
    http: str
    template: tuple[str, ...]
    parameters: Json
    request: str | None
    response: str | None
    scopes: frozenset[str]

    def path_values(self, segments: list[str]) -> dict[str, str] | None:
        """Read the path parameters, or tell that this is another method's path."""
        values = {}
        for part, segment in zip(self.template, segments, strict=True):
            if part.startswith("{"):
                values[part[1:-1]] = segment
            elif part != segment:
                return None
        return values


@functools.cache
def document() -> Json:
    """Load the document that the client library bundles."""
    return json.loads(get_static_doc("calendar", "v3"))


@functools.cache
def _methods() -> dict[tuple[str, int], list[Method]]:
    table: dict[tuple[str, int], list[Method]] = {}
    for method in _walk(document()):
        table.setdefault((method.http, len(method.template)), []).append(method)
    return table


def _walk(resource: Json) -> Iterator[Method]:
    for data in resource.get("methods", {}).values():
        yield Method(
            data["id"].removeprefix("calendar."),
            data["httpMethod"],
            tuple(data["path"].split("/")),
            {**document()["parameters"], **data.get("parameters", {})},
            data.get("request", {}).get("$ref"),
            data.get("response", {}).get("$ref"),
            frozenset(data.get("scopes", ())),
        )
    for child in resource.get("resources", {}).values():
        yield from _walk(child)


def find_method(http: str, path: str) -> tuple[Method, dict[str, str]]:
    """Find the method that a request means, with its path parameters."""
    if path.startswith("/batch"):
        raise GoogleError(404, "notFound", "This double serves no batch requests.")
    if not path.startswith(PREFIX):
        raise not_found()
    segments = path.removeprefix(PREFIX).split("/")
    for method in _methods().get((http, len(segments)), ()):
        values = method.path_values(segments)
        if values is not None and all(values.values()):
            return method, values
    raise not_found()


def read_parameters(method: Method, given: dict[str, list[str]]) -> Json:
    """Check the query parameters and give them their types; an unknown one is refused."""
    result: Json = {}
    for name, texts in given.items():
        rule = method.parameters.get(name)
        if rule is None or rule.get("location") == "path":
            raise _bad_parameter(name, f"Unknown parameter: {name}")
        if len(texts) > 1 and not rule.get("repeated"):
            raise _bad_parameter(name, f"Parameter {name} is given more than once.")
        try:
            values = [check_parameter(rule, text) for text in texts]
        except ValueError as error:
            raise _bad_parameter(name, str(error)) from error
        result[name] = values if rule.get("repeated") else values[0]
    return result


def _bad_parameter(name: str, message: str) -> GoogleError:
    return GoogleError(400, "invalidParameter", message, locationType="parameter", location=name)


def read_body(method: Method, raw: bytes) -> Json:
    """Parse a request body and check it; null means absent, except in a patch, where it deletes."""
    if method.request is None:
        return {}
    try:
        body = json.loads(raw or b"{}")
    except ValueError as error:
        raise GoogleError(400, "parseError", "Parse Error") from error
    patch = method.http == "PATCH"
    try:
        _check({"$ref": method.request}, body, method.request, "" if patch else f"calendar.{method.id}")
    except ValueError as error:
        raise GoogleError(400, "invalid", str(error)) from error
    return body if patch else without_nulls(body)


def without_nulls(value: Any) -> Any:
    """Leave out what is null, at any depth."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return value


def check_answer(method: Method, answer: Any) -> None:
    """Make sure that the double itself answers what the document promises."""
    if method.response:
        _check({"$ref": method.response}, answer, method.response, "")


def _check(schema: Json, value: Any, where: str, method_id: str) -> None:
    if "$ref" in schema:
        schema = document()["schemas"][schema["$ref"]]
    if value is None or schema["type"] == "any":
        return
    kind = TYPES[schema["type"]]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"Invalid value at '{where}': {schema['type']} expected.")
    if isinstance(value, str):
        check_text(schema.get("format"), value, where)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check(schema["items"], item, f"{where}[{index}]", method_id)
    elif isinstance(value, dict):
        _check_fields(schema, value, where, method_id)


def _check_fields(schema: Json, value: Json, where: str, method_id: str) -> None:
    known, free = schema.get("properties", {}), schema.get("additionalProperties")
    for name, item in value.items():
        rule = known.get(name, free)
        if rule is None:
            raise ValueError(f"Invalid JSON payload received. Unknown name \"{name}\" at '{where}': Cannot find field.")
        _check(rule, item, f"{where}.{name}", method_id)
    for name in known if method_id else ():
        if method_id in known[name].get("annotations", {}).get("required", ()) and value.get(name) is None:
            raise ValueError(f"Missing {name}.")
