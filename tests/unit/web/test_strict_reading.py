"""What is JSON and what is not."""

from __future__ import annotations

import json

import pytest

from shared.errors import UnreadableRequestError
from shared.web.reading import strict_json


def nested(depth: int, opening: str = "[", closing: str = "]") -> bytes:
    return (opening * depth + closing * depth).encode()


@pytest.mark.parametrize("depth", [1, 31, 32])
def test_arrays_up_to_thirty_two_deep_are_read(depth):
    assert strict_json(nested(depth)) is not None


@pytest.mark.parametrize("depth", [33, 34, 1000, 100_000])
def test_deeper_arrays_are_refused(depth):
    with pytest.raises(UnreadableRequestError):
        strict_json(nested(depth))


def test_objects_count_as_depth_too():
    raw = b'{"a":' * 32 + b"1" + b"}" * 32
    assert strict_json(raw)
    with pytest.raises(UnreadableRequestError):
        strict_json(b"[" + raw + b"]")


def test_brackets_inside_strings_do_not_count():
    assert strict_json(json.dumps(["[" * 100]).encode()) == ["[" * 100]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"{'a':1}",
        b"[1,]",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        '{"a":"ä"}'.encode("latin-1"),
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1e999}',
        b'{"a":-1e999}',
        b'{"a":1,"a":2}',
        b'[{"b":{"a":1,"a":1}}]',
        b'{"a":"\\ud800"}',
        b'{"\\udfff":1}',
        b'["\\udc00\\ud800"]',
        b"[" + b"9" * 5000 + b"]",
        b'{"a":"\x00"}',
        b"{} {}",
    ],
)
def test_what_two_readers_could_understand_differently_is_refused(raw):
    with pytest.raises(UnreadableRequestError):
        strict_json(raw)


@pytest.mark.parametrize("raw", [b'"\\ud83d\\ude00"', '"ä"'.encode(), b"1e300", b'{"a":1,"b":{"a":2}}', b" null "])
def test_ordinary_json_is_read(raw):
    assert strict_json(raw) == json.loads(raw)


def test_the_refusal_never_repeats_the_body():
    with pytest.raises(UnreadableRequestError) as refused:
        strict_json(b'{"name":"Geheim",}')
    assert "Geheim" not in refused.value.detail
