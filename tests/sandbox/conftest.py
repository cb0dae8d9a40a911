"""Give the tests of the Google double the real client library, speaking to it over HTTP."""

import httplib2
import pytest
from google.oauth2 import service_account
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build

from sandbox.google import Google, write_service_account
from sandbox.server import serve

CALENDAR_SCOPE = "https://www.googleapis.com/auth/calendar"
OWNER = "kanzlei@kanzlei.example"


class Clock:
    """Go on only when a test says so."""

    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture(scope="session")
def account(tmp_path_factory):
    return write_service_account(tmp_path_factory.mktemp("google") / "sa.json", "http://127.0.0.1:1/token")


@pytest.fixture
def google(account):
    double = Google(quota_per_minute=None)
    double.check_answers = True
    double.office.trust(account)
    with serve(double) as server:
        double.url = server.url
        double.account = {**account, "token_uri": f"{server.url}/token"}
        yield double


@pytest.fixture
def client(google):
    return connect(google)


@pytest.fixture
def calendar_id(google):
    return google.add_calendar("AW-SB", OWNER, timeZone="Europe/Berlin")


def credentials(google, subject=OWNER, scopes=(CALENDAR_SCOPE,)):
    return service_account.Credentials.from_service_account_info(google.account, scopes=scopes, subject=subject)


def connect(google, subject=OWNER, scopes=(CALENDAR_SCOPE,)):
    http = AuthorizedHttp(credentials(google, subject, scopes), http=httplib2.Http(timeout=10))
    options = {"api_endpoint": f"{google.url}/calendar/v3/"}
    return build("calendar", "v3", http=http, client_options=options, cache_discovery=False, static_discovery=True)
