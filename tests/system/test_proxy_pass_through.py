"""What goes through the proxy arrives as it was sent, both ways, under every server we run under."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator

import proxy_rig as rig
import pytest
from redis_server import running as redis_running
from werkzeug.wrappers import Request, Response

from sandbox.advoware import pattern


@pytest.fixture(scope="module")
def double() -> Iterator[rig.Recorder]:
    with rig.recording() as found:
        yield found


@pytest.fixture(scope="module", params=["framework", "app"])
def server(request, double, tmp_path_factory) -> Iterator[rig.Running]:
    with redis_running() as state:
        env = rig.settings(double, state.url, ADVOWARE_PROXY_MAX_BODY_BYTES=str(3 * 1024 * 1024))
        with rig.running(request.param, env, tmp_path_factory.mktemp("proxy")) as found:
            yield found


@pytest.fixture(autouse=True)
def _fresh(double) -> None:
    double.forget()


@pytest.fixture
def port(server) -> int:
    return server.port


def answering(body: bytes, status: int = 200, **headers: str):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: Response(body, status, named)


@pytest.mark.parametrize(
    "target",
    [
        "/advoware/echo",
        "/advoware/echo/",
        "/advoware/echo?",
        "/advoware/echo?b=2&a=1&b=1&b=&=&&c",
        "/advoware/echo/M%C3%BCller%20%26%20S%c3%b6hne?q=%C3%A4%2F..%2F%00;x=\\",
        "/advoware/echo/a%3Bb,c;"[:-1],
        "/advoware/echo?url=http://x/../y//z&p=100%",
        '/advoware/echo/{a}|^`"<>?{}|^`"<>',
        "/advoware/echo/...",
        "/advoware/echo/%E4?%E4=%zz",
        "/advoware/echo?" + "k=v&" * 500,
    ],
)
def test_path_and_query_arrive_byte_for_byte(double, port, target):
    status, _, _ = rig.get(port, target)
    assert status == 200
    assert double.last.target == target.removeprefix("/advoware")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "GET"])
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"text":"M\xc3\xbcller \xe2\x82\xac","n":1.10}', "application/json; charset=UTF-8"),
        (bytes(range(256)) * 3, "application/octet-stream"),
        (b"\xff\xfe\x00", "text/plain"),
        (b"{not json", "application/json"),
        (b"a=1&a=2&b=%20+", "application/x-www-form-urlencoded"),
        (b"x" * (1024 * 1024 + 1), "application/pdf"),
    ],
)
def test_a_body_arrives_byte_for_byte_with_its_type(double, port, method, body, kind):
    status, _, _ = rig.get(port, "/advoware/echo", f"Content-Type: {kind}", method=method, body=body)
    assert status == 200
    assert (double.last.method, double.last.length) == (method, len(body))
    assert double.last.sha256 == hashlib.sha256(body).hexdigest()
    assert double.last.header("Content-Type") == kind


@pytest.mark.parametrize("size", [0, 1, 5000, 1024 * 1024, 1024 * 1024 + 1, 2_000_000])
def test_a_chunked_body_arrives_whole(double, port, size):
    body = pattern(size)
    chunks = [body[start : start + 70_001] for start in range(0, size, 70_001)]
    sent = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    status, _, _ = rig.get(port, "/advoware/echo", "Transfer-Encoding: chunked", method="POST", body=sent)
    assert (status, double.last.length) == (200, size)
    assert double.last.sha256 == hashlib.sha256(body).hexdigest()


def test_an_empty_post_is_empty_and_a_get_has_no_length(double, port):
    rig.get(port, "/advoware/echo", method="POST")
    assert double.last.header("Content-Length") == "0"
    rig.get(port, "/advoware/echo")
    assert double.last.header("Content-Length") is None


def test_the_callers_headers_arrive_and_none_is_invented(double, port):
    rig.get(port, "/advoware/echo", "Accept: text/x, */*;q=0.1", 'If-Match: "a"', "X-Own: \xe4", "X-Request-ID: r-1")
    names = {name.lower() for name, _ in double.last.headers}
    assert names == {"host", "accept", "if-match", "x-own", "x-request-id", "authorization"}
    assert double.last.header("X-Own") == "\xe4"
    assert double.last.header("X-Request-ID") == "r-1"
    assert double.last.header("Host") == f"127.0.0.1:{double.port}"


def test_a_packed_request_arrives_packed(double, port):
    body = gzip.compress(b"x" * 5000)
    rig.get(port, "/advoware/echo", "Content-Encoding: gzip", method="PUT", body=body)
    assert double.last.sha256 == hashlib.sha256(body).hexdigest()
    assert double.last.header("Content-Encoding") == "gzip"


def test_a_request_id_is_made_where_there_is_none_and_echoed(double, port):
    _, headers, _ = rig.get(port, "/advoware/echo", "X-Request-ID: not good")
    assert headers["x-request-id"] == double.last.header("X-Request-ID") != "not good"


@pytest.mark.parametrize(
    "status", [200, 201, 202, 203, 206, 207, 299, 300, 400, 403, 404, 405, 409, 412, 418, 422, 429]
)
@pytest.mark.parametrize("body", [b"", b'{"fehler":"\xc3\xa4"}', bytes(range(256))])
def test_status_body_and_type_come_back_unchanged(double, port, status, body):
    double.answers["/x"] = answering(body, status, Content_Type="application/vnd.advoware+json;v=1", X_A="1")
    found, headers, back = rig.get(port, "/advoware/x", method="PUT", body=b"{}")
    assert (found, back) == (status, body)
    assert headers["content-type"] == "application/vnd.advoware+json;v=1"
    assert headers["x-a"] == "1"
    assert headers["content-length"] == str(len(body))


@pytest.mark.parametrize("status", [500, 501, 502, 503, 504, 507, 599])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_advowares_own_failures_come_back_with_their_pages(double, port, status, method):
    double.answers["/x"] = answering(b"<html>kaputt</html>", status, Content_Type="text/html", Retry_After="77")
    found, headers, body = rig.get(port, "/advoware/x", method=method)
    assert (found, body, headers["content-type"]) == (status, b"<html>kaputt</html>", "text/html")
    assert headers["retry-after"] == "77"
    assert len(double.seen) == 1  # that pause is too long to wait for


def test_an_html_page_with_status_200_comes_back_as_it_is(double, port):
    double.answers["/x"] = answering(b"<html>\xe4</html>", 200, Content_Type="text/html; charset=iso-8859-1")
    assert rig.get(port, "/advoware/x")[2] == b"<html>\xe4</html>"


def test_204_has_no_body_and_no_length(double, port):
    double.answers["/x"] = answering(b"", 204, ETag='"1"')
    status, headers, body = rig.get(port, "/advoware/x", method="DELETE")
    assert (status, body) == (204, b"")
    assert headers["etag"] == '"1"'
    assert not {"content-length", "transfer-encoding"} & set(headers)


def not_modified(request: Request) -> Response:
    response = Response(b"", 304)
    kept = [("ETag", '"1"'), ("Last-Modified", "Mon, 01 Jan 2026 00:00:00 GMT"), ("Content-Language", "de")]
    response.get_wsgi_headers = lambda environ: response.headers.__class__(kept)
    return response


def test_304_comes_back_with_all_its_headers(double, port):
    double.answers["/x"] = not_modified
    status, headers, body = rig.get(port, "/advoware/x", 'If-None-Match: "1"')
    assert (status, body) == (304, b"")
    assert (headers["etag"], headers["content-language"]) == ('"1"', "de")
    assert headers["last-modified"] == "Mon, 01 Jan 2026 00:00:00 GMT"
    assert double.last.header("If-None-Match") == '"1"'


def test_a_packed_answer_comes_back_packed(double, port):
    body = gzip.compress(b"x" * 5000)
    double.answers["/x"] = answering(body, Content_Encoding="gzip")
    _, headers, back = rig.get(port, "/advoware/x", "Accept-Encoding: gzip")
    assert (back, headers["content-encoding"]) == (body, "gzip")


@pytest.mark.parametrize("query", ["", "?chunked=1"])
@pytest.mark.parametrize("length", [0, 1, 64_256, 1_500_003])
def test_bytes_come_back_with_their_length_or_in_chunks(port, length, query):
    _, headers, body = rig.get(port, f"/advoware/bytes/{length}{query}")
    assert body == pattern(length)
    assert ("content-length" in headers) is not bool(query)


def test_headers_come_back_except_those_that_must_not(double, port):
    def many(request: Request) -> Response:
        response = Response(b"x")
        for name, value in [
            ("X-A", "1"),
            ("X-A", "2"),
            ("Set-Cookie", "s=1"),
            ("Authorization", "x"),
            ("Via", "1.1 a"),
        ]:
            response.headers.add(name, value)
        response.headers.add("Connection", "X-Secret-Hop")
        response.headers.add("X-Secret-Hop", "1")
        response.headers.add("Proxy-Authenticate", "Basic")
        return response

    double.answers["/x"] = many
    answer = rig.raw(port, b"GET /advoware/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", finish=False).lower()
    assert answer.count(b"\r\nx-a: ") == 2
    assert b"via: 1.1 a" in answer
    for name in (b"set-cookie", b"authorization", b"x-secret-hop", b"proxy-authenticate"):
        assert name not in answer
    assert b"x-content-type-options: nosniff" in answer
    assert b"strict-transport-security" not in answer


def test_a_redirect_is_passed_without_the_place_it_shows(double, port):
    status, headers, _ = rig.get(port, "/advoware/redirect?to=/employees")
    assert status == 302
    assert "location" not in headers
    assert len(double.seen) == 1
    double.answers["/x"] = answering(b"", 303, Location="/akten/1")
    assert rig.get(port, "/advoware/x")[1]["location"] == "/akten/1"


@pytest.mark.parametrize("method", ["HEAD", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
def test_other_methods_are_answered_405(double, port, method):
    status, headers, body = rig.get(port, "/advoware/echo", method=method)
    assert (status, headers["allow"]) == (405, "GET, POST, PUT, DELETE")
    assert method == "HEAD" or json.loads(body)["status"] == 405
    assert not double.seen


def test_a_body_over_the_limit_is_a_413(double, port):
    limit = 3 * 1024 * 1024
    assert rig.get(port, "/advoware/echo", method="POST", body=b"x" * limit)[0] == 200
    seen = len(double.seen)
    status, headers, body = rig.get(port, "/advoware/echo", method="POST", body=b"x" * (limit + 1))
    assert (status, json.loads(body)["status"], headers["cache-control"]) == (413, 413, "no-store")
    chunked = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    sent = chunked * (limit // 65536 + 1) + b"0\r\n\r\n"
    assert rig.get(port, "/advoware/echo", "Transfer-Encoding: chunked", method="POST", body=sent)[0] == 413
    assert len(double.seen) == seen


def test_a_connection_serves_one_call_after_another(port):
    import http.client

    wire = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    for length in (0, 10, 100_000):
        for query in ("", "?chunked=1"):
            wire.request("GET", f"/advoware/bytes/{length}{query}")
            assert wire.getresponse().read() == pattern(length)
    wire.close()


def test_each_call_leaves_one_line_without_query_or_body(server, port):
    before = len(server.lines())
    target = "/advoware/employees/Geheim?name=Geheim"
    rig.get(port, target, "X-Request-ID: line-1", method="POST", body=b"Geheim")
    rig.get(port, "/advoware/4711-0815-1234", "X-Request-ID: line-2")
    lines = {line["request_id"]: line for line in server.lines()[before:]}
    assert lines["line-1"]["segment"] == "employees"
    assert lines["line-2"]["segment"] == "-"
    assert lines["line-1"]["bytes_in"] == 6
    assert {"method", "status", "duration_ms", "bytes_out"} <= lines["line-1"].keys()
    assert "Geheim" not in server.log.read_text()


def test_the_figures_are_on_the_metrics_page(port):
    page = rig.get(port, "/metrics")[2].decode() if port else ""
    for name in (
        'bitbylaw_upstream_calls_total{outcome="2xx",upstream="advoware"}',
        'bitbylaw_upstream_seconds_count{upstream="advoware"}',
        'bitbylaw_token_refreshes_total{upstream="advoware"}',
        'bitbylaw_http_requests_total{method="GET",status="200",target="advoware_proxy"}',
        "bitbylaw_proxy_retries_total",
    ):
        assert name in page
