"""Fetching a Google token with a service account's key."""

import json
import traceback

import pytest
import requests
from scripted import HTML, Script, answer

from sandbox.google import write_service_account
from shared.errors import (
    NotConfiguredError,
    UpstreamAuthenticationError,
    UpstreamMalformedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from shared.google.auth import SCOPE, fetch_token, subject_hash
from shared.http import HttpClient
from shared.settings.base import read
from shared.settings.calendar import GoogleSettings


@pytest.fixture(scope="module")
def key_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("key") / "account.json"
    write_service_account(path, "https://tokens.example/token")
    return path


def settings(path, subject=""):
    return read(GoogleSettings, {"GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH": str(path), "GOOGLE_CALENDAR_SUBJECT": subject})


def fetch(path, *answers, subject=""):
    script = Script(*answers)
    return fetch_token(settings(path, subject), HttpClient("google", 30, session=script.session())), script


def claims(script):
    import base64
    from urllib.parse import parse_qs

    part = parse_qs(script.sent[0].body)[b"assertion"][0].split(b".")[1]
    return json.loads(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)))


def test_the_token_comes_from_the_address_in_the_key_file(key_file):
    token, script = fetch(key_file, answer(200, {"access_token": "ya29.x", "expires_in": 3599}))
    assert script.sent[0].url == "https://tokens.example/token"
    assert token.value == "ya29.x"
    assert token.life_s == pytest.approx(3599, abs=5)
    assert claims(script)["scope"] == SCOPE
    assert "sub" not in claims(script)


def test_a_subject_is_impersonated(key_file):
    _, script = fetch(key_file, answer(200, {"access_token": "t", "expires_in": 60}), subject="chef@kanzlei.example")
    assert claims(script)["sub"] == "chef@kanzlei.example"


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_account_is_an_authentication_error_without_googles_words(key_file, status):
    refusal = answer(status, {"error": "invalid_grant", "error_description": "Geheim"})
    with pytest.raises(UpstreamAuthenticationError) as caught:
        fetch(key_file, refusal)
    assert "Geheim" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("bad", [HTML, answer(200, {}), answer(200), answer(200, []), answer(200, {"access_token": 1})])
def test_an_answer_without_a_token_is_malformed(key_file, bad):
    with pytest.raises(UpstreamMalformedError):
        fetch(key_file, bad)


@pytest.mark.parametrize(
    ("trouble", "error"),
    [(answer(503), UpstreamUnavailableError), (requests.Timeout(), UpstreamTimeoutError)],
)
def test_trouble_rises_at_once(key_file, trouble, error):
    script = Script(trouble)
    with pytest.raises(error):
        fetch_token(settings(key_file), HttpClient("google", 30, session=script.session()))
    assert len(script.sent) == 1


@pytest.mark.parametrize("content", [None, "", "{}", "no json", '{"client_email":"a","token_uri":"b"}', "[]", "\x00"])
def test_an_unreadable_key_file_is_named_by_its_setting(tmp_path, content):
    path = tmp_path / "key.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(NotConfiguredError, match="GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH") as caught:
        fetch(path, HTML)
    assert str(path) not in str(caught.value)


def test_a_missing_setting_is_named():
    with pytest.raises(NotConfiguredError, match="GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH"):
        fetch("", HTML)


def test_identities_have_tokens_of_their_own(key_file):
    hashes = {subject_hash(settings(key_file, subject)) for subject in ("", "a@k.example", "b@k.example")}
    assert len(hashes) == 3
    assert all("@" not in each and len(each) == 16 for each in hashes)
