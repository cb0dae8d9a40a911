"""Before the first call: what the phone system does not let us do, and which settings are missing, is named."""

from collections.abc import Callable

import pytest
from threecx_rig import world

from functions.cli import checks_upstreams
from functions.cli.findings import Finding, carried_out
from functions.cli.firm import Firm
from sandbox.server import serve
from sandbox.threecx import ThreeCxV20


@pytest.fixture
def v20():
    return ThreeCxV20()


@pytest.fixture
def rig(phone_redis, monkeypatch, v20):
    with serve(v20) as server, world(monkeypatch, phone_redis, **v20.env(server.url)) as made:
        yield made


@pytest.fixture
def ask(monkeypatch) -> Callable[..., list[Finding]]:
    """Ask the doctor about the phone system only."""

    def told(**env: str) -> list[Finding]:
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        return list(carried_out("threecx", checks_upstreams.threecx, Firm()))

    return told


def bad(found: list[Finding]) -> list[Finding]:
    return [each for each in found if each.level == "bad"]


def text(found: list[Finding]) -> str:
    return "\n".join(each.text() for each in found)


def test_with_all_rights_the_doctor_is_content_and_has_changed_nothing(rig, v20, ask):
    found = ask()
    assert not bad(found)
    assert "we may use XAPI, Users, the call log, Recordings, Call Control" in text(found)
    assert {call.method for call in v20.board.calls if call.path != "/connect/token"} == {"GET"}


@pytest.mark.parametrize(
    ("denied", "said"),
    [
        ("Recordings", "Recordings, so recordings will not work: System Owner"),
        ("ReportCallLogData", "the call log, so calls that nobody told will not work: System Owner"),
        ("Users", "Users, so owners by e-mail address will not work: System Owner"),
        ("callcontrol", "Call Control, so the state of calls and the bridge will not work: tick Call Control"),
        ("Defs", "XAPI: tick XAPI"),
    ],
)
def test_a_right_that_is_missing_is_named_with_what_it_costs_and_where_it_is_given(rig, v20, ask, denied, said):
    v20.denied.add(denied)
    [finding] = bad(ask())
    what, mend = said.split(": ")
    assert finding.detail == f"it does not let us use {what}"
    assert mend in finding.mend


def test_a_wrong_secret_is_named_and_tried_once(rig, v20, ask):
    [finding] = bad(ask(THREECX_CLIENT_SECRET="wrong"))
    assert "refuses our credentials" in finding.detail
    assert v20.board.count("POST", "/connect/token") == 1


def test_settings_without_which_something_stays_dark_are_named(rig, ask):
    found = ask(THREECX_TEMPLATE_KEY="", PUBLIC_BASE_URL="", ESPOCRM_DEFAULT_USER_ID="")
    assert not bad(found)
    for name in ("THREECX_TEMPLATE_KEY", "PUBLIC_BASE_URL", "ESPOCRM_DEFAULT_USER_ID"):
        assert f"{name} is not set: " in text(found)
    assert "THREECX_WEBHOOK_SECRET" not in text(found)


def test_the_key_of_a_gateway_is_tried_by_asking_for_a_call_that_cannot_be(phone_redis, monkeypatch, ask):
    with world(monkeypatch, phone_redis):
        good, wrong = ask(), ask(THREECX_API_KEY="wrong")
    assert not bad(good)
    assert "we may use the key" in text(good)
    assert [each.detail for each in bad(wrong)] == ["it does not let us use the key"]


def test_the_list_of_users_is_read_in_pages_of_a_hundred(rig, v20):
    v20.users = [{"Number": str(100 + n), "EmailAddress": f"n{n}@example.org"} for n in range(205)]
    v20.users[7]["EmailAddress"] = ""
    agents = rig.deps.provider.agents()
    assert len(agents) == 204
    assert agents["304"] == "n204@example.org"
    assert v20.board.count("GET", "/Users") == 3
