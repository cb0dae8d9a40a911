"""What the HTTP client tells about an upstream: good answers and failures, but nothing about single records."""

import contextlib

import pytest
import requests

from shared.errors import UpstreamTimeoutError, UpstreamUnavailableError
from shared.http import HttpClient


class Script:
    """A session that answers once, with a status or an error."""

    def __init__(self, outcome):
        self.outcome = outcome

    def request(self, *_args, **_parts):
        if isinstance(self.outcome, Exception):
            raise self.outcome
        answer = requests.Response()
        answer.status_code = self.outcome
        return answer


def heard(outcome) -> list[tuple[str, str]]:
    told = []
    client = HttpClient(
        "advoware",
        1,
        session=Script(outcome),
        answered=lambda upstream, failure="": told.append((upstream, failure)),
        get_retries=0,
    )
    with contextlib.suppress(UpstreamTimeoutError, UpstreamUnavailableError):
        client.send("GET", "http://advoware.test/")
    return told


@pytest.mark.parametrize("status", [200, 204])
def test_a_good_answer_is_told(status):
    assert heard(status) == [("advoware", "")]


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_an_answer_that_speaks_of_the_upstream_is_a_failure(status):
    assert heard(status) == [("advoware", str(status))]


@pytest.mark.parametrize("status", [302, 404, 409, 412, 422])
def test_an_answer_that_speaks_of_one_record_says_nothing(status):
    assert heard(status) == []


@pytest.mark.parametrize(
    ("error", "why"), [(requests.ReadTimeout(), "timeout"), (requests.ConnectionError(), "unreachable")]
)
def test_no_answer_is_a_failure(error, why):
    assert heard(error) == [("advoware", why)]
