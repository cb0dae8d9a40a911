"""What Advoware's client makes of answers."""

from datetime import UTC, datetime

import pytest
import requests
from scripted import HTML, MemoryTokens, Script, answer

from shared import log
from shared.advoware.client import AdvowareClient, berlin_wall
from shared.advoware.employee import Employee
from shared.advoware.errors import NoTokenError
from shared.errors import (
    NotConfiguredError,
    UpstreamAuthenticationError,
    UpstreamMalformedError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from shared.http import HttpClient
from shared.settings.advoware import AdvowareSettings
from shared.settings.base import read
from shared.state.token import TokenUnavailable

ENVIRONMENT = {
    "ADVOWARE_API_BASE_URL": "https://advoware.example/api",
    "ADVOWARE_APP_ID": "app",
    "ADVOWARE_API_KEY": "YWJj",
    "ADVOWARE_KANZLEI": "k",
    "ADVOWARE_USER": "u",
    "ADVOWARE_PASSWORD": "p",
    "ADVOWARE_APPOINTMENTS_PATH": "/api/v1/Termine/",
}
START, END = datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC)


class Wired:
    """A client, its script and its tokens."""

    def __init__(self, *answers, tokens=None, environment=None):
        self.script = Script(*answers)
        self.tokens = tokens or MemoryTokens()
        http = HttpClient("advoware", 30, session=self.script.session(), sleep=lambda _: None)
        self.client = AdvowareClient(read(AdvowareSettings, environment or ENVIRONMENT), http, self.tokens)

    @property
    def sent(self):
        return self.script.sent


def test_a_call_carries_the_token_and_the_request_id():
    wired = Wired(answer(200, {}))
    with log.bound(request_id="req-7"):
        wired.client.authorized("GET", "akten", params={"search": "a b"})
    (sent,) = wired.sent
    assert sent.url == "https://advoware.example/api/akten?search=a+b"
    assert sent.headers["Authorization"] == "Bearer token-1"
    assert sent.headers["Accept"] == "application/json"
    assert sent.headers["X-Request-ID"] == "req-7"


def test_without_a_request_there_is_no_request_id():
    wired = Wired(answer(200, {}))
    wired.client.authorized("GET", "akten")
    assert "X-Request-ID" not in wired.sent[0].headers


def test_a_revoked_token_is_replaced_and_the_call_replayed_once():
    wired = Wired(answer(401), answer(201, {"frNr": 1}))
    assert wired.client.create_appointment({"text": "x"}) == {"frNr": 1}
    assert [sent.headers["Authorization"] for sent in wired.sent] == ["Bearer token-1", "Bearer token-2"]
    assert wired.tokens.refused == ["token-1"]
    assert wired.sent[1].body == wired.sent[0].body


def test_a_second_401_is_an_error_and_a_cooldown():
    wired = Wired(answer(401))
    with pytest.raises(UpstreamAuthenticationError) as caught:
        wired.client.employees()
    assert len(wired.sent) == 2
    assert wired.tokens.cooldowns == [30]
    assert caught.value.retry_after_s == 30


def test_a_refused_login_is_a_cooldown_too():
    wired = Wired(answer(401), tokens=MemoryTokens(fetches=True))
    with pytest.raises(UpstreamAuthenticationError):
        wired.client.employees()
    assert len(wired.sent) == 1
    assert wired.tokens.cooldowns == [30]


def test_no_token_is_an_error_that_says_nothing_was_sent():
    class Cooling(MemoryTokens):
        def get(self, fetch):
            raise TokenUnavailable(12.2)

    wired = Wired(HTML, tokens=Cooling())
    with pytest.raises(NoTokenError) as caught:
        wired.client.create_appointment({})
    assert caught.value.retry_after_s == 13
    assert not wired.sent


def test_a_missing_setting_is_named():
    wired = Wired(HTML, environment={**ENVIRONMENT, "ADVOWARE_KANZLEI": ""})
    with pytest.raises(NotConfiguredError, match="ADVOWARE_KANZLEI"):
        wired.client.employees()


def test_employees_are_the_active_ones_that_fit():
    rows = [
        {"kuerzel": "SB", "name": "Berger", "vorname": "Sabine", "email": " s@k.example ", "aktiv": True},
        {"kuerzel": "ÄÖ1", "name": None},
        {"kuerzel": "AA", "aktiv": False},
        {"kuerzel": "zu-lang"},
        {"kuerzel": "ABCDEFGHIJK"},
        {"kuerzel": "*"},
        {"kuerzel": ""},
        {"kuerzel": "SB", "name": "zweimal"},
        {"name": "ohne"},
        "kein Objekt",
    ]
    assert Wired(answer(200, rows)).client.employees() == [
        Employee("SB", "Berger", "Sabine", "s@k.example"),
        Employee("ÄÖ1"),
    ]


def test_a_list_of_nothing_but_odd_employees_is_malformed():
    with pytest.raises(UpstreamMalformedError):
        Wired(answer(200, [{"initialen": "SB"}])).client.employees()


@pytest.mark.parametrize("rows", [[], [{"kuerzel": "AA", "aktiv": False}]])
def test_nobody_active_is_an_empty_list(rows):
    assert Wired(answer(200, rows)).client.employees() == []


def test_appointments_are_asked_for_in_berlin_time():
    wired = Wired(answer(200, [{"frNr": 1, "unbekannt": {"a": 1}}, {"frNr": "S-2"}, {"frNr": -3}]))
    assert wired.client.appointments("SÖ", START, END) == [
        {"frNr": 1, "unbekannt": {"a": 1}},
        {"frNr": "S-2"},
        {"frNr": -3},
    ]
    assert wired.sent[0].url == (
        "https://advoware.example/api/api/v1/Termine"
        "?kuerzel=S%C3%96&from=2026-10-25T00%3A00%3A00&to=2026-10-26T00%3A00%3A00"
    )


def test_a_moment_without_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        berlin_wall(datetime(2026, 1, 1))


UNUSABLE = [
    HTML,
    answer(200),
    answer(200, "[{", "application/json"),
    answer(200, {"error": "later"}),
    answer(200, "null", "application/json"),
    answer(200, [1]),
    answer(200, [{}]),
    answer(200, [{"frNr": None}]),
    answer(200, [{"frNr": True}]),
    answer(200, [{"frNr": 1.5}]),
    answer(200, [{"frNr": ""}]),
    answer(200, [{"frNr": 1}, {"frNr": 1}]),
    answer(200, [{"frNr": 1}, {"frNr": "1"}]),
    answer(302, None, Location="/login"),
    answer(204),
]


@pytest.mark.parametrize("bad", UNUSABLE)
def test_an_unusable_list_is_never_an_empty_one(bad):
    with pytest.raises(UpstreamMalformedError):
        Wired(bad).client.appointments("SB", START, END)


def test_a_list_is_asked_for_again_when_the_relay_is_busy():
    wired = Wired(answer(503), requests.ConnectionError(), answer(200, []))
    assert wired.client.appointments("SB", START, END) == []
    assert len(wired.sent) == 3


def test_a_long_pause_asked_for_is_handed_on():
    wired = Wired(answer(503, None, Retry_After="70"))
    with pytest.raises(UpstreamUnavailableError) as caught:
        wired.client.appointments("SB", START, END)
    assert (caught.value.retry_after_s, len(wired.sent)) == (70, 1)


def test_one_appointment_is_read_by_its_number():
    wired = Wired(answer(200, {"frNr": 5}))
    assert wired.client.appointment(5) == {"frNr": 5}
    assert wired.sent[0].url.endswith("/api/v1/Termine/5")


def test_a_symbolic_number_cannot_leave_its_path():
    wired = Wired(answer(404))
    wired.client.appointment("../x?y")
    assert wired.sent[0].url.endswith("/api/v1/Termine/..%2Fx%3Fy")


@pytest.mark.parametrize("gone", [answer(404), answer(404, {"error": "none"})])
def test_advowares_own_404_means_gone(gone):
    assert Wired(gone).client.appointment(5) is None
    assert Wired(gone).client.delete_appointment(5) is False


@pytest.mark.parametrize("page", [answer(404, "<html>", "text/html"), answer(404, "{", "application/json")])
def test_a_page_with_404_does_not_mean_gone(page):
    with pytest.raises(UpstreamMalformedError):
        Wired(page).client.appointment(5)
    with pytest.raises(UpstreamMalformedError):
        Wired(page).client.delete_appointment(5)


@pytest.mark.parametrize("bad", [HTML, answer(200), answer(200, []), answer(200, {"frNr": 6}), answer(204)])
def test_anything_but_the_very_appointment_is_malformed(bad):
    with pytest.raises(UpstreamMalformedError):
        Wired(bad).client.appointment(5)


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (answer(403), UpstreamRejectedError),
        (answer(410), UpstreamRejectedError),
        (answer(500), UpstreamUnavailableError),
        (answer(429), UpstreamUnavailableError),
        (requests.Timeout(), UpstreamTimeoutError),
    ],
)
def test_trouble_does_not_mean_gone(trouble, error):
    with pytest.raises(error):
        Wired(trouble).client.appointment(5)


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (requests.Timeout(), UpstreamTimeoutError),
        (requests.ConnectionError(), UpstreamUnavailableError),
        (answer(503), UpstreamUnavailableError),
        (answer(400), UpstreamRejectedError),
        (HTML, UpstreamMalformedError),
        (answer(201), UpstreamMalformedError),
        (answer(201, {"id": 1}), UpstreamMalformedError),
    ],
)
def test_an_entry_is_never_sent_twice(trouble, error):
    wired = Wired(trouble)
    with pytest.raises(error):
        wired.client.create_appointment({"text": "x"})
    assert len(wired.sent) == 1


@pytest.mark.parametrize(
    ("reply", "result"), [(answer(200, {"frNr": 5}), {"frNr": 5}), (answer(204), None), (answer(200), None)]
)
def test_an_update_answers_the_object_or_nothing(reply, result):
    assert Wired(reply).client.update_appointment(5, {"frNr": 5}) == result


@pytest.mark.parametrize("method", ["update", "delete"])
def test_a_page_instead_of_an_answer_is_no_success(method):
    client = Wired(HTML).client
    with pytest.raises(UpstreamMalformedError):
        client.update_appointment(5, {}) if method == "update" else client.delete_appointment(5)


@pytest.mark.parametrize("reply", [answer(200), answer(204), answer(200, {"deleted": True})])
def test_a_deletion_says_that_it_deleted(reply):
    assert Wired(reply).client.delete_appointment(5) is True
