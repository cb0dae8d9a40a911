"""The extra paths of the Advoware double that show what a proxy did, over HTTP."""

import hashlib
from functools import partial

import pytest
import requests

from sandbox.advoware import Advoware, Visitor, pattern
from sandbox.faults import Fault
from sandbox.server import serve


@pytest.fixture(scope="module")
def advoware():
    return Advoware()


@pytest.fixture(scope="module")
def call(advoware):
    with serve(advoware) as server, Visitor(advoware, server.url) as visitor:
        yield partial(visitor.request, allow_redirects=False)


def test_the_echo_shows_method_raw_path_query_headers_and_body_hash(call):
    answer = call("PUT", "/echo/M%C3%BCller%20%26/?b=2&a=1&b=%C3%A4", data=b"body", headers={"X-Own": "7"}).json()
    assert (answer["method"], answer["query"]) == ("PUT", "b=2&a=1&b=%C3%A4")
    assert answer["path"] == "/echo/M%C3%BCller%20%26/"
    assert ["X-Own", "7"] in answer["headers"]
    assert (answer["length"], answer["sha256"]) == (4, hashlib.sha256(b"body").hexdigest())


@pytest.mark.parametrize("query", ["", "?chunked=1"])
@pytest.mark.parametrize("length", [0, 1, 64_256, 64_257, 300_001])
def test_bytes_are_the_same_every_time(call, length, query):
    answer = call("GET", f"/bytes/{length}{query}")
    assert answer.content == pattern(length)
    assert ("Content-Length" in answer.headers) is not bool(query)


def test_bytes_can_be_cut_short(call, advoware):
    advoware.board.add(Fault("cut", path="^/bytes"))
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        call("GET", "/bytes/100000")


@pytest.mark.parametrize("status", [200, 204, 304, 404, 418, 503])
def test_any_status_can_be_had(call, status):
    assert call("DELETE", f"/status/{status}").status_code == status


def test_a_redirect_shows_the_address_behind(call):
    answer = call("GET", "/redirect?to=/employees")
    assert answer.status_code == 302
    assert answer.headers["Location"] == answer.url.replace("/redirect?to=/employees", "/employees")


def test_no_extra_path_opens_without_a_token(call):
    for path in ("/echo", "/bytes/1", "/status/200", "/redirect"):
        assert call("GET", path, headers={"Authorization": "Bearer other"}).status_code == 401


def test_what_is_nowhere_answers_404_in_json(call):
    assert call("GET", "/bytes/x").json()["status"] == 404
