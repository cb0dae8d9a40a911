"""What an upstream calls JSON is read exactly, or not at all."""

import json

import pytest
import requests

from shared.errors import UpstreamMalformedError
from shared.http import json_of

MUELLER = {"name": "Müller"}
TEXT = json.dumps(MUELLER, ensure_ascii=False)


def answer(body: bytes, kind: str = "application/json") -> requests.Response:
    response = requests.Response()
    response.status_code, response._content = 200, body
    response.headers["Content-Type"] = kind
    response.encoding = requests.utils.get_encoding_from_headers(response.headers)
    return response


@pytest.mark.parametrize(
    ("encoding", "kind"),
    [
        ("utf-8", "application/json"),
        ("utf-8", "application/json; charset=UTF-8"),
        ("utf-8", 'Application/JSON;charset="utf-8"'),
        ("utf-8", "application/problem+json"),
        ("utf-8-sig", "application/json"),
        ("utf-8-sig", "application/json; charset=utf-8"),
        ("utf-16", "application/json"),
        ("latin-1", "application/json; charset=ISO-8859-1"),
        ("cp1252", "application/json; charset=windows-1252"),
    ],
)
def test_every_encoding_that_is_told_or_seen_is_read(encoding, kind):
    assert json_of("advoware", answer(TEXT.encode(encoding), kind)) == MUELLER


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (TEXT.encode("latin-1"), "application/json"),
        (TEXT.encode("latin-1"), "application/json; charset=utf-8"),
        (TEXT.encode(), "application/json; charset=klingon"),
        (TEXT.encode()[:-1], "application/json"),
        (b"", "application/json"),
        (b"[" * 100_000, "application/json"),
        (TEXT.encode(), "text/html"),
        (TEXT.encode(), ""),
    ],
)
def test_what_cannot_be_read_exactly_is_a_failure_and_no_result(body, kind):
    with pytest.raises(UpstreamMalformedError) as raised:
        json_of("advoware", answer(body, kind))
    assert "Müller" not in str(raised.value)


@pytest.mark.parametrize(
    ("told", "read"),
    [
        (r'"Termin \ud83d"', "Termin \ufffd"),
        (r'{"a":["\uDE00 b"]}', {"a": ["\ufffd b"]}),
        (r'"\ud83d\ude00 \ud83d\u0041"', "\U0001f600 \ufffdA"),
        (r'"M\u00fcller \\ud83d"', r"Müller \ud83d"),
    ],
)
def test_half_an_emoji_is_replaced_and_whole_ones_stay(told, read):
    found = json_of("advoware", answer(told.encode()))
    assert found == read
    json.dumps(found, ensure_ascii=False).encode()
