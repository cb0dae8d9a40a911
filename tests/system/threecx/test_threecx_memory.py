"""A call is known again when Redis has forgotten it: one record for each real call, and nothing in it gets worse."""

from datetime import UTC, datetime, timedelta

import pytest
from threecx_rig import world

from sandbox.server import serve
from sandbox.threecx import ThreeCxV20

START = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=40)


def at(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat()


def ring(rig, call_id="c-77", begin=0.0, **more):
    """Tell a whole call of 182 s that extension 102 has taken and given to 105."""
    common = {"extension": "102", **more}
    rig.event("call.started", call_id, timestamp=at(begin), **common)
    rig.event("call.transferred", call_id, timestamp=at(begin + 60), transferred_to="105", **common)
    given = {"recording_id": "9", "recording_consent": "given", "answered": True, "duration_s": 182}
    rig.event("call.ended", call_id, timestamp=at(begin + 190), **{**given, **common})


def report(rig, begin=2.0, **more):
    rig.report(**{"started_at": at(begin), "ended_at": at(begin + 185), **more})
    rig.work()


def forget_events(rig):
    """Let a fortnight pass: the store has forgotten what was said, not what became of it."""
    if keys := rig.redis.keys("threecx:call:*") + rig.redis.keys("threecx:near:*"):
        rig.redis.delete(*keys)


def test_a_report_after_a_flush_makes_no_second_call_and_takes_nothing_away(rig):
    ring(rig)
    rig.work()
    [before] = rig.journalled()
    rig.redis.flushall()
    report(rig)
    [after] = rig.journalled()
    changed = {name for name in before if before[name] != after[name]} - {"modifiedAt", "streamUpdatedAt"}
    assert changed <= {"description", "versionNumber", "modifiedByName", "modifiedById"}
    gone = set(before["description"].splitlines()) - set(after["description"].splitlines())
    assert [line.partition(" ")[0] for line in gone] == ["Gemeldet:"]
    told = next(line for line in after["description"].splitlines() if line.startswith("Gemeldet: "))
    words = [each.split()[0] for each in told.removeprefix("Gemeldet: ").split(", ")]
    assert words == ["Beginn", "Bericht", "Ende", "Weiterleitung", "Weiterleitung"]
    report(rig)
    rig.redis.flushall()
    report(rig)
    assert len(rig.journalled()) == 1


def test_events_after_a_flush_join_what_a_report_has_written(rig):
    report(rig)
    rig.redis.flushall()
    ring(rig)
    rig.work()
    [call] = rig.journalled()
    assert call["assignedUserId"] == "user-berger"
    assert "Vorgang: c-" in call["description"]


@pytest.mark.parametrize("other", ["another id", "a second report", "somebody else", "another number", "too late"])
def test_what_is_another_call_stays_another_call_after_a_flush(rig, other):
    ring(rig)
    report(rig)
    [before] = rig.journalled()
    rig.redis.flushall()
    match other:
        case "another id":
            rig.event("call.ended", "c-78", timestamp=at(200), extension="102", answered=True, duration_s=182)
            rig.work()
        case "a second report":
            report(rig, 40.0)
        case "somebody else":
            report(rig, agent="103")
        case "another number":
            report(rig, number="0049511123456")
        case "too late":
            report(rig, 62.0, agent="105")
    assert len(rig.journalled()) == 2
    [same] = [call for call in rig.journalled() if call["id"] == before["id"]]
    assert same == before


def test_a_withheld_number_is_known_again_by_its_agent_only(rig):
    ring(rig, caller="anonymous")
    rig.work()
    rig.redis.flushall()
    report(rig, number="anonymous")
    assert len(rig.journalled()) == 1
    report(rig, number="anonymous", agent="103")
    assert len(rig.journalled()) == 2


def test_two_fresh_calls_do_not_share_the_record_of_one(rig):
    ring(rig, "c-1")
    rig.work()
    rig.redis.flushall()
    rig.report(started_at=at(1), ended_at=at(20))
    rig.report(started_at=at(50), ended_at=at(60))
    rig.work()
    assert len(rig.journalled()) == 2


def test_consent_taken_back_after_weeks_spoils_nothing_and_still_deletes_the_recording(rig):
    rig.pbx.recordings["c-77"] = b"audio"
    ring(rig)
    rig.work()
    [before] = rig.journalled()
    assert "Aufzeichnung: https://" in before["description"]
    forget_events(rig)
    late = (START + timedelta(days=20)).isoformat()
    rig.event("call.ended", timestamp=late, recording_consent="withdrawn")
    rig.work()
    [after] = rig.journalled()
    for name in ("name", "status", "dateStart", "dateEnd", "assignedUserId", "parentId"):
        assert after.get(name) == before.get(name), name
    assert "Einwilligung: widerrufen" in after["description"]
    assert "Aufzeichnung: gesperrt, gelöscht" in after["description"]
    assert "Verlauf: " in after["description"]
    assert rig.pbx.erased == ["c-77"]
    assert rig.tasks() == []
    assert rig.http.get("/threecx/calls/c-77/recording").status_code == 403


def test_consent_once_taken_back_is_not_given_again_by_a_later_word(rig):
    rig.pbx.recordings["c-77"] = b"audio"
    ring(rig, recording_consent="withdrawn")
    rig.work()
    forget_events(rig)
    ring(rig)
    rig.work()
    assert rig.http.get("/threecx/calls/c-77/recording").status_code == 403
    [call] = rig.journalled()
    assert "Einwilligung: widerrufen" in call["description"]
    assert "/recording" not in call["description"]


@pytest.fixture
def v20():
    return ThreeCxV20()


@pytest.fixture
def v20_rig(phone_redis, monkeypatch, v20):
    with serve(v20) as server, world(monkeypatch, phone_redis, **v20.env(server.url)) as made:
        yield made


def test_a_row_of_the_log_makes_no_second_call_after_a_flush(v20_rig, v20):
    ring(v20_rig)
    report(v20_rig)
    [before] = v20_rig.journalled()
    v20_rig.redis.flushall()
    row = {"MainCallHistoryId": "h1", "StartTime": at(3).replace("+00:00", "Z"), "Direction": "Inbound"}
    row |= {"Answered": True, "RingingDuration": "PT5S", "TalkingDuration": "PT182S", "DestinationDn": "105"}
    v20.log = [{**row, "SourceDn": "10000", "SourceCallerId": "0511 1234567"}]
    for _ in range(2):
        v20_rig.http.post("/threecx/reconcile")
        v20_rig.work()
    [after] = v20_rig.journalled()
    assert (after["dateStart"], after["assignedUserId"]) == (before["dateStart"], before["assignedUserId"])
    assert "Aufzeichnung: https://" in after["description"]
