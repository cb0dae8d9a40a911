"""Dead letters from the command line, and the doctor who finds what is wrong without telling a secret."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import redis
from calendar_world import termin
from click.testing import CliRunner
from commands import Desk
from redis_server import running

from functions.cli import checks, main
from sandbox.faults import Fault
from sandbox.server import serve
from sandbox.threecx import ThreeCx
from shared.state import connection
from shared.state.queue import PARTIES, WorkQueue

PARTY = "6b04f6cb7536b613d"


@pytest.fixture
def letter(state: redis.Redis) -> str:
    queue = WorkQueue(state, PARTIES)
    queue.add("update", [PARTY])
    queue.set_aside(queue.claim(PARTY, "me"), "party-ambiguous")
    return queue.dead(count=1)[0].id


def test_dead_letters_are_listed_shown_and_put_back(desk, letter, state):
    for out in (desk.good("deadletters"), desk.good("deadletters", "list")):
        assert letter in out
        assert PARTY in out
    assert json.loads(desk.good("deadletters", "list", "--json"))["deadletters"][0]["error"] == "party-ambiguous"
    assert "vmh.beteiligte.update" in desk.good("deadletters", "show", letter)
    assert "back to work" in desk.good("deadletters", "redrive", letter)
    assert state.smembers("vmh:beteiligte:update_pending") == {PARTY}
    assert desk.good("deadletters") == "none\n"
    assert "no such dead letter" in desk.bad(3, "deadletters", "redrive", letter)


def test_where_several_parties_are_meant_a_person_says_which(desk, letter, state):
    state.hset("vmh:beteiligte:candidates", PARTY, "[815, 816]")
    assert "[815, 816]" in desk.good("deadletters", "show", letter)
    assert "none of the candidates" in desk.bad(2, "deadletters", "redrive", letter, "--betnr", "1")
    desk.good("deadletters", "redrive", letter, "--betnr", "816")
    assert state.hget("vmh:beteiligte:chosen", PARTY) == "816"


def test_all_can_be_put_back_at_once(desk, letter):
    assert letter in desk.good("deadletters", "redrive", "--all")
    assert desk.good("deadletters", "redrive", "--all") == ""
    assert desk.call("deadletters", "redrive").exit_code == 2


def lines(desk: Desk, what: str, *arguments: str) -> list[str]:
    return [line for line in desk.call("doctor", *arguments).stdout.splitlines() if f" {what} " in line]


def test_the_doctor_is_content_with_a_firm_that_works(desk):
    desk.firm.advoware.create("SB", **termin(1, "Verhandlung"))
    desk.good("sync", "--wait")
    out = desk.good("doctor")
    assert "bad " not in out
    assert "login works, 2 active employees" in out
    assert "login works, 2 of 2 calendars are there" in out


def test_the_doctor_writes_to_neither_calendar(desk):
    desk.good("sync", "--wait")
    desk.firm.forget_calls()
    desk.good("doctor", "--probe-advoware")
    assert desk.firm.writes() == []
    assert {call.method for call in desk.firm.advoware.board.calls} == {"GET"}


@pytest.mark.parametrize(
    ("env", "what", "said", "mend"),
    [
        ({"ADVOWARE_PASSWORD": "falsch"}, "advoware", "refuses the login", "check the user, password and key"),
        ({"ADVOWARE_API_BASE_URL": "http://127.0.0.1:9/"}, "advoware", "could not be reached", "firewall"),
        ({"ADVOWARE_APP_ID": ""}, "settings", "missing: ADVOWARE_APP_ID", ".env.example"),
        (
            {"GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH": "/nowhere.json"},
            "google",
            "no readable service account",
            "set what",
        ),
        ({"GOOGLE_CALENDAR_API_ENDPOINT": "http://127.0.0.1:9/calendar/v3/"}, "google", "not be reached", "firewall"),
        ({"MAX_BODY_BYTES": "viele"}, "settings", "MAX_BODY_BYTES", "correct the value"),
        ({"REDIS_URL": "redis://127.0.0.1:9"}, "redis", "cannot be reached", "check REDIS_URL"),
        ({"ESPOCRM_API_KEY": "k", "ESPOCRM_API_BASE_URL": "http://127.0.0.1:9/"}, "espocrm", "not be reached", "role"),
        ({"THREECX_API_BASE_URL": "http://127.0.0.1:9/"}, "threecx", "not be reached", "firewall"),
        ({"CALENDAR_PUSH_URL": "http://push.example"}, "push", "no https address", "valid certificate"),
        ({"ADVOWARE_WRITE_ENABLED": "false"}, "advoware", "writing is switched off", "bitbylaw plan"),
        ({"ENVIRONMENT": "production"}, "redis", "appendfsync", "redis-cli CONFIG SET appendfsync always"),
        ({"ENVIRONMENT": "production"}, "settings", "GATEWAY_SECRET", "openssl rand"),
    ],
)
def test_the_doctor_names_what_is_wrong_and_how_to_mend_it(desk, env, what, said, mend):
    desk.set(**env)
    result = desk.call("doctor")
    only_a_warning = what == "advoware" and "switched" in said
    assert result.exit_code == (0 if only_a_warning else 1)
    out = result.stdout.splitlines()
    place = next(n for n, line in enumerate(out) if line[5:].startswith(what) and said in line)
    assert out[place].startswith("warn" if only_a_warning else "bad")
    assert mend in out[place + 1]


def test_the_doctor_goes_on_where_a_part_refuses_to_start(desk):
    phones = ThreeCx()
    with serve(phones) as server:
        desk.set(**phones.env(server.url), OFFICE_STATE="XX")
        result = desk.call("doctor", "--json")
    assert result.exit_code == 1
    last = json.loads(result.stdout)["findings"][-1]
    assert (last["what"], last["level"], "OFFICE_STATE" in last["detail"]) == ("threecx", "bad", True)


def test_the_doctor_finds_that_google_does_not_let_us_in_and_says_who_has_to_allow_what(desk):
    desk.firm.deps.employees.all()
    desk.firm.google.board.add(Fault("status", method="POST", path="^/token", status=401, times=9))
    result = desk.call("doctor")
    assert result.exit_code == 1
    assert "refuses the service account" in result.stdout
    assert "domain-wide delegation" in result.stdout


def test_the_doctor_notices_work_that_nobody_does(desk, state, monkeypatch):
    queue = WorkQueue(state, PARTIES)
    queue.add("update", [PARTY])
    monkeypatch.setattr(checks, "OLD_S", 0.0)
    (line,) = [each for each in lines(desk, "queues") if "vmh" in each]
    assert line.startswith("bad")
    assert "1 wait" in line


def test_the_doctor_notices_events_that_find_no_way(desk):
    assert not [each for each in lines(desk, "queues") if "wait in the outbox" in each]
    desk.set(EVENT_TRANSPORT="http")
    (line,) = [each for each in lines(desk, "queues") if "wait in the outbox" in each]
    assert line.startswith("warn")
    assert "EVENT_BASE_URL" in line
    desk.set(EVENT_BASE_URL="http://127.0.0.1:9/events")
    assert not [each for each in lines(desk, "queues") if "wait in the outbox" in each]


@pytest.mark.parametrize(
    ("seconds", "level", "said"),
    [(0.4, "ok", "same as"), (3, "ok", "3 s behind"), (-30, "warn", "30 s ahead of"), (600, "bad", "600 s behind")],
)
def test_the_doctor_judges_the_clock_by_how_far_it_is_off(seconds, level, said):
    found = checks.skew("redis", seconds)
    assert (found.level, said in found.detail) == (level, True)
    assert bool(found.mend) == (level != "ok")


def test_a_durable_redis_is_good_enough_for_production(desk):
    with running(aof=True, settings=("--maxmemory-policy", "noeviction")) as server:
        desk.set(REDIS_URL=server.url, ENVIRONMENT="production")
        assert [line[:4] for line in lines(desk, "redis")] == ["ok  "]


def test_the_doctor_never_tells_a_secret(desk, tmp_path: Path):
    secrets = {
        "ADVOWARE_PASSWORD": "streng-geheim-1",
        "GATEWAY_SECRET": "streng-geheim-2",
        "CALENDAR_PUSH_TOKEN": "streng-geheim-3",
        "CALENDAR_PUSH_URL": "http://push.example",
        "ESPOCRM_API_KEY": "streng-geheim-4",
        "ESPOCRM_API_BASE_URL": "http://127.0.0.1:9/",
        "ESPOCRM_WEBHOOK_SECRETS": "ohne-doppelpunkt-streng-geheim-5",
        "LEAD_ENCRYPTION_KEY": "streng-geheim-6",
        "SIGNING_KEY": "streng-geheim-7",
        "THREECX_API_KEY": "streng-geheim-8",
        "THREECX_API_BASE_URL": "http://127.0.0.1:9/",
        "REDIS_URL": "redis://:streng-geheim-9@127.0.0.1:9",
    }
    desk.set(**secrets)
    for arguments in (("doctor",), ("doctor", "--json"), ("doctor", "--probe-advoware")):
        out = desk.call(*arguments).output
        assert "geheim" not in out.replace("Geheimnis", "")
        assert Path(os.environ["GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH"]).read_text()[60:120] not in out


def test_a_terminal_that_cannot_show_every_character_gets_the_others(desk):
    desk.set(ADVOWARE_USER="")
    result = CliRunner(charset="latin-1").invoke(main, ["doctor"])
    assert result.exit_code == 1, result.output
    assert "missing: ADVOWARE_USER" in result.output
    assert "? set them" in result.output


def test_findings_can_be_read_by_a_machine(desk):
    found = json.loads(desk.call("doctor", "--json").stdout)["findings"]
    assert {each["level"] for each in found} <= {"ok", "warn", "bad"}
    assert {each["what"] for each in found} >= {"settings", "redis", "clock", "queues", "advoware", "google", "push"}


def test_the_probe_tells_facts_and_no_content(desk):
    desk.firm.advoware.create("SB", **termin(1, "Meier ./. Schulz", ort="AG Hannover", vorbereitungsDauer="00:30:00"))
    out = "\n".join(lines(desk, "probe", "--probe-advoware"))
    assert "fields that we pass through: vorbereitungsDauer" in out
    assert "a number that nobody has is answered as gone" in out
    assert "longest texts: text 16" in out
    assert not [word for word in ("Meier", "Hannover") if word in out]


def test_without_advoware_the_other_findings_still_come(desk):
    desk.firm.advoware.board.add(Fault("status", path="/", status=503, times=99))
    out = desk.call("doctor").stdout
    assert "bad  advoware" in out
    assert "google    login works" in out


def test_the_store_is_only_touched_by_a_key_that_goes_at_once(desk, redis_url):
    desk.call("doctor")
    client = connection.connect(redis_url, 0)
    assert 0 < client.pttl("bitbylaw:doctor") <= 1000
