"""Fetching a token from Advoware."""

import json
import uuid

import pytest
import requests
from scripted import HTML, Script, answer

from shared import metrics
from shared.advoware.auth import fetch_token
from shared.errors import (
    NotConfiguredError,
    UpstreamAuthenticationError,
    UpstreamMalformedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from shared.http import HttpClient
from shared.settings.advoware import AdvowareSettings
from shared.settings.base import read

ENVIRONMENT = {
    "ADVOWARE_APP_ID": "app",
    "ADVOWARE_API_KEY": "YWJj",
    "ADVOWARE_KANZLEI": "k",
    "ADVOWARE_USER": "u",
    "ADVOWARE_PASSWORD": "p",
}


def fetch(*answers, environment=None):
    script = Script(*answers)
    http = HttpClient("advoware", 30, session=script.session(), sleep=lambda _: None)
    return fetch_token(read(AdvowareSettings, ENVIRONMENT if environment is None else environment), http), script


def test_a_token_comes_with_the_life_it_announces():
    token, _ = fetch(answer(200, {"access_token": "t.o-k", "expires_in": 1800}))
    assert (token.value, token.life_s) == ("t.o-k", 1800)


@pytest.mark.parametrize("expires", [None, 0, -5, True, "soon", [1]])
def test_an_unreadable_life_counts_as_unknown(expires):
    assert fetch(answer(200, {"access_token": "t", "expires_in": expires}))[0].life_s is None


def test_a_life_spelled_as_text_is_understood():
    assert fetch(answer(200, {"access_token": "t", "expires_in": "1800"}))[0].life_s == 1800


def test_every_request_has_a_nonce_of_its_own():
    nonces = set()
    for _ in range(3):
        _, script = fetch(answer(200, {"access_token": "t"}))
        nonces.add(uuid.UUID(json.loads(script.sent[0].body)["Nonce"]))
    assert len(nonces) == 3


@pytest.mark.parametrize(
    "bad",
    [
        HTML,
        answer(200, "{", "application/json"),
        answer(200, ["t"]),
        answer(200, {}),
        answer(200, {"access_token": ""}),
        answer(200, {"access_token": 5}),
        answer(200, {"access_token": "a\r\nX: y"}),
        answer(200),
        answer(302, None, Location="https://elsewhere.example/"),
    ],
)
def test_an_answer_without_a_usable_token_is_malformed(bad):
    with pytest.raises(UpstreamMalformedError):
        fetch(bad)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_login_is_an_authentication_error(status):
    with pytest.raises(UpstreamAuthenticationError):
        fetch(answer(status, {"error": "no"}))


@pytest.mark.parametrize(
    ("failure", "error"),
    [(requests.Timeout(), UpstreamTimeoutError), (requests.ConnectionError(), UpstreamUnavailableError)],
)
def test_a_login_is_never_repeated(failure, error):
    script = Script(failure)
    http = HttpClient("advoware", 30, session=script.session())
    with pytest.raises(error):
        fetch_token(read(AdvowareSettings, ENVIRONMENT), http)
    assert len(script.sent) == 1


def test_a_missing_setting_is_named_before_anything_is_sent():
    with pytest.raises(NotConfiguredError, match="ADVOWARE_API_KEY, ADVOWARE_PASSWORD"):
        fetch(HTML, environment={**ENVIRONMENT, "ADVOWARE_API_KEY": "", "ADVOWARE_PASSWORD": " "})


def test_each_token_is_counted():
    count = metrics.TOKEN_REFRESHES.labels("advoware")._value
    before = count.get()
    fetch(answer(200, {"access_token": "t"}))
    assert count.get() == before + 1


class Patience(Script):
    """Remembers how long each call may take."""

    def send(self, request, **how):
        self.timeout = how["timeout"]
        return super().send(request, **how)


@pytest.mark.parametrize(("usual_s", "here_s"), [(30, 8.0), (9, 8.0), (3, 3)])
def test_a_login_is_a_quick_post_that_wants_json(usual_s, here_s):
    script = Patience(answer(200, {"access_token": "t"}))
    http = HttpClient("advoware", usual_s, session=script.session())
    fetch_token(read(AdvowareSettings, ENVIRONMENT), http)
    [sent] = script.sent
    assert (sent.method, sent.url) == ("POST", read(AdvowareSettings, {}).auth_url)
    assert sent.headers["Accept"] == "application/json"
    assert max(script.timeout if isinstance(script.timeout, tuple) else (script.timeout,)) == here_s


@pytest.mark.parametrize("status", [401, 403])
def test_who_was_refused_waits_half_a_minute(status):
    with pytest.raises(UpstreamAuthenticationError, match="advoware refuses the login") as caught:
        fetch(answer(status, {"error": "no"}))
    assert (caught.value.retry_after_s, caught.value.upstream_status) == (30, status)


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_token_service_in_trouble_is_no_malformed_answer(status):
    with pytest.raises(UpstreamUnavailableError):
        fetch(answer(status, {"access_token": "t"}))


@pytest.mark.parametrize(
    ("expires", "life_s"), [(1, 1.0), (0.5, 0.5), ("1", 1.0), ("0", None), ("-1", None), ("²", None)]
)
def test_a_life_is_any_number_above_nothing(expires, life_s):
    assert fetch(answer(200, {"access_token": "t", "expires_in": expires}))[0].life_s == life_s


@pytest.mark.parametrize("token", ["a b", "ä", "a\tb", "\x7f"])
def test_a_token_must_fit_a_header(token):
    with pytest.raises(UpstreamMalformedError, match="advoware answered no token"):
        fetch(answer(200, {"access_token": token}))


def test_what_is_missing_is_called_so():
    with pytest.raises(NotConfiguredError, match=r"^missing settings: ADVOWARE_KANZLEI$"):
        fetch(HTML, environment={**ENVIRONMENT, "ADVOWARE_KANZLEI": ""})
