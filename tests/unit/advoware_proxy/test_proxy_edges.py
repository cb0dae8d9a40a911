"""The proxy's rules, each at its edge: one character, one header, one byte more."""

from __future__ import annotations

import pytest

from functions.advoware_proxy.passage import headers_back, headers_up
from functions.advoware_proxy.target import Target, objection_to, raw_target, read_target
from shared.errors import UnreadableRequestError

LONGEST = 16_384


@pytest.mark.parametrize(
    ("path", "query"),
    [("a" * (LONGEST - len("/advoware/")), None), ("a", "q" * (LONGEST - len("/advoware/a")))],
)
def test_path_and_query_have_sixteen_kibibytes_together(path, query):
    raw = f"/advoware/{path}" + ("" if query is None else f"?{query}")
    assert read_target({"RAW_URI": raw}) == Target(path, query)
    with pytest.raises(UnreadableRequestError):
        read_target({"RAW_URI": raw + "x"})


@pytest.mark.parametrize(
    "escape", ["%2e", "%2E", "%2f", "%5c", "%25", "%7f", "%00", "%0a", "%1F", "%", "%g", "%zz", "%c0%ae", "%C1%81"]
)
def test_one_forbidden_escape_anywhere_is_enough(escape):
    assert objection_to(f"akten/a{escape}b") != ""
    assert objection_to(escape) != ""


@pytest.mark.parametrize("escape", ["%20", "%21", "%7e", "%C2%A9", "%e2%82%ac", "%f0%90%8d%88", "%E0%A0%80", "%41"])
def test_other_escapes_pass(escape):
    assert objection_to(f"akten/a{escape}b") == ""


@pytest.mark.parametrize("overlong", ["%c0%80", "%c1%bf", "%e0%80%80", "%e0%9f%bf", "%f0%80%80%80", "%F0%8F%BF%BF"])
def test_an_overlong_form_is_named_as_one(overlong):
    assert objection_to(f"a{overlong}b") == "The path contains characters in an overlong form."


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("a;b", "semicolon or a backslash"),
        ("a\\b", "semicolon or a backslash"),
        ("a%2fb", "escape"),
        ("http:x", "scheme"),
        ("a+b-c.d1:x", "scheme"),
        ("a//b", "empty segment"),
        ("/", "empty segment"),
        ("a/..", "segment of dots"),
        ("a/./b", "segment of dots"),
        ("%20../a", "segment of dots"),
        ("a/%EF%BC%8E%EF%BC%8E", "segment of dots"),  # full-width dots
        ("a/%EF%BC%8F..", "segment of dots"),  # a full-width slash
        ("a/%EF%BC%BC..", "segment of dots"),  # a full-width backslash
    ],
)
def test_each_objection_has_its_reason(endpoint, words):
    assert words in objection_to(endpoint)


@pytest.mark.parametrize("endpoint", ["a/", "", "1a:b", "-a:b", "a b:c", "...", "a/..b"])
def test_what_only_looks_like_that_passes(endpoint):
    assert objection_to(endpoint) == ""


def test_segments_are_plain_text_without_the_empty_one_at_the_end():
    assert Target("%61kten/M%C3%BCller/").segments == ("akten", "Müller")
    assert Target("akten").segments == ("akten",)
    assert Target("").segments == ("",)


def test_path_and_query_are_given_back_as_they_were_sent():
    assert [Target("a").raw, Target("a", "").raw, Target("a", "b=1").raw] == ["a", "a?", "a?b=1"]


def test_a_gateway_s_path_is_preferred_to_what_the_server_decoded():
    event = {"apig_wsgi.full_event": {"rawPath": "/a%2Fb", "path": "/a/b"}, "PATH_INFO": "/a/b"}
    assert raw_target(event) == ("/a%2Fb", None)
    assert raw_target({"RAW_URI": "/x?y", **event}) == ("/x", "y")
    assert raw_target({"apig_wsgi.full_event": None, "PATH_INFO": "/a b/:@!$&'()*+,=~"}) == (
        "/a%20b/:@!$&'()*+,=~",
        None,
    )
    assert raw_target({"PATH_INFO": "/€"}) == ("/%3F", None)
    assert raw_target({}) == ("", None)


@pytest.mark.parametrize("name", ["Content-Length", "Set-Cookie2", "Trailers", "HTTP2-Settings", "Proxy", "proxy-x"])
def test_these_never_come_back_either(name):
    assert headers_back([(name, "x"), ("X-A", "1")], []) == [("X-A", "1")]


def test_a_place_may_show_none_of_the_upstream_s_names_in_any_spelling():
    hosts = ["Login.Advo-Net.example", "WWW2.Advo-Net.example"]
    for place in ("https://www2.advo-net.example/", "https://login.advo-net.example/", "%2577ww2.advo-net.example"):
        assert headers_back([("Location", place), ("X-Where", place)], hosts) == [("X-Where", place)]
    assert headers_back([("Location", "https://example/")], hosts) == [("Location", "https://example/")]


def test_the_type_of_the_body_is_told_once_by_the_server_itself():
    assert headers_up({"HTTP_CONTENT_TYPE": "a/b", "HTTP_CONTENT_LENGTH": "7"}) == []
    assert headers_up({"CONTENT_TYPE": "a/b", "HTTP_CONTENT_TYPE": "c/d"}) == [("Content-Type", "a/b")]


@pytest.mark.parametrize("name", ["Trailers", "HTTP2-Settings", "X-Request-Id", "Function-Execution-Id"])
def test_these_never_go_up_either(name):
    assert headers_up({"HTTP_" + name.upper().replace("-", "_"): "x", "HTTP_X_A": "1"}) == [("X-A", "1")]


def test_a_value_may_hold_tabs_and_all_of_latin_1_but_no_other_control_character():
    assert headers_up({"HTTP_X_A": "a\tb\x80\xff"}) == [("X-A", "a\tb\x80\xff")]
    assert headers_back([("X-A", "a\tb\x80\xff"), ("X-B", "a\x7f")], []) == [("X-A", "a\tb\x80\xff")]
    assert headers_back([("", "1"), ("X-C\n", "1"), ("X-D", "1\n")], []) == []
