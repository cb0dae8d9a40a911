"""The token service of the Advoware double, over HTTP."""

from datetime import UTC, datetime, timedelta

import pytest
import requests

from sandbox.advoware import Account, Advoware, Paths, Visitor, fresh_body
from sandbox.faults import Fault
from sandbox.server import serve


class Office:
    """An Advoware behind its address, with a clock that tests can turn."""

    def __init__(self):
        self.now = datetime(2026, 11, 24, 4, tzinfo=UTC)
        self.advoware = Advoware(clock=lambda: self.now)
        self.account = self.advoware.account
        self.url = ""

    def login(self, **changes):
        body = {**fresh_body(self.account, self.now), **changes}
        return requests.post(f"{self.url}/api/v1/Token", json=body, timeout=5)

    def status_with(self, token):
        return requests.get(
            f"{self.url}/employees", headers={"Authorization": f"Bearer {token}"}, timeout=5
        ).status_code


@pytest.fixture
def office():
    office = Office()
    with serve(office.advoware) as server:
        office.url = server.url
        yield office


def test_a_signed_request_gets_a_token_that_opens_the_api(office):
    answer = office.login().json()
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == 3600
    assert office.status_with(answer["access_token"]) == 200


def test_without_a_token_the_api_answers_401_in_json(office):
    answer = requests.get(f"{office.url}/employees", timeout=5)
    assert answer.status_code == 401
    assert answer.json()["error"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HMAC512Signature", "d3Jvbmc="),
        ("Password", "falsch"),
        ("User", "jemand"),
        ("AppID", "other"),
        ("Kanzlei", "andere"),
        ("Database", "TEST"),
        ("Role", "2"),
        ("Product", 65),
        ("Nonce", None),
        ("RequestTimeStamp", "2026-11-24T04:00:00Z"),
    ],
)
def test_one_wrong_field_is_refused_with_401_in_json(office, name, value):
    answer = office.login(**{name: value})
    assert answer.status_code == 401
    assert name in answer.json()["error"] or "Signature" in answer.json()["error"]
    assert office.advoware.tokens.failed_logins == 1


def test_a_signature_with_another_key_is_refused(office):
    body = fresh_body(Account(api_key="YW5vdGhlcg=="), office.now)
    assert requests.post(f"{office.url}/api/v1/Token", json=body, timeout=5).status_code == 401


def test_a_nonce_is_taken_once(office):
    body = fresh_body(office.account, office.now)
    answers = [requests.post(f"{office.url}/api/v1/Token", json=body, timeout=5).status_code for _ in range(2)]
    assert answers == [200, 401]


@pytest.mark.parametrize(("minutes", "status"), [(-11, 401), (-9, 200), (9, 200), (11, 401)])
def test_a_timestamp_may_be_ten_minutes_off(office, minutes, status):
    stale = fresh_body(office.account, office.now + timedelta(minutes=minutes))
    assert office.login(**stale).status_code == status


def test_a_token_ends_after_its_lifetime(office):
    office.advoware.tokens.lifetime_s = 60
    token = office.login().json()["access_token"]
    office.now += timedelta(seconds=59)
    assert office.status_with(token) == 200
    office.now += timedelta(seconds=1)
    assert office.status_with(token) == 401


def test_two_tokens_live_side_by_side_unless_a_new_one_ends_the_old(office):
    first, second = (office.login().json()["access_token"] for _ in range(2))
    assert [office.status_with(first), office.status_with(second)] == [200, 200]
    office.advoware.tokens.new_token_ends_old = True
    third = office.login().json()["access_token"]
    assert [office.status_with(first), office.status_with(third)] == [401, 200]


def test_revoking_ends_all_tokens(office):
    token = office.login().json()["access_token"]
    office.advoware.revoke_all()
    assert office.status_with(token) == 401


def test_failed_logins_lock_the_account_until_support_opens_it(office):
    office.advoware.tokens.lock_after = 2
    assert [office.login(Password="x").status_code for _ in range(2)] == [401, 401]
    assert office.advoware.tokens.locked
    assert office.login().status_code == 401
    office.advoware.tokens.unlock()
    assert office.login().status_code == 200
    assert office.advoware.tokens.failed_logins == 0


def test_token_requests_are_counted(office):
    office.login()
    office.login(Password="x")
    assert (office.advoware.tokens.requests, office.advoware.tokens.issued) == (2, 1)
    assert office.advoware.board.count("POST", "/api/v1/Token") == 2


def test_a_fault_reaches_the_token_service_too(office):
    office.advoware.board.add(Fault("status", path="Token", status=503, headers={"Retry-After": "70"}))
    assert office.login().headers["Retry-After"] == "70"
    assert office.login().status_code == 200


def test_the_settings_it_names_lead_to_it(office):
    env = office.advoware.env(office.url)
    assert requests.post(env["ADVOWARE_AUTH_URL"], json=fresh_body(office.account, office.now), timeout=5).ok
    assert env["ADVOWARE_API_BASE_URL"] == office.url + "/"


def test_paths_are_configurable():
    advoware = Advoware(paths=Paths(employees="api/v1/Mitarbeiter"))
    with serve(advoware) as server:
        visitor = Visitor(advoware, server.url)
        assert visitor.get("api/v1/Mitarbeiter").json() == []
        assert visitor.get("employees").status_code == 404


def test_the_discovery_names_the_endpoints(office):
    answer = requests.get(
        f"{office.url}/AdvonetConfigurator/api/Url", params={"Kanzlei": office.account.kanzlei}, timeout=5
    ).json()
    assert answer["securityGateway"] == office.url
    assert answer["connectorUrl"] == office.url + "/"
