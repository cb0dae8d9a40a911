"""The signature check that leads and calls share, and the three ways in which a sender of leads is believed."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import Headers

from functions.leads.errors import ClockError, NotEntitledError
from functions.leads.proof import Proof
from shared.webhook import sign

NOW, RAW = 1_795_000_000, b'{"a":"\xc3\xa4"}'
PROOF = Proof(("neu", "geheím"), ("tokén",))


def signed(at: int, by: str = "neu", raw: bytes = RAW) -> Headers:
    return Headers({"X-VH-Timestamp": str(at), "X-VH-Signature": sign(raw, by, at)})


@pytest.mark.parametrize(
    ("headers", "token", "mode"),
    [
        (signed(NOW), None, "signatur"),
        (signed(NOW - 300, "geheím"), None, "signatur"),
        ({"X-Webhook-Secret": "neu"}, None, "geheimnis"),
        ({"X-Webhook-Secret": "geheím".encode().decode("latin-1")}, None, "geheimnis"),  # as a server hands it over
        ({}, "tokén", "adresse"),
    ],
)
def test_each_way_is_believed(headers, token, mode):
    assert PROOF.require(RAW, Headers(headers), token, NOW) == mode


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ({}, None),
        ({}, ""),
        ({"X-Webhook-Secret": ""}, None),
        ({"X-Webhook-Secret": "tokén"}, None),
        ({}, "neu"),
        (signed(NOW, "alt"), None),
        (signed(NOW, raw=RAW + b" "), None),
        ({"X-VH-Timestamp": str(NOW), "X-VH-Signature": sign(RAW, "neu", NOW).removeprefix("sha256=")}, None),
        ({"X-VH-Timestamp": f"{NOW}.0", "X-VH-Signature": sign(RAW, "neu", NOW)}, None),
    ],
)
def test_nothing_else_is(headers, token):
    with pytest.raises(NotEntitledError) as raised:
        PROOF.require(RAW, Headers(headers), token, NOW)
    assert type(raised.value) is NotEntitledError


def test_only_a_right_signature_hears_of_its_clock():
    with pytest.raises(ClockError):
        PROOF.require(RAW, signed(NOW - 301), None, NOW)


def test_a_token_is_no_secret_of_a_sender_without_tokens():
    with pytest.raises(NotEntitledError):
        Proof(("neu",), ()).require(RAW, Headers(), "", NOW)
    assert Proof((), ()).require(RAW, Headers(), None, NOW) == "offen"
