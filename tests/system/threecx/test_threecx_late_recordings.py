"""A recording is there only a while after its call: it is looked for again, for a day, to be heard or to be deleted."""

from datetime import UTC, datetime, timedelta

import pytest
from threecx_rig import world

from sandbox.faults import Fault
from sandbox.server import serve
from sandbox.threecx import ThreeCxV20

AGREED = {"extension": "102", "recording_consent": "given", "answered": True, "duration_s": 90}


@pytest.fixture
def v20():
    return ThreeCxV20()


@pytest.fixture
def modern(phone_redis, monkeypatch, v20):
    with serve(v20) as server, world(monkeypatch, phone_redis, **v20.env(server.url)) as made:
        yield made


def ago(**time):
    return datetime.now(UTC).replace(microsecond=0) - timedelta(**time)


def a_recording(number: int, caller: str = "05111234567") -> dict:
    return {"Id": number, "FromCallerNumber": caller}


def ended(rig, start, **more):
    """Tell the end of a v20's call of two minutes and journal it."""
    rig.event("call.ended", f"7-{int(start.timestamp())}", timestamp=(start + timedelta(minutes=2)).isoformat(), **more)
    rig.work()


def reconcile(rig, *, due: bool = True) -> dict:
    """Run it, as if the time to look again had come."""
    if due:
        for key in rig.redis.zrange("threecx:recordings", 0, -1):
            rig.redis.zadd("threecx:recordings", {key: 0})
    counts = rig.http.post("/threecx/reconcile").json
    rig.work()
    return counts


def test_a_recording_that_was_not_ready_is_linked_when_it_is(modern, v20):
    start = ago(minutes=3)
    ended(modern, start, **AGREED)
    assert "Aufzeichnung" not in modern.journalled()[0]["description"]
    assert reconcile(modern, due=False)["recordings"] == 0
    assert reconcile(modern)["recordings"] == 1  # and it is still not there
    v20.listed = [a_recording(5, "030 1234567"), a_recording(6)]
    v20.recordings[6] = b"audio"
    assert reconcile(modern)["recordings"] == 1
    call_id = f"7-{int(start.timestamp())}"
    [call] = modern.journalled()
    assert f"Aufzeichnung: https://api.example/threecx/calls/{call_id}/recording" in call["description"]
    assert modern.http.get(f"/threecx/calls/{call_id}").json["recording"] == {"available": True, "consent": "given"}
    assert reconcile(modern)["recordings"] == 0


def test_after_a_day_nobody_looks_any_more(modern):
    ended(modern, ago(hours=25), **AGREED)
    assert modern.redis.zcard("threecx:recordings") == 0
    start = ago(hours=23)
    ended(modern, start, **AGREED)
    [(_, due)] = modern.redis.zrange("threecx:recordings", 0, -1, withscores=True)
    assert due / 1000 == (start + timedelta(minutes=2, hours=24)).timestamp()


@pytest.mark.parametrize("more", [{"recording_consent": "asked"}, {"answered": False, "duration_s": None}], ids=str)
def test_nobody_looks_for_what_may_not_be_heard_or_cannot_be(modern, v20, more):
    ended(modern, ago(minutes=3), **{**AGREED, **more})
    assert modern.redis.zcard("threecx:recordings") == 0
    assert v20.board.count("GET", "/Recordings") == 0


def test_a_phone_system_that_is_down_does_not_keep_the_journal_waiting(modern, v20):
    v20.board.add(Fault("status", status=503, times=None))
    ended(modern, ago(minutes=3), **AGREED)
    assert len(modern.journalled()) == 1
    assert modern.redis.zcard("threecx:recordings") == 1


def test_a_row_of_the_log_that_names_its_recording_later_is_read_again(modern, v20):
    start = ago(minutes=200)
    row = {"MainCallHistoryId": "h1", "StartTime": start.strftime("%Y-%m-%dT%H:%M:%SZ"), "Direction": "Inbound"}
    row |= {"Answered": True, "TalkingDuration": "PT1M", "SourceCallerId": "05111234567", "DestinationDn": "102"}
    v20.log = [row]
    assert reconcile(modern)["logged"] == 1
    row["DstRecId"] = 9
    assert [reconcile(modern)["logged"] for _ in range(2)] == [1, 0]
    [call] = modern.journalled()
    assert "Aufzeichnung: gesperrt, keine Einwilligung" in call["description"]


def test_a_refused_recording_that_is_not_there_yet_is_deleted_once_it_is(rig):
    rig.pbx.board.add(Fault("status", method="DELETE", path="recording", status=404))
    told = {**AGREED, "recording_consent": "refused", "recording_id": "r-9"}
    rig.event("call.ended", timestamp=ago(minutes=1).isoformat(), **told)
    rig.work()
    assert rig.pbx.erased == []
    assert "Aufzeichnung: gesperrt, in der Telefonanlage zu löschen" in rig.journalled()[0]["description"]
    assert reconcile(rig)["recordings"] == 1
    assert rig.pbx.erased == ["c-77"]
    assert "Aufzeichnung: gesperrt, gelöscht" in rig.journalled()[0]["description"]
    assert reconcile(rig)["recordings"] == 0
    assert rig.pbx.erased == ["c-77"]


def test_what_is_not_there_a_day_later_is_not_asked_for_again(rig):
    rig.pbx.board.add(Fault("status", method="DELETE", path="recording", status=404, times=None))
    told = {**AGREED, "recording_consent": "refused", "recording_id": "r-9"}
    rig.event("call.ended", timestamp=ago(hours=25).isoformat(), **told)
    rig.work()
    assert "Aufzeichnung: gesperrt, gelöscht" in rig.journalled()[0]["description"]
    assert reconcile(rig)["recordings"] == 0


@pytest.mark.parametrize(("minutes", "patience"), [(1, True), (20, False)])
def test_who_asks_too_early_hears_when_to_ask_again(rig, minutes, patience):
    rig.event("call.ended", timestamp=ago(minutes=minutes).isoformat(), recording_id="r-9", **AGREED)
    answer = rig.http.get("/threecx/calls/c-77/recording")
    assert (answer.status_code, "Retry-After" in answer.headers) == (404, patience)
