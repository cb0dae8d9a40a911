"""Signatures of webhooks and of our own calls, against recorded ones."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from sandbox.espocrm import signed
from shared.espocrm.auth import credentials
from shared.espocrm.signature import is_key, is_signed, sign
from shared.settings.base import read
from shared.settings.espocrm import EspoCrmSettings

RECORDED = Path(__file__).parents[2] / "recorded"
WEBHOOKS = json.loads((RECORDED / "espocrm-webhooks.json").read_text())["deliveries"]
API = json.loads((RECORDED / "espocrm-api.json").read_text())


@pytest.mark.parametrize("delivery", WEBHOOKS, ids=lambda each: each["event"])
def test_recorded_headers_are_recognised_and_made(delivery):
    webhook, raw = delivery["webhook"], delivery["body"].encode()
    ours = sign(raw, webhook["id"], webhook["secretKey"])
    assert signed(raw, webhook) == {"Content-Type": "application/json", **ours}
    for name in ("Signature", "X-Signature"):
        assert ours[name] == delivery["headers"][name]
        assert is_signed(raw, {name: delivery["headers"][name]}, {webhook["id"]: webhook["secretKey"]})
        assert not is_signed(raw + b" ", {name: delivery["headers"][name]}, {webhook["id"]: webhook["secretKey"]})
        assert not is_signed(raw, {name: delivery["headers"][name]}, {"another": webhook["secretKey"]})


def test_a_secret_with_colons_and_umlauts_works():
    assert is_signed(b"x", sign(b"x", "w", "a:ü"), {"w": "a:ü"})


def test_keys_are_compared_whole():
    assert is_key("abc", "abc")
    assert not is_key("ab", "abc")
    assert not is_key("", "abc")


def test_the_recorded_hmac_of_our_calls_is_made():
    environ = {"ESPOCRM_API_KEY": API["hmac_vector"]["apiKey"], "ESPOCRM_HMAC_SECRET": API["hmac_vector"]["secretKey"]}
    exchange = next(each for each in API["exchanges"] if each["label"] == "hmac_auth_ok")
    headers = credentials(read(EspoCrmSettings, environ), "GET", "Lead")
    assert headers == {"X-Hmac-Authorization": exchange["request"]["headers"]["X-Hmac-Authorization"]}
    assert base64.b64decode(headers["X-Hmac-Authorization"]).decode().startswith(environ["ESPOCRM_API_KEY"] + ":")


def test_without_an_hmac_secret_the_key_itself_is_shown():
    assert credentials(read(EspoCrmSettings, {"ESPOCRM_API_KEY": "k"}), "GET", "Lead") == {"X-Api-Key": "k"}


def test_what_is_no_key_at_all_is_refused_without_a_fuss():
    assert not is_key("\udcff", "abc")


def test_a_header_with_stray_characters_or_of_any_length_proves_nothing():
    signature = sign(b"x", "w", "geheim")["Signature"]
    assert is_signed(b"x", {"Signature": signature}, {"w": "geheim"})
    assert not is_signed(b"x", {"Signature": f"!{signature}"}, {"w": "geheim"})
    longest, longer = "w" * 319, "w" * 320
    assert is_signed(b"x", {"Signature": sign(b"x", longest, "geheim")["Signature"]}, {longest: "geheim"})
    assert not is_signed(b"x", {"Signature": sign(b"x", longer, "geheim")["Signature"]}, {longer: "geheim"})
