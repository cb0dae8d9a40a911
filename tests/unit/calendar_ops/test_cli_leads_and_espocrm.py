"""What only a person decides: releasing a lead, erasing a person; and setting EspoCRM up."""

from __future__ import annotations

import json
from pathlib import Path

import functions_framework
import pytest
from commands import Desk

from sandbox.espocrm import EspoCrm
from sandbox.server import serve
from shared.state import connection

SOURCE = str(Path(__file__).parents[3] / "functions" / "leads" / "main.py")
SPAM = {
    "typ": "vermieter",
    "vorname": "Anna",
    "nachname": "Gross",
    "email": "anna@example.org",
    "nachricht": "Mein Mieter hat gekündigt. Was nun?",
    "datenschutz": "1",
    "honeypot": "x",
}


@pytest.fixture
def office(desk: Desk) -> Desk:
    """An operator of a firm that takes leads."""
    desk.set(EVENT_TRANSPORT="redis", LEAD_ENCRYPTION_KEY="A" * 43 + "=")
    return desk


def test_a_lead_that_was_taken_for_spam_goes_on_after_a_release(office, redis_url):
    client = functions_framework.create_app("leads", SOURCE).test_client()
    lead = client.post("/api/leads/vermieterhelden", json=SPAM).json["id"]
    state = connection.connect(redis_url, 0)
    before = state.xlen("lead:queue")
    state.delete("lead:intake_pending")
    assert lead in office.good("leads", "release", lead)
    assert state.smembers("lead:intake_pending") == {lead}
    assert state.xlen("lead:queue") == before + 1


def test_an_unknown_lead_or_a_missing_key_is_one_line(office):
    assert "[not-found]" in office.bad(3, "leads", "release", "0" * 32)
    assert "[not-found]" in office.bad(3, "leads", "conflicts", "0" * 32)
    assert "[invalid-request]" in office.bad(2, "leads", "erase", "--phone", "12")
    office.set(LEAD_ENCRYPTION_KEY="")
    assert "LEAD_ENCRYPTION_KEY" in office.bad(4, "leads", "release", "0" * 32)


def test_the_webhooks_are_registered_once_and_the_line_for_the_settings_is_printed(desk):
    espocrm = EspoCrm()
    with serve(espocrm) as server:
        for name, value in espocrm.env(server.url).items():
            desk.set(**{name: value})
        out = desk.good("espocrm", "register", "--base-url", "https://api.example.org")
        assert out.count("registered") == 3
        (line,) = [each for each in out.splitlines() if each.startswith("ESPOCRM_WEBHOOK_SECRETS=")]
        assert desk.good("espocrm", "register", "--base-url", "https://api.example.org").splitlines()[-1] == line
        assert line.count(":") == 3
        assert levels(desk) == ["ok", "warn"]
        desk.set(ESPOCRM_WEBHOOK_SECRETS=line.partition("=")[2])
        assert levels(desk) == ["ok"]


@pytest.mark.parametrize(
    "address", ["kein url", "api.example.org", "https://", "https://api.example.org/?x=1", "ftp://x.y"]
)
def test_what_is_no_address_is_registered_nowhere(desk, address):
    espocrm = EspoCrm()
    with serve(espocrm) as server:
        for name, value in espocrm.env(server.url).items():
            desk.set(**{name: value})
        assert "expected an address" in desk.bad(2, "espocrm", "register", "--base-url", address)
    assert espocrm.records.all("Webhook") == []


def levels(desk: Desk) -> list[str]:
    """Give what the doctor thinks of EspoCRM."""
    found = json.loads(desk.call("doctor", "--json").stdout)["findings"]
    return [each["level"] for each in found if each["what"] == "espocrm"]


def test_a_lead_is_shown_and_a_consent_taken_back_and_proven(office):
    client = functions_framework.create_app("leads", SOURCE).test_client()
    lead = client.post("/api/leads/vermieterhelden", json=SPAM).json["id"]
    told = json.loads(office.good("leads", "show", lead))
    assert (told["id"], told["stand"], told["inhalt"]) == (lead, "angenommen", "aufbewahrt")
    office.good("leads", "withdraw", "--purpose", "werbung_telefon", "--phone", "0511 1234567")
    (proof,) = json.loads(office.good("leads", "consents", "--phone", "+49 511 1234567"))
    assert (proof["zweck"], proof["erteilt"]) == ("werbung_telefon", False)
    assert "[not-found]" in office.bad(3, "leads", "show", "0" * 32)
    for command in ("withdraw", "consents"):
        assert "[invalid-request]" in office.bad(2, "leads", command)
        assert "[invalid-request]" in office.bad(2, "leads", command, "--phone", "12")
