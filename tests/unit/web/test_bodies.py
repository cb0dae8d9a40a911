"""Which bodies are read, refused or measured."""

from __future__ import annotations

import io

import pytest
from test_entry_answers import ask, entry, post
from werkzeug.wrappers import Request

from shared import errors
from shared.web.reading import read_body


def test_invalid_fields_are_named_without_their_values():
    answer = post("/calendar/sync", b'{"kuerzel":"geheim","wait":"vielleicht"}')
    assert answer.status_code == 422
    assert {problem["field"] for problem in answer.json["errors"]} == {"kuerzel", "wait"}
    assert set(answer.json["errors"][0]) == {"field", "code", "message"}
    assert "geheim" not in answer.get_data(as_text=True)


@pytest.mark.parametrize("raw", [b"[]", b"7", b'"x"'])
def test_json_of_another_shape_is_named_without_a_class_of_ours(raw):
    answer = post("/calendar/sync", raw)
    assert answer.status_code == 422
    assert answer.json["errors"] == [{"field": "body", "code": "dict_type", "message": "an object is needed"}]
    assert answer.json["detail"] == "body: an object is needed"


@pytest.mark.parametrize("raw", [b"{", b"\xff", b'{"a":NaN}', b'{"a":1,"a":1}', b"[" * 33 + b"]" * 33])
def test_an_unreadable_body_is_a_400(raw):
    assert post("/calendar/sync", raw).status_code == 400


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "text/json"])
def test_a_body_of_another_kind_is_a_415(kind):
    assert post("/calendar/sync", b"{}", kind).status_code == 415


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/merge+json"])
def test_every_spelling_of_json_is_taken(kind):
    assert post("/calendar/sync", b"{}", kind).status_code == 200


def test_compressed_bodies_are_not_unpacked():
    answer = ask(entry(), "POST", "/small", data=b"x", headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 415


@pytest.mark.parametrize(("size", "status"), [(10, 200), (11, 413)])
def test_a_body_over_the_limit_is_a_413(size, status):
    assert post("/small", b"x" * size).status_code == status


@pytest.mark.parametrize(("size", "status"), [(1024 * 1024, 200), (1024 * 1024 + 1, 413)])
def test_a_body_that_nobody_reads_may_not_be_longer_either(size, status):
    assert ask(entry(), "GET", "/open", data=b"x" * size).status_code == status


@pytest.mark.parametrize(("size", "status"), [(10, 200), (11, 413)])
def test_a_chunked_body_is_measured_while_it_is_read(size, status):
    answer = ask(entry(), "POST", "/small", chunked=io.BytesIO(b"x" * size))
    assert answer.status_code == status


def test_an_announced_length_over_the_limit_is_refused_before_a_byte_is_read():
    class Untouchable(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise AssertionError("it was read")

    environ = {"CONTENT_LENGTH": "11", "wsgi.input": Untouchable(), "REQUEST_METHOD": "POST"}
    with pytest.raises(errors.TooLargeError):
        read_body(Request(environ), 10)


def test_an_endless_chunked_body_is_broken_off():
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += size
            return b"x" * size

    stream = Endless()
    assert ask(entry(), "POST", "/small", chunked=stream).status_code == 413
    assert stream.given < 3 * 1024 * 1024


def test_max_body_bytes_is_the_limit_where_a_route_has_none():
    target = entry({"MAX_BODY_BYTES": "20"})
    body = b'{"kuerzel":"' + b"A" * 30 + b'"}'
    assert ask(target, "POST", "/calendar/sync", data=body, content_type="application/json").status_code == 413
