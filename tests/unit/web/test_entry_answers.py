"""What every HTTP target answers, whatever it is for."""

from __future__ import annotations

import json
import logging

import pytest
from pydantic import BaseModel, Field
from redis.exceptions import ConnectionError as RedisConnectionError
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from shared import errors
from shared.log import JsonLines
from shared.settings.base import read
from shared.settings.common import CommonSettings
from shared.web.call import Call
from shared.web.entry import Entry, Route

SECRET = "gate-way"


class Body(BaseModel):
    kuerzel: str = Field("ALL", pattern=r"^[A-Z]+$")
    wait: bool = False


FAILURES: dict[str, Exception] = {
    "redis": RedisConnectionError("redis://:geheim@10.0.0.1"),
    "bug": RuntimeError("Anna Groß 0511 1234567"),
    "auth": errors.UnauthenticatedError(),
    "forbidden": errors.ForbiddenError(),
    "hold": errors.HoldUnknownError(),
    "configured": errors.NotConfiguredError("ADVOWARE_API_KEY is missing"),
    "upstream": errors.UpstreamTimeoutError("advoware", retry_after_s=7),
    "rejected": errors.UpstreamRejectedError("advoware"),
}


def fail(call: Call) -> Response:
    raise FAILURES[call.params["how"]]


def echo(call: Call) -> dict[str, object]:
    body = call.json(Body)
    return {"kuerzel": body.kuerzel, "wait": body.wait, "request_id": call.request_id}


ROUTES = [
    Route("POST", "/calendar/sync", echo),
    Route("GET", "/calendar/plan", lambda call: {"kuerzel": call.query.get("kuerzel")}),
    Route("DELETE", "/calendar/locks/<kuerzel>", lambda call: {"kuerzel": call.params["kuerzel"]}),
    Route("GET", "/fail/<how>", fail),
    Route("POST", "/small", lambda call: {"bytes": len(call.body())}, max_body=10),
    Route("GET", "/open", lambda call: {"gateway": call.from_gateway}, gated=False),
]


def entry(environ: dict[str, str] | None = None, **parts) -> Entry:
    return Entry("toy", ROUTES, read(CommonSettings, environ or {}), **parts)


def ask(target: Entry, method: str, path: str, *, chunked: object = None, **parts) -> Response:
    environ = EnvironBuilder(path=path, method=method, **parts).get_environ()
    if chunked is not None:
        environ.pop("CONTENT_LENGTH", None)
        environ |= {"wsgi.input": chunked, "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    return target(Request(environ))


def post(path: str, data: bytes, content_type: str = "application/json") -> Response:
    return ask(entry(), "POST", path, data=data, content_type=content_type)


def test_a_good_request_is_answered_with_json():
    answer = post("/calendar/sync", b'{"kuerzel":"SB"}')
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert answer.json["kuerzel"] == "SB"


def test_no_body_reads_as_an_empty_object():
    assert ask(entry(), "POST", "/calendar/sync").json["kuerzel"] == "ALL"


def test_a_null_body_is_not_an_empty_one():
    assert post("/calendar/sync", b"null").status_code == 422


def test_path_parameters_arrive_decoded():
    assert ask(entry(), "DELETE", "/calendar/locks/%C3%84B").json == {"kuerzel": "ÄB"}


@pytest.mark.parametrize(
    ("how", "status", "slug"),
    [
        ("redis", 503, "unavailable"),
        ("bug", 500, "internal"),
        ("auth", 401, "unauthenticated"),
        ("forbidden", 403, "forbidden"),
        ("hold", 409, "hold-unknown"),
        ("configured", 503, "not-configured"),
        ("upstream", 503, "upstream-timeout"),
        ("rejected", 503, "upstream-rejected"),
    ],
)
def test_every_error_becomes_its_problem_document(how, status, slug):
    answer = ask(entry(), "GET", f"/fail/{how}", headers={"X-Request-ID": "req-1"})
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.json["type"] == f"https://bitbylaw.example/problems/{slug}"
    assert answer.json["status"] == status
    assert answer.json["title"]
    assert answer.json["detail"]
    assert answer.json["instance"] == f"/fail/{how}#req-1"
    assert (answer.headers.get("Retry-After") or "").isdigit() == (status == 503)


def test_an_unexpected_exception_shows_nothing_and_logs_one_line(caplog):
    with caplog.at_level(logging.INFO):
        answer = ask(entry(), "GET", "/fail/bug")
    lines = [JsonLines().format(record) for record in caplog.records]
    assert "Groß" not in answer.get_data(as_text=True) + "".join(lines)
    assert [json.loads(line)["event"] for line in lines if '"error"' in line] == ["unexpected_error"]


def test_redis_errors_do_not_show_the_address():
    assert "geheim" not in ask(entry(), "GET", "/fail/redis").get_data(as_text=True)


@pytest.mark.parametrize("path", ["/", "/calendar", "/calendar/sync/", "//calendar/sync", "/Calendar/sync", "/x%2Fy"])
def test_an_unknown_path_is_a_404_and_never_redirected(path):
    answer = ask(entry(), "POST", path)
    assert answer.status_code == 404
    assert answer.json["type"].endswith("/not-found")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "BREW"])
def test_another_method_is_a_405_that_names_those_allowed(method):
    answer = ask(entry(), method, "/calendar/sync")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize("path", ["/calendar/plan", "/nothing", "/fail/bug", "/health", "/metrics"])
def test_every_own_answer_carries_the_security_headers(path):
    headers = ask(entry(), "GET", path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Strict-Transport-Security"].startswith("max-age=")
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert "Server" not in headers
    assert not [name for name, _ in headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("given", ["req-1", "a.b_c-D9", "x" * 128])
def test_a_harmless_request_id_is_kept_and_echoed(given):
    answer = ask(entry(), "POST", "/calendar/sync", headers={"X-Request-ID": given})
    assert answer.headers["X-Request-ID"] == answer.json["request_id"] == given


@pytest.mark.parametrize("given", ["", "x" * 129, "a b", "a,b", "a\tb", "ä", "<script>"])
def test_any_other_request_id_is_replaced(given):
    answer = ask(entry(), "POST", "/calendar/sync", headers={"X-Request-ID": given})
    assert answer.headers["X-Request-ID"] != given
    assert answer.headers["X-Request-ID"] == answer.json["request_id"]


def test_the_access_line_has_no_path_and_no_query(caplog):
    with caplog.at_level(logging.INFO):
        ask(entry(), "GET", "/calendar/plan?kuerzel=SB&number=0511123", headers={"X-Request-ID": "req-7"})
    line = json.loads(JsonLines().format(caplog.records[-1]))
    assert (line["event"], line["target"], line["method"], line["status"], line["request_id"]) == (
        "request", "toy", "GET", 200, "req-7"
    )  # fmt: skip
    assert "duration_ms" in line
    assert "0511" not in json.dumps(line)
    assert "plan" not in json.dumps(line)


def test_answers_are_counted_by_target_method_and_status():
    def count() -> float:
        page = ask(entry(), "GET", "/metrics").get_data(as_text=True)
        wanted = 'bitbylaw_http_requests_total{method="GET",status="404",target="toy"} '
        return sum(float(line.removeprefix(wanted)) for line in page.splitlines() if line.startswith(wanted))

    before = count()
    ask(entry(), "GET", "/nothing")
    assert count() == before + 1


def test_a_handler_may_describe_errors_in_its_own_words():
    target = entry(describe=lambda error, instance: {"fehler": [], "status": error.status, "instance": instance})
    assert "fehler" in ask(target, "GET", "/nothing").json


def test_functions_framework_never_reads_an_unread_body():
    assert ask(entry(), "POST", "/nothing").is_streamed
