"""A 3CX v20 as phone system: one token for everybody, dialling, state, log, recordings, deletion."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from threecx_rig import world

from sandbox.faults import Fault
from sandbox.server import serve
from sandbox.threecx import ThreeCxV20
from sandbox.threecx.double import tone
from shared.threecx.login import life_for_cache
from shared.threecx.v20_log import length_s

ROOT = Path(__file__).parents[3]
NOW = datetime.now(UTC).replace(microsecond=0)
AUDIO = tone(0.2)


@pytest.fixture
def v20():
    return ThreeCxV20()


@pytest.fixture
def rig(phone_redis, monkeypatch, v20):
    with serve(v20) as server, world(monkeypatch, phone_redis, **v20.env(server.url)) as made:
        yield made


def place(rig, number="+4915112345678", extension="102"):
    return rig.http.post("/threecx/calls", json={"number": number, "extension": extension})


WORKER = """
import sys
from shared.events.bus import Bus
from shared.http import HttpClient
from shared.settings.base import read
from shared.settings.threecx import ThreeCxSettings
from shared.threecx.v20 import V20Provider
settings = read(ThreeCxSettings)
provider = V20Provider(settings, HttpClient("threecx", 5), lambda: 0.0, Bus("threecx").client(0))
sys.stdin.readline()
for _ in range(20):
    assert provider.status("1-1790000000") is None
"""


def test_three_processes_share_one_token(rig, v20):
    command = [sys.executable, "-c", WORKER]
    env = {**rig.env, "PATH": "", "PYTHONPATH": str(ROOT)}
    workers = [
        subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) for _ in range(3)
    ]
    for worker in workers:
        worker.stdin.write(b"\n")
        worker.stdin.flush()
    for worker in workers:
        _, errors = worker.communicate(timeout=60)
        assert worker.returncode == 0, errors.decode()[-2000:]
    assert v20.tokens_given == 1
    assert v20.board.count("GET") >= 180


def test_a_token_that_somebody_ended_is_renewed_once(rig, v20):
    assert place(rig).status_code == 200
    v20.token = "somebody else's"
    assert place(rig).status_code == 200
    assert (v20.tokens_given, len(v20.made)) == (2, 2)


def test_a_wrong_secret_is_not_tried_in_a_loop(rig, v20):
    v20.secret = "changed"
    for _ in range(4):
        assert place(rig).status_code == 503
    assert v20.board.count("POST", "/connect/token") == 1
    assert v20.made == []


@pytest.mark.parametrize(
    ("said", "used"), [(3600, 2880), (60, 2880), (600, 480), (None, 2880), (7200, 3000), (0, 2880), (True, 2880)]
)
def test_minutes_and_seconds_are_told_apart_and_the_token_is_left_early(said, used):
    from shared.state.token import lifetime_s

    assert lifetime_s(life_for_cache(said)) == pytest.approx(used)


def test_a_call_has_an_id_with_its_start_and_its_state_is_read(rig, v20):
    call_id = place(rig).json["call_id"]
    number, _, start = call_id.partition("-")
    assert number == "1"
    assert abs(int(start) - datetime.now(UTC).timestamp()) < 5
    assert v20.made == [{"dn": "102", "destination": "+4915112345678"}]
    v20.lines["102"][0]["status"] = "Connected"
    found = rig.http.get(f"/threecx/calls/{call_id}").json
    assert (found["status"], found["agent"], found["number"]) == ("connected", "102", "+4915112345678")


def test_a_phone_that_is_not_there_and_an_outcome_that_nobody_knows(rig, v20):
    v20.unregistered.add("102")
    answer = place(rig)
    assert (answer.status_code, answer.json["type"].rpartition("/")[2]) == (502, "no-device")
    v20.board.add(Fault("drop_after", path="MakeCall"))
    answer = place(rig, extension="103")
    assert (answer.status_code, answer.json["type"].rpartition("/")[2]) == (502, "unknown-outcome")
    assert v20.board.count("POST", "MakeCall") == 2


@pytest.mark.parametrize("status", [429, 500, 503])
def test_without_a_token_nothing_was_dialled_and_it_may_be_tried_again(rig, v20, status):
    v20.board.add(Fault("status", path="connect/token", status=status))
    answer = place(rig)
    assert (answer.status_code, answer.headers["Retry-After"].isdigit()) == (503, True)
    assert v20.made == []
    assert place(rig).status_code == 200


def test_of_several_phones_the_chosen_one_dials_and_its_address_is_escaped(rig, v20):
    desk, soft = "sip:102@10.0.0.5:5060", "sip:102@softphone/é"
    v20.devices["102"] = [
        {"dn": "102", "device_id": soft, "user_agent": "3CX Mobile Client"},
        {"dn": "102", "device_id": desk, "user_agent": "Yealink SIP-T54W"},
    ]
    rig.restart(THREECX_DEVICES="102=yealink,103=Snom")
    answer = place(rig)
    assert answer.status_code == 200, answer.text
    assert v20.made == [{"destination": "+4915112345678", "dn": "102", "device": desk}]
    assert rig.http.get(f"/threecx/calls/{answer.json['call_id']}").json["agent"] == "102"
    rig.restart(THREECX_DEVICES="102=mobile client")
    place(rig)
    assert v20.made[-1]["device"] == soft
    rig.restart(THREECX_DEVICES="102=Snom")
    assert place(rig).json["type"].endswith("no-device")
    v20.board.add(Fault("status", path="devices$", status=503, times=None))
    assert place(rig).json["type"].endswith("unavailable")
    assert len(v20.made) == 2


def a_row(history: str, minutes: float, **fields):
    return {
        "MainCallHistoryId": history,
        "StartTime": (NOW + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "Direction": "Inbound",
        "Answered": True,
        "RingingDuration": "PT5S",
        "TalkingDuration": "PT1M30S",
        "SourceDn": "10000",
        "SourceCallerId": "0511 1234567",
        "DestinationDn": "102",
        "DestinationCallerId": "102",
        "SrcRecId": 0,
        "DstRecId": 0,
        **fields,
    }


def test_calls_of_the_log_that_nobody_told_are_journalled_once(rig, v20):
    rig.event("call.ended", "5-1", answered=True, duration_s=90, extension="102", **at(-30, 95))
    rig.report(number="0511 7654321", agent="105", **told(-50, 95))
    rig.work()
    v20.log = [
        a_row("told", -30),
        a_row("reported", -50, SourceCallerId="05117654321", DestinationDn="105"),
        a_row("new", -20, SourceCallerId="030 12345678", TalkingDuration="PT0S", Answered=False, DestinationDn="800"),
        a_row("new", -19.5, SourceCallerId="030 12345678", DestinationDn="105"),
        a_row("internal", -10, Direction="Internal"),
    ]
    for logged in (1, 0):
        assert rig.http.post("/threecx/reconcile").json["logged"] == logged
        rig.work()
    assert len(rig.journalled()) == 3
    [call] = [call for call in rig.journalled() if "+493012345678" in call["name"]]
    assert (call["status"], call["assignedUserId"]) == ("Held", "user-meier")


def test_the_log_adds_the_recording_to_a_call_that_was_told_without_it(rig, v20):
    fields = {"extension": "102", "recording_consent": "given", "answered": True, "duration_s": 90}
    rig.event("call.ended", "7-1", timestamp=(NOW + timedelta(seconds=95 - 600)).isoformat(), **fields)
    rig.work()
    assert "Aufzeichnung" not in rig.journalled()[0]["description"]
    v20.log = [a_row("h1", -10, DstRecId=5)]
    v20.recordings[5] = AUDIO
    counts = [rig.http.post("/threecx/reconcile").json["logged"] for _ in range(2)]
    rig.work()
    assert counts == [1, 0]
    [call] = rig.journalled()
    assert "Aufzeichnung: https://api.example/threecx/calls/7-1/recording" in call["description"]
    assert rig.http.get("/threecx/calls/7-1").json["recording"] == {"available": True, "consent": "given"}
    assert rig.http.get("/threecx/calls/7-1/recording").data == AUDIO


@pytest.mark.parametrize("where", ["log", "list"])
def test_among_recordings_of_the_same_minute_that_of_the_number_is_found(rig, v20, where):
    start = int(NOW.timestamp()) - 600
    fields = {"extension": "102", "recording_consent": "given", "answered": True, "duration_s": 90}
    rig.event("call.ended", f"7-{start}", timestamp=(NOW + timedelta(seconds=95 - 600)).isoformat(), **fields)
    v20.recordings |= {5: b"somebody else", 6: AUDIO}
    if where == "log":
        v20.log = [a_row("h1", -10, SourceCallerId="030 1234567", DstRecId=5), a_row("h2", -10, DstRecId=6)]
    else:
        v20.listed = [{"Id": 5, "FromCallerNumber": "0301234567"}, {"Id": 6, "FromCallerNumber": "05111234567"}]
    assert rig.http.get(f"/threecx/calls/7-{start}/recording").data == AUDIO
    if where == "log":
        v20.log.append(a_row("h3", -9, DstRecId=5))
    else:
        v20.listed.append({"Id": 5, "ToCallerNumber": "+495111234567"})
    assert rig.http.get(f"/threecx/calls/7-{start}/recording").status_code == 404


def test_a_recording_without_consent_is_said_to_be_locked_and_is_not_fetched(rig, v20):
    v20.log = [a_row("h1", -10, DstRecId=5)]
    rig.http.post("/threecx/reconcile")
    rig.work()
    assert "Aufzeichnung: gesperrt, keine Einwilligung" in rig.journalled()[0]["description"]
    assert v20.erased == []
    assert v20.board.count("GET", "DownloadRecording") == 0


@pytest.mark.parametrize("first", ["log", "reports"])
def test_a_transferred_call_of_the_log_and_the_reports_of_both_agents_are_one_call(rig, v20, first):
    v20.log = [a_row("moved", -20, TalkingDuration="PT20S"), a_row("moved", -19.5, DestinationDn="105")]

    def read_log():
        rig.http.post("/threecx/reconcile")
        rig.work()

    def report():
        rig.report(agent="102", **told(-20, 25))
        rig.report(agent="105", **told(-19.5, 95))
        rig.work()

    for step in (read_log, report) if first == "log" else (report, read_log):
        step()
    [call] = rig.journalled()
    assert (call["status"], call["assignedUserId"]) == ("Held", "user-meier")
    assert "weitergeleitet an 105" in call["description"]
    assert call["dateStart"] == (NOW - timedelta(minutes=20)).strftime("%Y-%m-%d %H:%M:%S")


def test_a_report_that_comes_after_the_log_joins_it(rig, v20):
    v20.log = [a_row("new", -20)]
    rig.http.post("/threecx/reconcile")
    rig.work()
    rig.report(**told(-20, 95))
    rig.work()
    assert len(rig.journalled()) == 1


def at(minutes: float, seconds: float) -> dict:
    return {"timestamp": (NOW + timedelta(minutes=minutes, seconds=seconds)).isoformat()}


def told(minutes: float, seconds: float) -> dict:
    start = NOW + timedelta(minutes=minutes)
    return {"started_at": start.isoformat(), "ended_at": (start + timedelta(seconds=seconds)).isoformat()}


def test_the_log_is_read_page_by_page(rig, v20):
    v20.log = [a_row(f"h{number}", -number / 10, SourceCallerId=f"0511 90{number:04}") for number in range(1001)]
    assert rig.http.post("/threecx/reconcile").json["logged"] == 1001
    assert v20.board.count("GET", "GetCallLogData") == 3


def test_audio_is_streamed_and_deleted(rig, v20):
    v20.recordings[7] = AUDIO
    fields = {"answered": True, "duration_s": 5, "recording_id": "7"}
    rig.event("call.ended", recording_consent="given", **fields)
    assert rig.http.get("/threecx/calls/c-77/recording").data == AUDIO
    part = rig.http.get("/threecx/calls/c-77/recording", headers={"Range": "bytes=5-9"})
    assert (part.status_code, part.data) == (206, AUDIO[5:10])
    rig.event("call.ended", recording_consent="withdrawn", **fields)
    rig.work()
    assert v20.erased == [7]


@pytest.mark.parametrize(("text", "seconds"), [("PT1M30S", 90), ("PT0.5S", 0.5), ("P1DT1H", 90000), ("", 0), (None, 0)])
def test_lengths_in_iso_8601(text, seconds):
    assert length_s(text) == seconds
