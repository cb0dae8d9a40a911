"""Every bad answer at every call of every client, once, twice and for ever, on a clock that only waiting moves."""

from __future__ import annotations

import importlib
import inspect
import logging
import pkgutil
import traceback
from collections import Counter
from typing import Any

import pytest
import upstream_calls as calls
from upstream_calls import CALLS, CANARY, MAKERS, SILENT, TIMEOUT_S, TROUBLES, Call, Trouble, World

from functions.leads.crm import LeadCrm
from shared.advoware.client import AdvowareClient
from shared.advoware.parties import StaleError
from shared.errors import (
    IntegrationError,
    UpstreamAuthenticationError,
    UpstreamMalformedError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from shared.espocrm.client import EspoCrmClient
from shared.google.client import GoogleCalendar
from shared.threecx.login import Login
from shared.threecx.provider import NoDeviceError, RateLimitedError, UnknownOutcomeError
from shared.threecx.rest import RestProvider
from shared.threecx.v20 import V20Provider

ESPOCRM, PHONE = (EspoCrmClient, LeadCrm), (RestProvider, V20Provider)
RENEWING = (AdvowareClient, calls.Parties, GoogleCalendar, V20Provider)
AGAIN = {"502", "503", "504", "cut"}
REFUSED = {"400", "404", "409", "412", "422"}
GOOGLE_AGAIN = {"429", "429 with Retry-After", "500", "502", "503", "504", "cut", "timeout after the work"}
NOT_DONE = {"401", "429", "429 with Retry-After"}  # after these nobody has acted, so a repeat is no second deed
LONGEST_S = 5 * TIMEOUT_S + 4 * 60.0


SAYS_NOTHING = {"delete_event", "delete_calendar", "share", "stop"}  # the status of Google's answer is all there is


def most(call: Call, trouble: Trouble) -> int:
    """Say how often a call may be sent."""
    name = trouble.name
    if name == "401":
        return 2 if call.owner in RENEWING else 1
    if call.owner is GoogleCalendar:
        again = GOOGLE_AGAIN if call.repeatable else NOT_DONE - {"401"}
        return 5 if name in again else 1
    return 3 if call.method == "GET" and name in AGAIN and not call.streams else 1


def expected(call: Call, trouble: Trouble) -> tuple[type[BaseException], ...]:
    """Say which errors a trouble that does not end may become; `NoneType` means an answer instead of an error."""
    name, owner = trouble.name, call.owner
    if owner in PHONE and call.name == "initiate":
        return _of_initiate(owner, name)
    if owner in PHONE and name.startswith("429"):
        return (RateLimitedError,)
    if owner in (None, Login) and name in {"400", "401", "403"}:
        return (
            (UpstreamAuthenticationError,)
            if (owner, name) != (None, "400")
            else (UpstreamRejectedError, UpstreamAuthenticationError)
        )
    if name == "401":
        return (UpstreamAuthenticationError,)
    if name == "403":
        locked_out = owner in ESPOCRM and call.name not in {"erase", "take_off_list"}  # a lock-out looks like a refusal
        return (UpstreamUnavailableError,) if locked_out else (UpstreamRejectedError,)
    if name in REFUSED:
        return _of_refused(call, name)
    if name == "half" and owner is GoogleCalendar and call.name in SAYS_NOTHING:
        return (type(None),)
    if name in {"html", "half"}:
        return (UpstreamMalformedError,)
    return (UpstreamTimeoutError,) if name.startswith("timeout") else (UpstreamUnavailableError,)


def _of_initiate(owner: Any, name: str) -> tuple[type[BaseException], ...]:
    if name.startswith("429"):
        return (RateLimitedError,)
    if name == "401":
        return (UpstreamAuthenticationError,)
    if name == "404" and owner is V20Provider:
        return (NoDeviceError,)
    return (UpstreamRejectedError,) if name in REFUSED | {"403"} else (UnknownOutcomeError,)


GONE_IS_AN_ANSWER = {
    "AdvowareClient": {"appointment", "delete_appointment"},
    "Parties": {"read", "delete"},
    "EspoCrmClient": {"read", "delete"},
    "GoogleCalendar": {"get_event", "delete_event", "delete_calendar", "stop"},
    "RestProvider": {"status", "recording", "erase"},
    "V20Provider": {"recording", "erase"},
}


def _of_refused(call: Call, name: str) -> tuple[type[BaseException], ...]:
    owner = call.owner.__name__ if call.owner else ""
    if name == "404" and call.name in GONE_IS_AN_ANSWER.get(owner, ()):
        return (type(None),)
    if (owner, call.name, name) == ("Parties", "replace", "409"):
        return (StaleError,)
    return (UpstreamRejectedError,)


def attempt(call: Call, world: World) -> tuple[Any, BaseException | None]:
    """Make a call; give its answer or its error."""
    world.token_is_the_call = call.owner in (None, Login)
    client = MAKERS[call.owner](world) if call.owner else world
    try:
        return call.make(client), None
    except Exception as error:  # noqa: BLE001 - which one it is, is the question
        return None, error


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.id)
def test_every_call_is_answered_when_all_is_well(call: Call) -> None:
    world = World()
    _, error = attempt(call, world)
    assert error is None
    assert world.asked[0][0] == call.method
    assert world.now == 1000.0


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.name)
@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.id)
def test_a_trouble_becomes_its_error_after_so_many_attempts_and_shows_nothing(
    call: Call, trouble: Trouble, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for times in (1, 2, None):
        world = World(trouble, times)
        _, error = attempt(call, world)
        sent, case = most(call, trouble), (call.id, trouble.name, times, error, world.asked)
        healed = times is not None and times < sent
        if not call.composite:
            assert len(world.asked) == (times + 1 if healed else sent), case
            assert isinstance(error, (type(None),) if healed else expected(call, trouble)), case
        assert error is None or isinstance(error, IntegrationError | StaleError), case
        assert world.now - 1000.0 <= LONGEST_S, case
        writes = Counter(each for each in world.asked if each[0] == "POST")
        own_id = call.owner is GoogleCalendar and call.repeatable  # a repeat of these is the same deed
        assert own_id or trouble.name in NOT_DONE or max(writes.values(), default=0) <= 1, case
        told = "".join(traceback.format_exception(error)) if error else ""
        assert CANARY not in f"{error!r} {error}", case
        assert CANARY not in told.replace("no end: " + CANARY, ""), case
        assert CANARY not in caplog.text, case


@pytest.mark.parametrize("call", [c for c in CALLS if c.owner in RENEWING], ids=lambda call: call.id)
def test_a_refused_token_is_renewed_once_and_then_the_account_is_left_alone(call: Call) -> None:
    world = World(next(each for each in TROUBLES if each.name == "401"))
    client = MAKERS[call.owner](world)
    for _ in range(3):
        with pytest.raises(IntegrationError):
            call.make(client)
    assert world.tokens_asked <= (2 if call.owner is not GoogleCalendar else 6)
    assert len(world.asked) == (2 if call.owner is not GoogleCalendar else 6)
    if call.owner is GoogleCalendar:
        assert client._sender.tokens.cooled  # the real cache then answers nobody


def test_no_client_and_no_call_is_missing() -> None:
    there = {
        (owner, name)
        for owner in MAKERS
        for name, each in vars(owner).items()
        if not name.startswith("_") and inspect.isfunction(each)
    }
    tried = {(call.owner, call.name) for call in CALLS if call.owner}
    assert there == tried | SILENT
    assert (len(CALLS), len(TROUBLES)) == (67, 18)


def test_no_class_that_is_given_a_connection_is_missing() -> None:
    known = {each.__name__ for each in MAKERS} | {
        "Sender",  # Google's, under GoogleCalendar
        "Wire",
        "Transport",
        "Firm",  # over AdvowareClient and Parties
        "Bridge",  # reads with Login; its own tests break the socket
        "Teller",  # calls our own webhook
        "Caller",  # calls our own telephone function
        "HttpClient",
        "Deps",  # holders of clients
        "People",
        "_Remembered",
    }
    found = set()
    for package in ("shared", "functions"):
        for info in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if info.name.endswith("__main__") or info.name == "functions.gunicorn_conf":
                continue
            module = importlib.import_module(info.name)
            for name, each in vars(module).items():
                if inspect.isclass(each) and each.__module__ == info.name:
                    text = str(getattr(each.__init__, "__annotations__", {}))
                    if any(word in text for word in ("HttpClient", "requests.Session", "AdvowareClient")):
                        found.add(name)
    assert found <= known, found - known
