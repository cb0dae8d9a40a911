"""Somebody wants their number erased: nothing of it stays but what belongs to a client, and the report says where."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from threecx_rig import world

from functions.cli.threecx import threecx
from sandbox.faults import Fault
from sandbox.server import serve
from sandbox.threecx import ThreeCxV20

NUMBER, LONGER, OTHER = "+495111234567", "+4951112345678", "+495117654321"


def ring(rig, call_id, caller=NUMBER, **more):
    fields = {"timestamp": "2026-11-24T08:03:00Z", "extension": "102", "answered": False}
    rig.event("call.ended", call_id, caller=caller, **{**fields, **more})


def erase(*words) -> tuple[int, dict]:
    done = CliRunner().invoke(threecx, ["erase", *words])
    return done.exit_code, json.loads(done.stdout) if done.exit_code == 0 else {}


def test_calls_tasks_and_everything_in_redis_are_erased_by_number(rig):
    rig.espocrm.add("Lead", lastName="Zeller", phoneNumber=OTHER)
    for call_id, caller in (("c-1", NUMBER), ("c-2", NUMBER), ("c-3", LONGER), ("c-4", OTHER)):
        ring(rig, call_id, caller)
    rig.work()
    rig.lookup(NUMBER)
    code, report = erase("--phone", "0511 / 12345-67")
    assert code == 0
    assert report["fehler"] == []
    assert report["redis"] == {"vorgaenge": 2}
    assert len(report["Call"]["geloescht"]) == 2
    assert len(report["Task"]["geloescht"]) == 1
    assert {call["name"].split()[-1] for call in rig.journalled()} == {LONGER, "Zeller"}
    assert {task["name"].split()[-1] for task in rig.tasks()} == {LONGER, "Zeller"}
    mark = rig.deps.sealer.mark(NUMBER)
    assert mark not in "\n".join(rig.redis.keys("threecx:near:*"))
    assert rig.redis.zscore("threecx:answered", mark) is None
    assert NUMBER[3:] not in json.dumps(report)
    assert erase("--phone", NUMBER)[1]["Call"] == {"geloescht": []}


def test_a_call_of_a_lead_goes_and_a_call_of_a_client_stays_for_a_person_to_decide(rig):
    rig.espocrm.add("Lead", lastName="Zeller", phoneNumber=NUMBER)
    ring(rig, "c-1")
    rig.work()
    rig.espocrm.add("Contact", lastName="Zeller", phoneNumber=NUMBER)
    ring(rig, "c-2", timestamp="2026-11-24T10:03:00Z")
    rig.work()
    kept = next(call for call in rig.journalled() if call["parentType"] == "Contact")
    _, report = erase("--phone", NUMBER)
    assert report["Call"]["bleibt"] == [kept["id"]]
    assert "§ 50 BRAO" in report["Call"]["grund"]
    assert [call["id"] for call in rig.journalled()] == [kept["id"]]


def test_a_late_event_brings_nothing_back(rig):
    ring(rig, "c-1")
    rig.work()
    erase("--phone", NUMBER)
    ring(rig, "c-1")
    rig.work()
    assert rig.journalled() == []


def test_recordings_are_deleted_at_the_phone_system_and_where_it_cannot_the_report_says_so(rig):
    rig.pbx.recordings["c-1"] = b"audio"
    ring(rig, "c-1", answered=True, duration_s=5, recording_id="r-1", recording_consent="given")
    rig.work()
    _, report = erase("--phone", NUMBER)
    assert rig.pbx.erased == ["c-1"]
    assert report["aufzeichnungen"] == {"geloescht": 1, "von_hand": 0}
    assert "von Hand" in report["anrufliste"]
    rig.pbx.can_erase = False
    ring(rig, "c-2", answered=True, duration_s=5, recording_id="r-2")
    assert erase("--phone", NUMBER)[1]["aufzeichnungen"] == {"geloescht": 0, "von_hand": 1}


@pytest.fixture
def v20(phone_redis, monkeypatch):
    pbx = ThreeCxV20()
    pbx.contacts = [{"Id": 4, "PhoneNumber": NUMBER}, {"Id": 5, "PhoneNumber": OTHER}]
    with serve(pbx) as server, world(monkeypatch, phone_redis, **pbx.env(server.url)) as made:
        made.pbx = pbx
        yield made


def test_the_phone_book_of_a_v20_loses_the_number(v20):
    assert erase("--phone", NUMBER)[1]["telefonbuch"] == {"geloescht": 1}
    assert [row["Id"] for row in v20.pbx.contacts] == [5]
    assert erase("--phone", NUMBER)[1]["telefonbuch"] == {"geloescht": 0}


def test_a_phone_book_that_we_may_not_change_is_left_to_people(v20):
    v20.pbx.board.add(Fault("status", method="DELETE", path="Contacts", status=403, times=None))
    report = erase("--phone", NUMBER)[1]
    hint = "in der Telefonanlage von Hand zu löschen"
    assert report["telefonbuch"] == {"geloescht": 0, "von_hand": 1, "hinweis": hint}


def test_what_was_erased_does_not_come_back_out_of_the_log(v20):
    now = datetime.now(UTC)
    row = {"MainCallHistoryId": "h1", "Direction": "Inbound", "Answered": False, "SourceCallerId": NUMBER}
    v20.pbx.log = [{**row, "StartTime": (now - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")}]
    assert v20.http.post("/threecx/reconcile").json["logged"] == 1
    v20.work()
    assert len(v20.journalled()) == 1
    erase("--phone", NUMBER)
    for forgotten in ((), ("threecx:journal:*",)):
        for name in forgotten:
            v20.redis.delete(*v20.redis.keys(name))
        assert v20.http.post("/threecx/reconcile").json["logged"] == 0
        v20.work()
    assert v20.journalled() == []


def test_what_cannot_be_reached_is_named_and_the_rest_is_erased(rig):
    ring(rig, "c-1")
    rig.work()
    reason = {"X-Status-Reason": "No delete access."}
    rig.espocrm.board.add(Fault("status", method="DELETE", status=403, headers=reason, times=None))
    code, report = erase("--phone", NUMBER)
    assert code == 0
    assert [each["ort"] for each in report["fehler"]] == ["Call", "Task"]
    assert report["redis"] == {"vorgaenge": 1}


@pytest.mark.parametrize("phone", ["", "anonymous", "102", "kein Anschluss"])
def test_only_a_whole_number_is_erased(rig, phone):
    assert erase("--phone", phone)[0] != 0
