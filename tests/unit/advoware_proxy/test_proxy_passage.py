"""Which methods, paths and headers may pass."""

from __future__ import annotations

import pytest

from functions.advoware_proxy.passage import AllowList, check_method, headers_back, headers_up
from functions.advoware_proxy.retry import pause_s
from functions.advoware_proxy.target import Target
from shared.errors import ForbiddenError, MethodNotAllowedError, UnreadableRequestError


@pytest.mark.parametrize("method", ["HEAD", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "PROPFIND", ""])
def test_other_methods_are_refused_and_the_four_are_named(method):
    with pytest.raises(MethodNotAllowedError) as refused:
        check_method(method)
    assert refused.value.headers["Allow"] == "GET, POST, PUT, DELETE"


RULES = AllowList(("GET:akten", "POST:akten/notizen", "DELETE:", "GET:M%C3%BCller"))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "akten"),
        ("GET", "akten/"),
        ("GET", "akten/1/2"),
        ("GET", "%61kten/1"),
        ("POST", "akten/notizen/7"),
        ("DELETE", "x"),
        ("GET", "m%C3%BCller".replace("m", "M")),
    ],
)
def test_what_a_rule_names_is_allowed(method, path):
    RULES.check(method, Target(path))


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "aktenx"), ("GET", "Akten"), ("GET", "akte"), ("POST", "akten"), ("PUT", "akten"), ("GET", "")],
)
def test_anything_else_is_forbidden(method, path):
    with pytest.raises(ForbiddenError):
        RULES.check(method, Target(path))


def test_without_rules_everything_is_allowed():
    AllowList(()).check("DELETE", Target("x/y"))


NEVER_UP = """Connection Keep-Alive TE Trailer Transfer-Encoding Upgrade Host Cookie Authorization Forwarded
X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto X-Forwarded-Anything Proxy-Authorization Proxy-Connection Proxy-X
X-Gateway-Secret X-API-Key apikey X-HTTP-Method-Override X-HTTP-Method X-Method-Override X-Original-URL X-Rewrite-URL
Content-Length Proxy""".split()


@pytest.mark.parametrize("name", NEVER_UP)
def test_some_headers_never_go_up(name):
    key = "HTTP_" + name.upper().replace("-", "_")
    assert headers_up({key: "x", "HTTP_X_OTHER": "y"}) == [("X-Other", "y")]


def test_headers_named_in_connection_stay_behind():
    given = {"HTTP_CONNECTION": "close, X-One ,x-two", "HTTP_X_ONE": "1", "HTTP_X_TWO": "2", "HTTP_X_THREE": "3"}
    assert headers_up(given) == [("X-Three", "3")]


def test_everything_else_goes_up_and_nothing_is_added():
    given = {"HTTP_ACCEPT": "*/*", "CONTENT_TYPE": "a/b; c=d", "HTTP_IF_MATCH": '"1"', "HTTP_ACCEPT_ENCODING": "br"}
    assert sorted(headers_up(given)) == [
        ("Accept", "*/*"),
        ("Accept-Encoding", "br"),
        ("Content-Type", "a/b; c=d"),
        ("If-Match", '"1"'),
    ]
    assert headers_up({"wsgi.input": 1, "HTTP": "on", "CONTENT_TYPE": ""}) == []


@pytest.mark.parametrize("value", ["a\r\nb", "a\nb", "a\rb", "a\x00b", "a\x1fb", "a\x7fb", "ä€"])
@pytest.mark.parametrize("key", ["HTTP_X_A", "CONTENT_TYPE"])
def test_a_header_with_a_line_break_or_worse_is_refused(key, value):
    with pytest.raises(UnreadableRequestError):
        headers_up({key: value})


@pytest.mark.parametrize("key", ["HTTP_X A", "HTTP_X\r\nY", "HTTP_Ä", "HTTP_X:"])
def test_a_header_with_a_bad_name_is_refused(key):
    with pytest.raises(UnreadableRequestError):
        headers_up({key: "x"})


@pytest.mark.parametrize(
    "name",
    "Connection Keep-Alive TE Trailer Transfer-Encoding Upgrade Proxy-Authenticate Set-Cookie Authorization".split(),
)
def test_some_headers_never_come_back(name):
    assert headers_back([(name, "x"), ("X-A", "1"), ("X-A", "2")], []) == [("X-A", "1"), ("X-A", "2")]


def test_headers_that_advoware_names_in_connection_do_not_come_back():
    assert headers_back([("Connection", "X-A"), ("X-A", "1"), ("ETag", '"2"')], []) == [("ETag", '"2"')]


@pytest.mark.parametrize(
    "place",
    [
        "https://www2.advo-net.net:90/x",
        "https://WWW2.Advo-Net.net/x",
        "//www2.advo-net.net/x",
        "https://user@www2.advo-net.net:91/",
        "https://login.example/?back=https%3A%2F%2Fwww2.advo-net.net%3A90%2Fx",
        "https://www2%2Eadvo-net.net/x",
        "https:\\\\www2.advo-net.net",
    ],
)
def test_a_place_that_shows_the_upstream_does_not_come_back(place):
    assert headers_back([("Location", place), ("Content-Location", place)], ["www2.advo-net.net"]) == []


@pytest.mark.parametrize("place", ["/akten/1", "akten/1", "https://elsewhere.example/x", "?a=1"])
def test_any_other_place_comes_back_unchanged(place):
    assert headers_back([("Location", place)], ["www2.advo-net.net"]) == [("Location", place)]


def test_a_folded_header_becomes_one_line_and_a_broken_one_vanishes():
    assert headers_back([("X-A", "1\r\n 2"), ("X-B", "a\x00"), ("X C", "1")], []) == [("X-A", "1 2")]


@pytest.mark.parametrize("status", [None, 502, 503, 504])
def test_a_get_is_repeated_twice_with_jitter(status):
    pauses = [pause_s(attempt, status) for attempt in (0, 1)]
    assert all(0 < pause < 1 for pause in pauses)
    assert pause_s(2, status) is None
    assert len({pause_s(0, status) for _ in range(20)}) > 1


@pytest.mark.parametrize("status", [200, 304, 401, 404, 429, 500, 501])
def test_any_other_answer_is_final(status):
    assert pause_s(0, status) is None


@pytest.mark.parametrize(("asked", "pause"), [("2", 2), ("70", None), ("999999999", None), ("5", 5)])
def test_advowares_own_pause_is_kept_if_it_is_short(asked, pause):
    assert pause_s(0, 503, asked) == pause


@pytest.mark.parametrize("asked", ["-1", "soon", "", "Mon, 99 Foo"])
def test_nonsense_is_no_pause(asked):
    assert pause_s(0, 503, asked) < 1
