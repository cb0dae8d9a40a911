"""Access tokens are issued for signed requests only."""

import time

import google.auth.exceptions
import google.auth.transport.requests
import pytest
import requests
from google.auth import crypt, jwt
from googleapiclient.errors import HttpError

from sandbox.google import write_service_account

SCOPE = "https://www.googleapis.com/auth/calendar"


@pytest.fixture
def exchange(google):
    """Sign claims, some of them changed, and ask for a token."""

    def call(account=None, grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer", **changes):
        account, now = account or google.account, int(time.time())
        claims = {"iss": account["client_email"], "aud": account["token_uri"], "iat": now, "exp": now + 3600}
        claims |= {"scope": SCOPE, **changes}
        signer = crypt.RSASigner.from_service_account_info(account)
        form = {"grant_type": grant_type, "assertion": jwt.encode(signer, claims).decode()}
        return requests.post(f"{google.url}/token", data=form, timeout=5)

    return call


def test_a_signed_request_gets_a_token_for_an_hour(exchange):
    answer = exchange().json()
    assert answer.keys() == {"access_token", "expires_in", "token_type"}
    assert answer["expires_in"] == 3599


def test_the_audience_may_be_googles_own(exchange):
    assert exchange(aud="https://oauth2.googleapis.com/token").ok


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"aud": "https://example.org/token"}, "invalid_grant"),
        ({"iss": "somebody@else.example"}, "invalid_grant"),
        ({"iat": 1_000_000_000, "exp": 1_000_003_600}, "invalid_grant"),
        ({"exp": int(time.time()) + 90_000}, "invalid_grant"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_a_wrong_request_gets_no_token(exchange, changes, error):
    answer = exchange(**changes)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_a_foreign_signature_gets_no_token(google, exchange, tmp_path):
    forged = write_service_account(tmp_path / "sa.json", google.account["token_uri"])
    forged["private_key_id"] = google.account["private_key_id"]
    assert exchange(forged).json()["error_description"] == "Invalid JWT Signature."


def test_garbage_gets_no_token(google):
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "a.b"}
    assert requests.post(f"{google.url}/token", data=form, timeout=5).json()["error"] == "invalid_request"
    assert requests.get(f"{google.url}/token", timeout=5).status_code == 405


def test_only_delegated_subjects_are_impersonated(google, connect):
    google.office.subjects = {"kanzlei@kanzlei.example"}
    connect().calendarList().list().execute()
    with pytest.raises(google_auth_error(), match="unauthorized_client"):
        connect("chef@kanzlei.example").calendarList().list().execute()


def google_auth_error():
    return google.auth.exceptions.RefreshError


def test_a_key_file_keeps_its_key_when_written_again(tmp_path):
    first = write_service_account(tmp_path / "deep" / "sa.json", "http://127.0.0.1:1/token")
    second = write_service_account(tmp_path / "deep" / "sa.json", "http://127.0.0.1:2/token")
    assert second == {**first, "token_uri": "http://127.0.0.1:2/token"}
    assert (tmp_path / "deep" / "sa.json").stat().st_mode & 0o777 == 0o600


def test_without_a_good_token_every_call_is_401(google):
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic eDp5"}):
        answer = requests.get(f"{google.url}/calendar/v3/users/me/calendarList", headers=headers, timeout=5)
        assert (answer.status_code, answer.json()["error"]["errors"][0]["reason"]) == (401, "authError")


def test_a_revoked_token_is_replaced_by_the_client(google, client):
    client.calendarList().list().execute()
    google.office.revoke_all()
    client.calendarList().list().execute()
    assert google.office.issued == 2
    assert [call.status for call in google.board.calls if "calendarList" in call.path] == [200, 401, 200]


def test_a_token_ends(google, exchange):
    google.office.token_ttl_s = -1
    token = exchange().json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{google.url}/calendar/v3/colors", headers=headers, timeout=5).status_code == 401


def test_a_token_opens_only_what_its_scope_names(connect):
    reader = connect(scopes=["https://www.googleapis.com/auth/calendar.readonly"])
    reader.calendarList().list().execute()
    with pytest.raises(HttpError) as caught:
        reader.calendars().insert(body={"summary": "AW-SB"}).execute()
    assert (caught.value.resp.status, caught.value.error_details[0]["reason"]) == (403, "insufficientPermissions")
