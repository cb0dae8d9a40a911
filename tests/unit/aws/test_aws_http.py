"""API Gateway gets an answer in time and in size, whatever the function does."""

from __future__ import annotations

import base64
import json
import threading

import pytest
from werkzeug.wrappers import Request, Response

from shared.aws.http import MAX_BODY, ScheduleFailedError, http_handler, schedule_handler


def gateway_event(method: str = "GET", path: str = "/x", body: bytes = b"", query: str = "", **headers: str) -> dict:
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"host": "api.example", **headers},
        "requestContext": {"http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"}},
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }


def echo(request: Request) -> Response:
    return Response(request.get_data(), headers={"X-Path": request.path, "X-Method": request.method})


def test_method_path_query_and_body_arrive_as_sent():
    seen = {}

    def function(request: Request) -> Response:
        seen.update(path=request.path, query=request.query_string, method=request.method, body=request.get_data())
        return Response(status=204)

    answer = http_handler("leads", function)(gateway_event("PUT", "/a/b", b"\x00\xff", "x=1&x=2"), None)
    assert answer["statusCode"] == 204
    assert seen == {"path": "/a/b", "query": b"x=1&x=2", "method": "PUT", "body": b"\x00\xff"}


def test_a_binary_answer_comes_back_byte_by_byte():
    function = lambda _: Response(b"\x00\xff", content_type="audio/wav")  # noqa: E731
    answer = http_handler("threecx", function)(gateway_event(), None)
    assert answer["isBase64Encoded"] is True
    assert base64.b64decode(answer["body"]) == b"\x00\xff"


def test_a_body_over_five_mebibytes_is_413_before_the_function_runs():
    answer = http_handler("vmh_webhooks", lambda _: pytest.fail("ran"))(
        gateway_event("POST", body=b"x" * (MAX_BODY + 1)), None
    )
    assert answer["statusCode"] == 413
    assert answer["headers"]["content-type"] == "application/problem+json"
    assert json.loads(answer["body"])["type"].endswith("/too-large")


def test_a_body_of_exactly_five_mebibytes_passes():
    function = lambda request: Response(str(len(request.get_data())))  # noqa: E731
    answer = http_handler("advoware_proxy", function)(gateway_event("POST", body=b"x" * MAX_BODY), None)
    assert answer["body"] == str(MAX_BODY)


@pytest.mark.parametrize(("target", "status"), [("advoware_proxy", 504), ("vmh_webhooks", 503), ("leads", 503)])
def test_past_the_deadline_the_proxy_says_504_and_a_webhook_503(target, status):
    never = threading.Event()

    def function(_request: Request) -> Response:
        never.wait(5)
        return Response()

    answer = http_handler(target, function, deadline_s=0.05)(gateway_event(), None)
    never.set()
    assert answer["statusCode"] == status
    assert ("retry-after" in answer["headers"]) == (status == 503)


def test_the_deadline_holds_for_a_slow_answer_too():
    never = threading.Event()

    def slow():
        yield b"a"
        never.wait(5)
        yield b"b"

    answer = http_handler("advoware_proxy", lambda _: Response(slow()), deadline_s=0.05)(gateway_event(), None)
    never.set()
    assert answer["statusCode"] == 504


@pytest.mark.parametrize(("kind", "size"), [("text/html", 6_000_001), ("application/pdf", 4_600_000)])
def test_an_answer_that_lambda_could_not_carry_is_a_problem(kind, size):
    function = lambda _: Response(b"x" * size, content_type=kind)  # noqa: E731
    answer = http_handler("advoware_proxy", function)(gateway_event(), None)
    assert answer["statusCode"] == 502
    assert json.loads(answer["body"])["type"].endswith("/answer-too-large")


def test_an_answer_that_breaks_off_does_not_look_whole():
    def broken():
        yield b"half"
        raise ConnectionError

    answer = http_handler("advoware_proxy", lambda _: Response(broken()))(gateway_event(), None)
    assert answer["statusCode"] == 502


def test_a_schedule_posts_its_path_with_the_gateways_secret():
    seen = {}

    def function(request: Request) -> Response:
        seen.update(request.args, path=request.path, method=request.method, secret=request.headers["X-Gateway-Secret"])
        return Response('{"checked": 3}', content_type="application/json")

    handler = schedule_handler(lambda path: function, lambda: "s")
    assert handler({"path": "/vmh/reconcile?full=true"}, None) == {"checked": 3}
    assert seen == {"full": "true", "path": "/vmh/reconcile", "method": "POST", "secret": "s"}


def test_a_scheduled_call_that_fails_is_a_failed_invocation():
    handler = schedule_handler(lambda path: lambda _: Response(status=503), lambda: None)
    with pytest.raises(ScheduleFailedError, match="503"):
        handler({"path": "/ops/relay"}, None)
