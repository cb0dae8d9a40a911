"""Whose call it is: the map of extensions, else the address that the phone system gives, else the default user."""

import pytest
from threecx_rig import FALLBACK, OWNER, world

from sandbox.faults import Fault
from sandbox.server import serve
from sandbox.threecx import ThreeCxV20


def a_user(rig, address="anwalt@example.org", **more):
    fields = {"userName": address, "lastName": "A", "emailAddress": address, "isActive": True}
    return rig.espocrm.add("User", **{**fields, **more})


def owner(rig, **report) -> str:
    assert rig.report(**report).status_code == 200
    assert set(rig.work()) == {"done"}
    return rig.journalled()[-1]["assignedUserId"]


def test_who_is_in_no_map_is_found_by_the_address_that_the_template_tells(rig):
    user = a_user(rig)
    assert owner(rig, agent="140", agent_email="Anwalt@Example.org") == user


def test_the_map_wins_over_the_address(rig):
    a_user(rig)
    assert owner(rig, agent="102", agent_email="anwalt@example.org") == OWNER


@pytest.mark.parametrize("case", ["nobody has it", "two have it", "has left", "no address"])
def test_without_one_certain_user_it_is_the_default_one(rig, case):
    if case != "nobody has it":
        a_user(rig, isActive=case != "has left")
    if case == "two have it":
        a_user(rig, userName="second")
    address = "kein@@ding,1" if case == "no address" else "anwalt@example.org"
    assert owner(rig, agent="140", agent_email=address) == FALLBACK


@pytest.mark.parametrize("status", [403, 404])
def test_an_api_user_who_may_not_see_users_still_journals(rig, status):
    reason = {"X-Status-Reason": "No read access."}
    rig.espocrm.board.add(Fault("status", path="/User$", status=status, headers=reason, times=None))
    assert owner(rig, agent="140", agent_email="anwalt@example.org") == FALLBACK


def test_after_a_transfer_the_address_of_who_gave_the_call_away_does_not_count(rig):
    a_user(rig)
    times = {"extension": "140", "timestamp": "2026-11-24T08:00:00Z"}
    rig.event("call.started", **times)
    rig.event("call.transferred", **times, transferred_to="105")
    assert owner(rig, agent="140", agent_email="anwalt@example.org") == "user-meier"


def test_a_v20_is_asked_for_the_address_once_in_a_while_and_its_failing_delays_nothing(phone_redis, monkeypatch):
    pbx = ThreeCxV20()
    pbx.users = [{"Number": "140", "EmailAddress": "anwalt@example.org"}]
    with serve(pbx) as server, world(monkeypatch, phone_redis, **pbx.env(server.url)) as rig:
        user = a_user(rig)
        assert owner(rig, agent="140") == user
        assert owner(rig, agent="140", number="030 1234567") == user
        assert pbx.board.count("GET", "/Users") == 1
        rig.restart()
        pbx.denied.add("Users")
        assert owner(rig, agent="140", number="030 7654321") == FALLBACK
        assert "agents_unknown" in rig.logged()
        assert "anwalt" not in rig.logged() + rig.in_redis()
