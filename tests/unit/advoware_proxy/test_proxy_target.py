"""Which paths may pass, and what each server tells of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.advoware_proxy.target import LONGEST, Target, objection_to, raw_target, read_target
from shared.errors import NotFoundError, UnreadableRequestError

PASS = [
    "",
    "akten",
    "akten/",
    "akten/4711",
    "api/v1/advonet/Akten/4711/",
    "M%C3%BCller",
    "m%c3%bcller%20%26%20s%C3%B6hne",
    "a%3Bb",
    "umlaut-latin%FCx",
    "...",
    "a..b",
    ".hidden",
    "a.b.c",
    "x(1)",
    "a@b",
    "a,b",
    "~a",
    "a:b/c".replace("a:", "a-"),
    "akten/12:30",
    "a=b&c",
    "{id}",
    "%E2%82%AC",
]
REFUSE = [
    ";",
    "a;b",
    "a;/../b",
    "a\\b",
    "..\\x",
    ".",
    "..",
    "./a",
    "../a",
    "a/./b",
    "a/../b",
    "a/..",
    "a/.",
    "/a",
    "//a",
    "a//b",
    "a///b",
    "//evil.example/a",
    "%2e",
    "%2E%2e/a",
    ".%2e/a",
    "%2e./a",
    "a%2fb",
    "a%2Fb",
    "..%2f..%2fa",
    "a%5cb",
    "a%5Cb",
    "a%25b",
    "%252e%252e/a",
    "%25252e",
    "a%00",
    "a%00.json",
    "a%0d%0aX: y",
    "a%0Ab",
    "a%09b",
    "a%7fb",
    "a%",
    "a%4",
    "a%zz",
    "%u002e%u002e/a",
    "%c0%ae%c0%ae/a",
    "a%c0%afb",
    "%c1%9cx",
    "%e0%80%af",
    "%e0%80%ae",
    "%f0%80%80%ae",
    "%EF%BC%8E%EF%BC%8E/a",
    "a/%E2%80%A5/b",
    "..%20/a",
    "%20../a",
    "a/..%C2%A0/b",
    "http:evil",
    "http://evil.example/a",
    "https:/evil",
    "file:///etc/passwd",
    "evil.example:80/a",
    "gopher:x",
]


@pytest.mark.parametrize("endpoint", PASS)
def test_an_ordinary_path_passes_as_it_was_sent(endpoint):
    assert read_target({"RAW_URI": f"/advoware/{endpoint}?q=%2e%2e/;"}) == Target(endpoint, "q=%2e%2e/;")


@pytest.mark.parametrize("endpoint", REFUSE)
def test_a_path_that_could_be_read_in_two_ways_is_refused(endpoint):
    with pytest.raises(UnreadableRequestError):
        read_target({"RAW_URI": f"/advoware/{endpoint}"})


@pytest.mark.parametrize(
    "target",
    [
        "http://evil.example/advoware/a",
        "https://127.0.0.1/advoware/a",
        "evil.example:443",
        "*",
        "advoware/a",
        "/advoware/a#b",
        "/advoware/a?b#c",
        "/advoware/a b",
        "/advoware/\xe4",
        "/advoware/a\r\nX: y",
        "/advoware/a?\x00",
        "/advoware/" + "a" * LONGEST,
    ],
)
def test_what_is_no_path_is_refused(target):
    with pytest.raises(UnreadableRequestError):
        read_target({"RAW_URI": target})


@pytest.mark.parametrize(
    "path", ["/", "/advoware", "/ADVOWARE/a", "/%61dvoware/a", "/other/advoware/a", "//advoware/a"]
)
def test_other_paths_are_not_there(path):
    with pytest.raises(NotFoundError):
        read_target({"RAW_URI": path})


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"RAW_URI": "/a%2Fb?c=%41", "PATH_INFO": "/a/b"}, ("/a%2Fb", "c=%41")),
        ({"REQUEST_URI": "/a%2Fb?", "PATH_INFO": "/a/b"}, ("/a%2Fb", "")),
        ({"RAW_URI": "/a"}, ("/a", None)),
        ({"apig_wsgi.full_event": {"rawPath": "/a%2Fb"}, "QUERY_STRING": "c=1&c=2"}, ("/a%2Fb", "c=1&c=2")),
        ({"apig_wsgi.full_event": {"rawPath": "/ä b"}, "QUERY_STRING": ""}, ("/%C3%A4%20b", None)),
        ({"apig_wsgi.full_event": {"path": "/a\\..\\b"}}, ("/a\\..\\b", None)),
        ({"PATH_INFO": "/M\xc3\xbcller/%41", "QUERY_STRING": "x"}, ("/M%C3%BCller/%2541", "x")),
        ({"PATH_INFO": "/a;b\\c"}, ("/a;b\\c", None)),
    ],
)
def test_every_server_tells_the_path_in_its_own_way(environ, expected):
    assert raw_target(environ) == expected


@given(st.text(st.sampled_from("./%2eEfF5cC;\\ab0"), max_size=12))
def test_no_path_that_passes_climbs_after_any_number_of_decodings(endpoint):
    from urllib.parse import unquote

    if objection_to(endpoint):
        return
    plain = endpoint
    for _ in range(4):
        plain = unquote(plain)
        assert "\\" not in plain
        assert ";" not in endpoint
        assert plain.count("/") == endpoint.count("/")
        assert not {".", ".."} & set(plain.split("/"))


def test_a_family_is_the_first_segment_in_any_spelling():
    assert {Target(each).family for each in ("akten/1", "Akten", "%61kten/", "AKTEN/x/y")} == {"akten"}
