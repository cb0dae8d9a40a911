"""The OpenAPI document says what the targets answer, no more and no less, and the targets keep to it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from werkzeug.test import Client

from shared import openapi, startup
from shared.web.entry import Entry

sys.path.insert(0, str(Path(__file__).parents[1] / "entries"))

from first_calls import house

CHECKS = [
    not_a_server_error,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]
EXAMPLES = 20  # for each operation, drawn anew but alike in every run
COMMON = {("GET", "/health"), ("GET", "/ready"), ("GET", "/metrics")}


@pytest.fixture(scope="module")
def app(tmp_path_factory) -> Iterator[object]:
    """Build the all-in-one as a process would, in this one, with everything around it; leave no trace of it."""
    with house(tmp_path_factory.mktemp("house")) as around, pytest.MonkeyPatch.context() as patch:
        for name, value in around.env.items():
            patch.setenv(name, value)
        patch.setattr(startup, "set_up_log", lambda level: None)
        patch.setattr(startup, "_whole_process_checked", False)
        for name in [name for name in sys.modules if name.startswith("functions.") and name.endswith(".main")]:
            patch.delitem(sys.modules, name)
        import functions.app

        yield functions.app.build()


@pytest.fixture(scope="module")
def document(app) -> dict:
    return Client(app).get("/openapi.json").json


def described(document: dict) -> set[tuple[str, str]]:
    return {(method.upper(), path) for path, item in document["paths"].items() for method in item}


def test_every_route_of_every_entry_is_in_the_document_and_nothing_else(app, document):
    routes = {
        (route.method, openapi.path_of(route.pattern))
        for entry in app.entries
        for route in (*entry.routes, *entry.raw_routes)
    }
    assert described(document) == routes | COMMON


def test_every_target_has_an_entry_in_the_document(app):
    targets = {entry.common.target for entry in app.entries}
    assert {target.__name__ for target in app._functions.values()} <= targets


def test_an_entry_that_nobody_lists_would_be_noticed(app):
    assert {id(entry) for entry in app.entries} >= {
        id(value)
        for name, module in list(sys.modules.items())
        if name.startswith("functions.") and name.endswith(".main")
        for value in vars(module).values()
        if isinstance(value, Entry)
    }


def test_the_proxy_is_described_with_its_four_methods(document):
    assert set(document["paths"]["/advoware/{endpoint}"]) == {"get", "post", "put", "delete"}


def test_models_of_bodies_and_queries_are_in_the_document(document):
    body = document["paths"]["/ops/deadletters/{id}/redrive"]["post"]["requestBody"]
    name = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert "betNr" in document["components"]["schemas"][name]["properties"]
    assert document["paths"]["/calendar/plan"]["get"]["parameters"][0]["name"] == "kuerzel"


QUERIES = {
    ("get", "/threecx/lookup"): {"number", "direction"},
    ("get", "/threecx/screenpop"): {"number", "call_id", "pick", "exp", "sig"},
    ("post", "/api/leads/vermieterhelden"): {"typ", "token"},
    ("get", "/api/leads/newsletter/confirm"): {"token"},
    ("post", "/api/leads/newsletter/confirm"): {"token"},
    ("post", "/vmh/reconcile"): {"full"},
}


@pytest.mark.parametrize(("method", "path"), QUERIES)
def test_what_a_query_may_say_is_in_the_document(document, method, path):
    found = [each for each in document["paths"][path][method]["parameters"] if each["in"] == "query"]
    assert {each["name"] for each in found} == QUERIES[method, path]
    assert not any(each["required"] for each in found)


def test_only_what_rings_phones_or_asks_their_system_may_say_429(document):
    saying = {
        (method, path)
        for path, item in document["paths"].items()
        for method, each in item.items()
        if "429" in each["responses"]
    }
    calls = "/threecx/calls/{id}"
    assert saying == {("post", "/threecx/calls"), ("get", calls), ("get", f"{calls}/recording")}


def test_every_reference_leads_somewhere(document):
    def refs(value: object) -> Iterator[str]:
        if isinstance(value, dict):
            yield from ([value["$ref"]] if isinstance(value.get("$ref"), str) else [])
            value = list(value.values())
        if isinstance(value, list):
            for each in value:
                yield from refs(each)

    found = set(refs(document))
    assert found
    for ref in found:
        assert ref.rpartition("/")[2] in document["components"]["schemas"], ref


def test_operation_ids_are_unique(document):
    ids = [
        each["operationId"] for item in document["paths"].values() for each in item.values() if "operationId" in each
    ]
    assert len(ids) == len(set(ids))


def test_the_document_is_one(document):
    schema = schemathesis.openapi.from_dict(document)
    assert len(list(schema.get_all_operations())) == len(described(document))
    assert document["openapi"].startswith("3.1")


def test_the_document_wants_the_gateway_secret_like_everything_else(app, monkeypatch):
    from shared.settings.common import CommonSettings

    guarded = app._own.common
    monkeypatch.setattr(guarded, "settings", CommonSettings({"GATEWAY_SECRET": "gate"}))
    assert Client(app).get("/openapi.json").status_code == 401
    assert Client(app).get("/openapi.json", headers={"X-Gateway-Secret": "gate"}).status_code == 200


@pytest.fixture(scope="module")
def api(app) -> object:
    return schemathesis.openapi.from_wsgi("/openapi.json", app)


def tried(operation: Any, check: Callable[[Any], None], many: int) -> str:
    """Try an operation with generated calls; says what was wrong, empty if nothing."""

    @settings(
        max_examples=many,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def run(case: Any) -> None:
        check(case)

    try:
        run()
    except Exception as error:  # noqa: BLE001 - every finding is told
        return f"{operation.label}: {type(error).__name__}: {error}"
    return ""


def all_tried(api: Any, check: Callable[[Any], None], many: int, prefixes: tuple[str, ...]) -> list[str]:
    operations = [result.ok() for result in api.get_all_operations()]
    chosen = [each for each in operations if each.path.startswith(prefixes)]
    assert chosen
    return [wrong for each in chosen if (wrong := tried(each, check, many))]


@pytest.mark.timeout(300)
def test_no_target_answers_anything_that_is_not_in_the_document(api):
    def check(case: Any) -> None:
        case.call_and_validate(checks=CHECKS, timeout=20)

    wrong = all_tried(api, check, EXAMPLES, ("/",))
    assert not wrong, "\n\n".join(wrong)
