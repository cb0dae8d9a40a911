"""Advoware's client against the double, over HTTP."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import redis

from sandbox.faults import Fault
from shared.advoware.client import AdvowareClient
from shared.advoware.errors import NoTokenError
from shared.errors import (
    UpstreamAuthenticationError,
    UpstreamMalformedError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from shared.http import HttpClient
from shared.settings.advoware import AdvowareSettings
from shared.settings.base import read
from shared.state.token import TokenCache, TokenKeys

BERLIN = ZoneInfo("Europe/Berlin")
START, END = datetime(2026, 11, 1, tzinfo=BERLIN), datetime(2026, 12, 31, tzinfo=BERLIN)


def entered(advoware, **more):
    return advoware.create("SB", datum="2026-12-03", uhrzeitVon="09:30:00", uhrzeitBis="11:00:00", text="T", **more)


def test_a_hundred_cold_callers_cause_one_token_request(advoware, advoware_client, together):
    clients = [advoware_client() for _ in range(4)]
    found = together(lambda n: clients[n % 4].employees(), 100)
    assert advoware.tokens.requests == 1
    assert all([each.kuerzel for each in employees] == ["SB", "ÄÖ"] for employees in found)


def test_a_token_revoked_under_twenty_callers_is_fetched_once_and_no_call_fails(advoware, advoware_client, together):
    clients = [advoware_client() for _ in range(4)]
    fr_nr = entered(advoware)
    together(lambda n: clients[n % 4].appointment(fr_nr), 20)
    advoware.revoke_all()
    found = together(lambda n: clients[n % 4].appointment(fr_nr), 20)
    assert advoware.tokens.requests == 2
    assert all(each["frNr"] == fr_nr for each in found)


def test_a_token_that_ends_at_any_call_is_replaced(advoware, advoware_client):
    client = advoware_client()
    for number in range(6):
        if number % 2:
            advoware.revoke_all()
        fr_nr = client.create_appointment({"anwalt": "SB", "datum": "2026-12-03", "text": str(number)})["frNr"]
        assert client.appointment(fr_nr)["text"] == str(number)
    assert len(advoware.appointments()) == 6


def test_an_endless_401_ends_after_one_replay_and_then_nobody_asks(advoware, advoware_client):
    advoware.board.add(Fault("status", path="^/employees", status=401, times=None))
    client, other = advoware_client(), advoware_client()
    with pytest.raises(UpstreamAuthenticationError):
        client.employees()
    assert advoware.board.count("GET", "/employees") == 2
    assert advoware.tokens.requests == 2
    for each in (client, other):
        with pytest.raises(NoTokenError) as caught:
            each.employees()
        assert 25 <= caught.value.retry_after_s <= 30
    assert advoware.board.count("GET", "/employees") == 2


def test_a_wrong_password_is_tried_once_by_everybody_together(advoware, state, together):
    environment = {**advoware.env(advoware.url), "ADVOWARE_PASSWORD": "falsch"}
    settings = read(AdvowareSettings, environment)

    def attempt(_):
        client = AdvowareClient(settings, HttpClient("advoware", 5), TokenCache(state, TokenKeys.advoware()))
        with pytest.raises((UpstreamAuthenticationError, NoTokenError)):
            client.employees()

    together(attempt, 20)
    assert advoware.tokens.failed_logins <= 2
    assert not advoware.tokens.locked


def test_without_redis_a_process_works_with_a_token_of_its_own(advoware, together):
    class Down:
        def __getattr__(self, name):
            def refuse(*_, **__):
                raise redis.ConnectionError("refused")

            return refuse

    settings = read(AdvowareSettings, advoware.env(advoware.url))
    client = AdvowareClient(settings, HttpClient("advoware", 5), TokenCache(Down(), TokenKeys.advoware()))
    together(lambda _: client.employees(), 20)
    assert advoware.tokens.requests == 1


def test_an_appointment_lives_its_life(advoware, advoware_client):
    client = advoware_client()
    created = client.create_appointment(
        {"anwalt": "SB", "datum": "2026-12-03", "uhrzeitVon": "09:30:00", "text": "Größe ./. Maß", "extra": {"a": [1]}}
    )
    fr_nr = created["frNr"]
    assert client.appointments("SB", START, END) == [created]
    client.update_appointment(fr_nr, {**created, "ort": "AG Hannover"})
    changed = client.appointment(fr_nr)
    assert (changed["ort"], changed["extra"]) == ("AG Hannover", {"a": [1]})
    assert client.delete_appointment(fr_nr) is True
    assert client.delete_appointment(fr_nr) is False
    assert client.appointment(fr_nr) is None
    assert client.appointments("SB", START, END) == []


def test_the_window_is_berlins_whatever_zone_it_is_given_in(advoware, advoware_client):
    midnight = datetime(2026, 12, 3, tzinfo=BERLIN)
    advoware.create("SB", datum="2026-12-03", uhrzeitVon="00:00:00", uhrzeitBis="00:30:00")
    client = advoware_client()
    for zone in (BERLIN, UTC):
        day = midnight.astimezone(zone)
        assert len(client.appointments("SB", day, day + timedelta(minutes=10))) == 1
        assert client.appointments("SB", day - timedelta(hours=5), day) == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault("html"),
        Fault("cut", times=3),
        Fault("status", json={"error": "maintenance"}, status=200),
        Fault("status", text="", status=200),
        Fault("transform", transform=lambda rows: [{"nr": 1} for _ in rows]),
        Fault("transform", transform=lambda rows: rows + rows),
        Fault("status", status=302, headers={"Location": "/status/200"}),
        Fault("status", status=503, times=3),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
def test_a_spoilt_list_is_a_failure_and_never_an_empty_list(advoware, advoware_client, fault):
    fr_nr = entered(advoware)
    client = advoware_client()
    client.employees()
    fault.path = "^/appointments"
    advoware.board.add(fault)
    with pytest.raises((UpstreamMalformedError, UpstreamUnavailableError)):
        client.appointments("SB", START, END)
    advoware.board.clear()
    assert [row["frNr"] for row in client.appointments("SB", START, END)] == [fr_nr]


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "late", "cut"])
def test_an_entry_whose_answer_is_lost_is_sent_once_and_unknown(advoware, advoware_client, kind):
    client = advoware_client()
    client.employees()
    advoware.board.add(Fault(kind, method="POST", path="^/appointments"))
    with pytest.raises(UpstreamUnavailableError):
        client.create_appointment({"anwalt": "SB", "datum": "2026-12-03"})
    advoware.settle()
    assert advoware.board.count("POST", "/appointments") == 1
    assert len(advoware.appointments()) == (0 if kind == "drop_before" else 1)


def test_a_slow_answer_to_an_entry_is_a_timeout(advoware, advoware_client):
    client = advoware_client(timeout_s=0.3)
    client.employees()
    advoware.board.add(Fault("delay", method="POST", path="^/appointments", seconds=0.6))
    with pytest.raises(UpstreamTimeoutError):
        client.create_appointment({"anwalt": "SB", "datum": "2026-12-03"})


def test_a_refused_entry_was_not_made(advoware, advoware_client):
    with pytest.raises(UpstreamRejectedError):
        advoware_client().create_appointment({"anwalt": "SB", "datum": "morgen"})
    assert advoware.appointments() == []


def test_nothing_listens(advoware, advoware_client):
    client = advoware_client()
    advoware.board.add(Fault("drop_before", path="Token", times=None))
    with pytest.raises(UpstreamUnavailableError):
        client.employees()
    assert advoware.board.count("POST", "Token") == 1
