"""Describe all HTTP targets in the terms of OpenAPI 3.1, from the routes of their entries and nothing else."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared.web.entry import Entry, Route

Json = dict[str, Any]
REF = "#/components/schemas/{model}"
BODIES = frozenset({"POST", "PUT"})
_PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")
_REASONS: Final = {
    400: "The request cannot be read.",
    401: "The caller did not prove who it is.",
    403: "The caller may not do this.",
    404: "There is nothing under this path or id.",
    405: "Another method is needed; `Allow` names those that exist.",
    409: "The request contradicts the present state.",
    413: "The body is longer than this path takes.",
    415: "The body is of another media type.",
    422: "The request is well-formed but not valid.",
    502: "An upstream cannot be reached or refuses us.",
    503: "Nothing could be done just now; `Retry-After` says when to come again.",
    504: "An upstream did not answer in time.",
}
_LIMITED: Final = {429: "Our own rate or the phone system's is reached; `Retry-After` says when to come again."}
_PROBLEM: Final[Json] = {
    "type": "object",
    "description": "RFC 9457; the form for leads says `fehler` instead of `errors`.",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
        "fehler": {"type": "array", "items": {"type": "object"}},
    },
}
_COMMON: Final = {
    "/health": ("Say that the process runs.", {"200": {"application/json": {"type": "object"}}}, False),
    "/ready": (
        "Say whether the process could do its work now.",
        {"200": {"application/json": {"type": "object"}}},
        True,
    ),
    "/metrics": ("Show the figures for Prometheus.", {"200": {"text/plain": {"type": "string"}}}, True),
}


def entries_of(module: Any) -> list[Entry]:
    """Find the entries that a module holds."""
    return [value for value in vars(module).values() if isinstance(value, Entry)]


def document(entries: Iterable[Entry], version: str = "1") -> Json:
    """Describe the targets of these entries."""
    found = list(entries)
    routes = [(entry, route) for entry in found for route in (*entry.routes, *entry.raw_routes)]
    schemas, refs = _schemas([model for _, route in routes for model in (route.body, route.query) if model])
    paths: dict[str, Json] = {path: {"get": _common(*parts)} for path, parts in _COMMON.items()}
    for entry, route in routes:
        raw = route in entry.raw_routes
        operation = _operation(entry.common.target, route, refs, raw=raw)
        paths.setdefault(path_of(route.pattern), {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "bitbylaw", "version": version},
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {"Problem": _PROBLEM, **schemas},
            "securitySchemes": {"gateway": {"type": "apiKey", "in": "header", "name": "X-Gateway-Secret"}},
        },
    }


def path_of(pattern: str) -> str:
    """Write a route's pattern as a path template."""
    return _PARAMETER.sub(lambda found: "{" + found[2] + "}", pattern)


def _schemas(models: Iterable[type[BaseModel]]) -> tuple[Json, Mapping[type[BaseModel], Json]]:
    unique = list(dict.fromkeys(models))
    if not unique:
        return {}, {}
    found, top = models_json_schema([(model, "validation") for model in unique], ref_template=REF)
    return top.get("$defs", {}), {model: found[(model, "validation")] for model in unique}


def _operation(target: str, route: Route, refs: Mapping[type[BaseModel], Json], *, raw: bool) -> Json:
    operation: Json = {
        "operationId": re.sub(r"[^a-z0-9]+", "_", f"{target}_{route.method}{route.pattern}".lower()).strip("_"),
        "tags": [target],
        "summary": _summary(route),
        "parameters": [*_in_path(route.pattern), *_in_query(route.query), *map(_asked, route.asks)],
        "responses": _relayed() if raw else _responses(route),
        "security": [{}, {"gateway": []}] if route.gated else [],
    }
    if route.method in BODIES:
        operation["requestBody"] = _body(route, refs, raw=raw)
    return operation


def _summary(route: Route) -> str:
    return (inspect.getdoc(route.handler) or f"{route.method} {path_of(route.pattern)}").splitlines()[0]


def _in_path(pattern: str) -> list[Json]:
    names = [found[2] for found in _PARAMETER.finditer(pattern)]
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _in_query(model: type[BaseModel] | None) -> list[Json]:
    if model is None:
        return []
    schema = model.model_json_schema(ref_template=REF)
    needed = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in needed, "schema": each}
        for name, each in schema.get("properties", {}).items()
    ]


def _asked(name: str) -> Json:
    return {"name": name, "in": "query", "required": False, "schema": {"type": "string"}}


def _body(route: Route, refs: Mapping[type[BaseModel], Json], *, raw: bool) -> Json:
    if raw:
        return {"content": {"*/*": {}}}
    schema: Json = refs[route.body] if route.body else {}
    return {"content": {"application/json": {"schema": schema}}}


def _responses(route: Route) -> Json:
    reasons = _REASONS | _LIMITED if route.limited else _REASONS
    good = {"2XX": {"description": "Done."}, "3XX": {"description": "Look there."}}
    return good | _problems(reasons, page=route.page)


def _relayed() -> Json:
    """Describe answers of an upstream: any status, any content."""
    return {
        "default": {"description": "Advoware's own answer, unchanged, or a problem of ours.", "content": {"*/*": {}}}
    }


def _problems(reasons: Mapping[int, str] = _REASONS, *, page: bool = False) -> Json:
    content: Json = {"application/problem+json": {"schema": {"$ref": REF.format(model="Problem")}}}
    if page:
        content["text/html"] = {"schema": {"type": "string"}}
    return {str(status): {"description": reason, "content": content} for status, reason in reasons.items()}


def _common(summary: str, answers: Mapping[str, Json], gated: bool) -> Json:
    described: Json = {
        status: {
            "description": "The answer.",
            "content": {kind: {"schema": schema} for kind, schema in content.items()},
        }
        for status, content in answers.items()
    }
    described |= {status: _problems()[status] for status in ("401", "405")}
    if summary.startswith("Say whether"):
        described["503"] = {"description": "Not ready; `missing` says why.", "content": {"application/json": {}}}
    return {"summary": summary, "responses": described, "security": [{}, {"gateway": []}] if gated else []}
