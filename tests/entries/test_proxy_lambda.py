"""The proxy under a gateway's events and under the development server keeps the same promises."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from threading import Thread

import functions_framework
import proxy_rig as rig
import pytest
from apig_wsgi import make_lambda_handler
from werkzeug.serving import make_server

from sandbox.advoware import pattern

Invoke = Callable[..., dict]


@pytest.fixture(scope="module")
def double() -> Iterator[rig.Recorder]:
    with rig.recording() as found:
        yield found


@pytest.fixture
def app(double, monkeypatch):
    double.forget()
    monkeypatch.setattr("shared.startup.set_up_log", lambda level: None)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    for name, value in double.env(double.url).items():
        monkeypatch.setenv(name, value)
    return functions_framework.create_app("advoware_proxy", rig.SOURCE)


@pytest.fixture
def invoke(app) -> Invoke:
    handler = make_lambda_handler(app)

    def call(path: str, query: str = "", method: str = "GET", body: bytes | None = None, **headers: str) -> dict:
        http = {"method": method, "path": path, "sourceIp": "192.0.2.1", "protocol": "HTTP/1.1"}
        event = {
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": query,
            "headers": {name.replace("_", "-"): value for name, value in headers.items()},
            "requestContext": {"http": http, "stage": "$default"},
            "isBase64Encoded": body is not None,
        }
        if body is not None:
            event["body"] = base64.b64encode(body).decode()
        return handler(event, None)

    return call


def content(answer: dict) -> bytes:
    return base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"].encode()


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/advoware/echo/M%C3%BCller/", "b=2&a=1&b=%C3%A4"),
        ("/advoware/echo/a%3Bb", "a=..%2F"),
        ("/advoware/echo", ""),
    ],
)
def test_a_gateways_path_and_query_arrive_as_they_were(invoke, double, path, query):
    assert invoke(path, query)["statusCode"] == 200
    assert double.last.target == path.removeprefix("/advoware") + (f"?{query}" if query else "")


def test_a_path_that_the_gateway_decoded_is_encoded_again(invoke, double):
    assert invoke("/advoware/echo/Müller & Co")["statusCode"] == 200
    assert double.last.target == "/echo/M%C3%BCller%20&%20Co"


@pytest.mark.parametrize(
    "path",
    ["../x", "%2e%2e/x", "a//b", "a%2fb", "a;b", "a\\b", "/evil", "http://evil/x", "a%25b", "a%00", "a\x00", "a\r\nb"],
)
def test_hostile_paths_are_refused_there_too(invoke, double, path):
    answer = invoke(f"/advoware/{path}")
    assert answer["statusCode"] == (404 if "\n" in path else 400)  # Flask knows no path with a line break
    assert answer["headers"]["content-type"] == "application/problem+json"
    assert not double.seen


def test_bodies_pass_both_ways(invoke, double):
    body = bytes(range(256)) * 10
    headers = {"Content_Type": "application/octet-stream", "Content_Length": str(len(body)), "Transfer_Encoding": "x"}
    assert invoke("/advoware/echo", method="PUT", body=body, **headers)["statusCode"] == 200
    assert double.last.length == len(body)
    assert double.last.header("Content-Type") == "application/octet-stream"
    assert [name for name, _ in double.last.headers if name.lower() == "content-type"] == ["Content-Type"]
    assert content(invoke("/advoware/bytes/100000")) == pattern(100_000)


def test_headers_of_a_gateway_stay_behind(invoke, double):
    invoke("/advoware/echo", X_Forwarded_For="192.0.2.9", cookie="a=b", Authorization="Bearer theirs", X_A="\u00e4")
    names = {name.lower() for name, _ in double.last.headers}
    assert names == {"host", "x-a", "x-request-id", "authorization"}
    assert "theirs" not in str(double.last.headers)


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\x00", "\u20ac"])
def test_a_header_that_only_an_event_can_carry_is_refused(invoke, double, value):
    assert invoke("/advoware/echo", X_A=value)["statusCode"] == 400
    assert not double.seen


def test_an_answer_without_a_body_has_none(invoke):
    for status in (204, 304):
        answer = invoke(f"/advoware/status/{status}")
        assert (answer["statusCode"], content(answer)) == (status, b"")


def test_a_cut_answer_is_no_answer(invoke, double):
    from sandbox.faults import Fault

    double.board.add(Fault("cut", path="^/bytes", times=None))
    with pytest.raises(Exception, match="broke off"):
        invoke("/advoware/bytes/300000")


def test_a_target_alone_knows_no_other_path(invoke):
    assert invoke("/calendar/status")["statusCode"] == 404
    assert invoke("/health")["statusCode"] == 200


@pytest.fixture
def port(app) -> Iterator[int]:
    from werkzeug.serving import WSGIRequestHandler

    class Quiet(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log(self, *args: object) -> None:
            """Write nothing."""

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_the_development_server_keeps_the_raw_path_too(port, double):
    assert rig.get(port, "/advoware/echo/M%c3%bcller/?a=%41&a=1")[0] == 200
    assert double.last.target == "/echo/M%c3%bcller/?a=%41&a=1"
    for hostile in (
        "/advoware/%2e%2e/x",
        "/advoware//x",
        "//evil/advoware/x",
        "http://evil/advoware/x",
        "/advoware/a;b",
    ):
        assert rig.get(port, hostile)[0] in {400, 404}
    assert len(double.seen) == 1


def test_the_development_server_refuses_two_lengths(port, double):
    lines = ["Content-Length: 5", "Transfer-Encoding: chunked"]
    status, _, body = rig.get(port, "/advoware/echo", *lines, method="POST", body=b"5\r\nabcde\r\n0\r\n\r\n")
    assert (status, json.loads(body)["status"]) == (400, 400)
    assert not double.seen


@pytest.mark.parametrize("length", [0, 10, 1_100_000])
def test_the_development_server_passes_chunked_bodies(port, double, length):
    body = (b"%x\r\n%b\r\n" % (length, b"x" * length) if length else b"") + b"0\r\n\r\n"
    assert rig.get(port, "/advoware/echo", "Transfer-Encoding: chunked", method="POST", body=body)[0] == 200
    assert double.last.length == length
