"""Give the tests of the Google double the real client library, speaking to it over HTTP."""

import time

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
    """Run like any clock, but ahead by what a test adds."""

    ahead = 0.0

    def __call__(self):
        return time.time() + self.ahead


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(scope="session")
def account(tmp_path_factory):
    return write_service_account(tmp_path_factory.mktemp("google") / "sa.json", "http://127.0.0.1:1/token")


@pytest.fixture(scope="session")
def signer(account):
    """Load the private key once: that takes longer than everything else here."""
    return service_account.Credentials.from_service_account_info(account)


@pytest.fixture
def google(account, clock):
    double = Google(quota_per_minute=None, clock=clock)
    double.check_answers = True
    double.office.trust(account)
    with serve(double) as server:
        double.url = server.url
        double.account = {**account, "token_uri": f"{server.url}/token"}
        yield double


@pytest.fixture
def connect(google, signer):
    """Build a client for a subject and scopes of its own."""

    def call(subject=OWNER, scopes=(CALENDAR_SCOPE,)):
        credentials = signer.with_subject(subject).with_scopes(scopes).with_token_uri(f"{google.url}/token")
        http = AuthorizedHttp(credentials, http=httplib2.Http(timeout=10))
        options = {"api_endpoint": f"{google.url}/calendar/v3/"}
        return build("calendar", "v3", http=http, client_options=options, cache_discovery=False)

    return call


@pytest.fixture
def client(connect):
    return connect()


@pytest.fixture
def calendar_id(google):
    return google.add_calendar("AW-SB", OWNER, timeZone="Europe/Berlin")
