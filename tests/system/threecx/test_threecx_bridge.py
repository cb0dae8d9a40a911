"""The bridge plays ring group, queue and transfer: each real call is told once and stands in EspoCRM once."""

import io
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from threecx_rig import SECRET, world

from functions.threecx.bridge import Bridge, Teller, blotted
from functions.threecx.legs import Leg, Tracker
from sandbox.faults import Fault
from sandbox.server import serve
from sandbox.threecx import ThreeCxV20
from sandbox.threecx.control import ControlSocket
from shared.http import HttpClient
from shared.settings.base import read
from shared.settings.threecx import ThreeCxSettings
from shared.threecx.login import Login

NUMBER = "+495111234567"
T0 = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def leg(dn: str, leg_id: str, status: str = "Ringing", callid: str = "7", **more) -> Leg:
    row = {"id": leg_id, "callid": callid, "status": status, "party_dn_type": "Wexternalline", **more}
    found = Leg.of(dn, {"party_caller_id": NUMBER, "originated_by_dn": "10000", **row})
    assert found
    return found


class Wire:
    """A tracker with a clock that moves when told."""

    def __init__(self):
        self.tracker, self.now, self.told = Tracker(), T0, []

    def up(self, *args, **more):
        self.told += self.tracker.upsert(leg(*args, **more), self.now)

    def gone(self, dn, leg_id):
        self.told += self.tracker.remove(dn, leg_id, self.now)

    def wait(self, seconds):
        self.now += timedelta(seconds=seconds)
        self.told += self.tracker.tick(self.now)

    def names(self):
        return [each["event"] for each in self.told]


@pytest.fixture
def wire():
    return Wire()


def test_five_phones_of_a_ring_group_are_one_call(wire):
    for dn in ("101", "102", "103", "104", "105"):
        wire.up(dn, f"{dn}1")
        wire.up(dn, f"{dn}1")
    wire.up("103", "1031", "Connected")
    for dn in ("101", "102", "104", "105"):
        wire.gone(dn, f"{dn}1")
    wire.wait(60)
    wire.gone("103", "1031")
    wire.wait(3)
    assert wire.names() == ["call.started", "call.ended"]
    ended = wire.told[-1]
    assert (ended["extension"], ended["answered"], ended["duration_s"]) == ("103", True, 60)
    assert ended["call_id"] == f"7-{int(T0.timestamp())}"


def test_a_queue_that_takes_the_call_again_does_not_end_it(wire):
    queue = {"on_behalf_of_dn": "800", "on_behalf_of_dn_type": "Wqueue"}
    for wave in range(3):
        wire.up("101", f"1{wave}", **queue)
        wire.wait(15)
        wire.gone("101", f"1{wave}")
        wire.wait(1)
    wire.wait(5)
    assert wire.names() == ["call.started", "call.ended"]
    assert (wire.told[0]["queue"], wire.told[1]["queue"], wire.told[1]["answered"]) == ("800", "800", False)


def test_a_transfer_is_told_with_both_ends(wire):
    wire.up("102", "1")
    wire.up("102", "1", "Connected")
    wire.wait(30)
    wire.gone("102", "1")
    wire.up("105", "2", referred_by_dn="102")
    wire.wait(4)
    wire.up("105", "2", "Connected")
    wire.up("105", "2", "Connected")
    wire.wait(60)
    wire.gone("105", "2")
    wire.wait(3)
    assert wire.names() == ["call.started", "call.transferred", "call.ended"]
    assert (wire.told[1]["extension"], wire.told[1]["transferred_to"]) == ("102", "105")
    assert wire.told[2]["extension"] == "105"


def test_a_call_first_seen_when_people_talk_is_followed_in_silence(wire):
    wire.up("102", "1", "Connected")
    wire.gone("102", "1")
    wire.wait(3)
    assert wire.told == []


def test_inside_calls_and_calls_of_our_own_are_none_of_its_business():
    inside = {"id": 1, "callid": 7, "status": "Ringing", "party_dn_type": "Wextension"}
    own = {"id": 1, "callid": 7, "status": "Dialing", "party_dn_type": "Wexternalline", "originated_by_dn": "102"}
    assert Leg.of("102", inside) is None
    assert Leg.of("102", own) is None


def test_a_snapshot_tells_what_was_not_heard(wire):
    wire.up("102", "1")
    wire.up("102", "1", "Connected")
    wire.wait(10)
    wire.told += wire.tracker.snapshot([leg("103", "9", callid="8")], wire.now)
    wire.wait(3)
    assert wire.names() == ["call.started", "call.started", "call.ended"]


def test_the_same_id_after_a_restart_of_the_phone_system_is_another_call(wire):
    for _ in range(2):
        wire.up("102", "1")
        wire.gone("102", "1")
        wire.wait(30)
    assert len({each["call_id"] for each in wire.told}) == 2


def test_captured_frames_show_no_person():
    frame = {"id": 1, "status": "Ringing", "party_caller_id": NUMBER, "party_caller_name": "Anna Groß", "dn": "102"}
    assert blotted(frame) | {"party_caller_id": "", "party_caller_name": ""} == {
        "id": 1,
        "status": "Ringing",
        "party_caller_id": "",
        "party_caller_name": "",
        "dn": "102",
    }
    assert "Anna" not in str(blotted(frame))
    assert NUMBER[1:] not in str(blotted(frame))


def eventually(what, within_s=12.0):
    ends = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < ends, "it never happened"
        time.sleep(0.02)


def test_a_real_socket_a_lost_connection_and_a_slow_webhook(phone_redis, monkeypatch):
    pbx, stopping = ThreeCxV20(), threading.Event()
    with (
        serve(pbx) as server,
        world(monkeypatch, phone_redis, **pbx.env(server.url)) as rig,
        ControlSocket(pbx) as wire,
        serve(rig.wsgi) as ours,
    ):
        settings, http = read(ThreeCxSettings, rig.env), HttpClient("threecx", 3)
        teller = Teller(HttpClient("webhook", 3), f"{ours.url}/threecx/webhook", SECRET, waits=(0.05,))
        capture = io.StringIO()
        bridge = Bridge(
            Login(settings, http, None),
            http,
            server.url,
            teller.tell,
            socket_url=wire.url,
            capture=capture,
            snapshot_s=0.5,
            back_off_s=(0.05, 0.2),
        )
        threads = [threading.Thread(target=each.run, args=(stopping,)) for each in (teller, bridge)]
        for thread in threads:
            thread.start()
        try:
            play(rig, wire, pbx)
        finally:
            stopping.set()
            for thread in threads:
                thread.join(10)
        assert NUMBER not in capture.getvalue()


def play(rig, wire, pbx):
    """Let a ring group ring, cut the line while people talk, hand the call on, and hang up."""
    eventually(lambda: wire.listeners == 1)
    legs = {dn: wire.ring(dn, 7, NUMBER) for dn in ("101", "102", "103")}
    eventually(lambda: rig.logged().count('"call_event"') == 1)
    wire.answer("102", legs["102"])
    for dn in ("101", "103"):
        wire.leave(dn, legs[dn])
    time.sleep(0.3)
    wire.drop()
    eventually(lambda: wire.listeners == 1)
    second = wire.ring("105", 7, NUMBER, referred_by_dn="102")
    wire.leave("102", legs["102"])
    wire.answer("105", second)
    eventually(lambda: rig.logged().count('"call_event"') == 2)
    pbx.board.add(Fault("status", path="/callcontrol$", status=500, times=1))
    wire.leave("105", second, silent=True)
    eventually(lambda: rig.logged().count('"call_event"') == 3)
    rig.work()
    [call] = rig.journalled()
    assert (call["status"], call["assignedUserId"]) == ("Held", "user-meier")
