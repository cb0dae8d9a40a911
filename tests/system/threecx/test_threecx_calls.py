"""Calls are placed where the rules allow it, never twice; recordings are heard only by consent, and it is noted."""

import json
from datetime import UTC, datetime

import pytest

from sandbox.faults import Fault
from sandbox.threecx.double import tone

MOBILE = "+4915112345678"
MONDAY_NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)


def place(rig, **body):
    return rig.http.post("/threecx/calls", json={"extension": "102", **body})


def slug(answer):
    return answer.json["type"].rpartition("/")[2]


def a_lead(rig, number=MOBILE, text="Rückruf: ja", **fields):
    return rig.espocrm.add("Lead", lastName="Zeller", phoneNumber=number, description=text, **fields)


@pytest.fixture
def noon(rig, monkeypatch):
    """Let it be Monday noon for the rules."""
    from functions.threecx.calls import Calls

    real = Calls.__init__

    def init(self, *args, **kwargs):
        real(self, *args, **kwargs)
        object.__setattr__(self, "clock", lambda: MONDAY_NOON)

    monkeypatch.setattr(Calls, "__init__", init)


def test_a_number_a_contact_and_a_lead_can_be_called(rig):
    contact = rig.espocrm.add("Contact", lastName="Groß", phoneNumber="+495111234567")
    for target, number in (
        ({"number": "0511 7654321"}, "+495117654321"),
        ({"contact_id": contact}, "+495111234567"),
        ({"lead_id": a_lead(rig)}, MOBILE),
    ):
        answer = place(rig, **target)
        assert answer.status_code == 200, answer.text
        assert set(answer.json) == {"call_id", "status", "number"}
        assert (answer.json["status"], answer.json["number"]) == ("initiated", number)
        placed = rig.pbx.calls[answer.json["call_id"]]
        assert (placed["from"], placed["to"]) == ("102", number)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"number": "+495111", "lead_id": "x"}, 422),
        ({"number": "kein Anschluss"}, 422),
        ({"number": "+495111234567", "extension": ""}, 422),
        ({"number": "+495111234567", "mode": "often"}, 422),
        ({"lead_id": "0" * 17}, 404),
        ({"contact_id": "0" * 17}, 404),
    ],
)
def test_what_cannot_be_called_is_said(rig, body, status):
    assert place(rig, **body).status_code == status
    assert not rig.pbx.calls


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        *((number, "emergency") for number in ("110", "112", "0112", "+49110", "116117", "+49 116 117", "115")),
        *((number, "emergency") for number in ("１１２", "112;ext=3", "+490112", "00490110", "0 1 1 0", "sip:110@pbx")),
        *((number, "premium") for number in ("0900 1234567", "+4913712345", "0180 5123456", "0700 12345678")),
        *((number, "premium") for number in ("+43900123456", "+41900123456")),
        *((number, "country") for number in ("+1 876 555 1234", "+33112345678", "+881612345678", "00442071234567")),
    ],
)
def test_numbers_that_nobody_may_dial_through_us(rig, number, expected):
    answer = place(rig, number=number)
    assert (answer.status_code, slug(answer)) == (403, expected)
    assert not rig.pbx.calls


def test_do_not_call_holds_in_both_modes_and_for_every_record_of_the_number(rig):
    for mode in ("manual", "automatic"):
        answer = place(rig, lead_id=a_lead(rig, doNotCall=True), mode=mode)
        assert (answer.status_code, slug(answer)) == (403, "do-not-call")
    assert slug(place(rig, number=MOBILE)) == "do-not-call"


@pytest.mark.parametrize("kind", ["Contact", "Account", "Lead"])
def test_a_number_that_somebody_opted_out_is_not_dialled_however_it_is_asked_for(rig, kind):
    name = {"name": "Stadtwerke"} if kind == "Account" else {"lastName": "Groß"}
    numbers = [{"phoneNumber": MOBILE, "primary": True}, {"phoneNumber": "+495111234567", "optOut": True}]
    rig.espocrm.add(kind, phoneNumberData=numbers, **name)
    for mode in ("manual", "automatic"):
        assert slug(place(rig, number="+495111234567", mode=mode)) == "do-not-call"
    assert place(rig, number=MOBILE).status_code == 200
    page = rig.http.get("/threecx/screenpop?number=%2B495111234567").text
    assert "Möchte nicht angerufen werden." in page
    assert "tel:" not in page
    assert "Möchte nicht" not in rig.http.get("/threecx/screenpop", query_string={"number": MOBILE}).text


def test_a_machine_calls_only_who_wishes_it(rig, noon):
    for text in ("", "Rückruf: nein", "Rückruf: ja\nPrüfung: ja (Name)"):
        answer = place(rig, lead_id=a_lead(rig, text=text), mode="automatic")
        assert (answer.status_code, slug(answer)) == (403, "no-consent")
    assert slug(place(rig, number=MOBILE, mode="automatic")) == "no-consent"
    assert place(rig, lead_id=a_lead(rig, text=""), mode="manual").status_code == 200


def test_a_machine_calls_only_in_its_hours(rig):
    rig.restart(CALL_HOURS="Mo-So 03:00-03:01")
    answer = place(rig, lead_id=a_lead(rig), mode="automatic")
    assert (answer.status_code, slug(answer)) == (403, "hours")
    assert place(rig, lead_id=a_lead(rig)).status_code == 200


def test_a_machine_calls_a_lead_once_and_a_number_three_times_a_day(rig, noon):
    lead = a_lead(rig)
    assert place(rig, lead_id=lead, mode="automatic").status_code == 200
    assert slug(place(rig, lead_id=lead, mode="automatic")) == "lead-limit"
    for _ in range(2):
        assert place(rig, lead_id=a_lead(rig), mode="automatic").status_code == 200
    assert slug(place(rig, lead_id=a_lead(rig), mode="automatic")) == "daily-limit"
    assert place(rig, lead_id=lead).status_code == 200


def test_a_machine_has_its_own_phone_and_a_ceiling_for_each_hour(rig, noon):
    rig.restart(THREECX_AUTOMATIC_EXTENSION="199", THREECX_AUTOMATIC_PER_HOUR="1")
    first = rig.http.post("/threecx/calls", json={"lead_id": a_lead(rig), "mode": "automatic"})
    assert rig.pbx.calls[first.json["call_id"]]["from"] == "199"
    answer = place(rig, lead_id=a_lead(rig, "+4915112345679"), mode="automatic")
    assert (answer.status_code, slug(answer)) == (429, "rate-limited")
    assert answer.headers["Retry-After"].isdigit()


def test_over_our_own_rate_it_is_429(rig):
    rig.restart(THREECX_RATE_PER_MINUTE="3")
    answers = [place(rig, number=MOBILE) for _ in range(4)]
    assert [each.status_code for each in answers] == [200, 200, 200, 429]
    assert 50 < int(answers[-1].headers["Retry-After"]) <= 61
    for name, at in rig.redis.zrange("threecx:window", 0, -1, withscores=True):
        rig.redis.zadd("threecx:window", {name: at - 40_000})
    assert place(rig, number=MOBILE).status_code == 429  # forty seconds later the minute is not over
    assert len(rig.pbx.calls) == 3


@pytest.mark.parametrize(
    "fault",
    [
        Fault("drop_after", path="initiate", times=None),
        Fault("status", path="initiate", status=503, times=None, processed=True),
        Fault("status", path="initiate", status=500, times=None),
        Fault("html", path="initiate", times=None),
        Fault("cut", path="initiate", times=None),
        Fault("delay", path="initiate", seconds=1.5, times=None),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
def test_an_initiate_is_never_repeated_after_an_unknown_outcome(rig, fault):
    rig.restart(THREECX_TIMEOUT_SECONDS="0.7")
    rig.pbx.board.add(fault)
    answer = place(rig, number=MOBILE)
    assert (answer.status_code, slug(answer)) == (502, "unknown-outcome")
    assert "Retry-After" not in answer.headers
    rig.pbx.settle()
    assert rig.pbx.board.count("POST", "initiate") <= 1
    assert len(rig.pbx.calls) <= 1


def test_a_call_that_was_surely_not_placed_does_not_count(rig, noon):
    rig.pbx.board.add(Fault("status", path="initiate", status=422))
    lead = a_lead(rig)
    assert place(rig, lead_id=lead, mode="automatic").status_code >= 500
    assert place(rig, lead_id=lead, mode="automatic").status_code == 200


def test_without_a_key_it_is_basic(rig):
    rig.restart(THREECX_API_KEY="", THREECX_USERNAME="api", THREECX_PASSWORD="sandbox")
    assert place(rig, number=MOBILE).status_code == 200


def test_the_status_is_that_of_the_phone_system_and_never_goes_back(rig):
    call_id = place(rig, number=MOBILE).json["call_id"]
    rig.pbx.move(call_id, "ringing")
    path = f"/threecx/calls/{call_id}"
    found = rig.http.get(path).json
    assert found | {"started_at": None} == {
        "call_id": call_id,
        "status": "ringing",
        "direction": "outbound",
        "number": MOBILE,
        "agent": "102",
        "started_at": None,
        "answered_at": None,
        "ended_at": None,
        "recording": {"available": False, "consent": "none"},
    }
    ended = {"direction": "outbound", "caller": "102", "callee": MOBILE, "timestamp": datetime.now(UTC).isoformat()}
    rig.event("call.ended", call_id, answered=True, duration_s=0.5, recording_id="r-1", **ended)
    assert rig.http.get(path).json["status"] == "ended"
    assert rig.http.get(path).json["recording"] == {"available": True, "consent": "none"}
    rig.pbx.board.add(Fault("status", status=503, times=None))
    assert rig.http.get(path).json["status"] == "ended"
    assert rig.http.get("/threecx/calls/nobody").status_code == 503
    rig.pbx.board.clear()
    assert rig.http.get("/threecx/calls/nobody").status_code == 404


def test_a_placed_call_is_journalled_when_its_end_is_told(rig):
    call_id = place(rig, number=MOBILE).json["call_id"]
    ended = {"direction": "outbound", "caller": "102", "callee": MOBILE, "timestamp": datetime.now(UTC).isoformat()}
    rig.event("call.ended", call_id, answered=True, duration_s=5, **ended)
    rig.work()
    [call] = rig.journalled()
    assert (call["name"], call["direction"], call["status"]) == (f"Ausgehender Anruf {MOBILE}", "Outbound", "Held")


AUDIO = tone(0.5)


def with_recording(rig, consent="given"):
    rig.pbx.recordings["c-77"] = AUDIO
    rig.event("call.ended", answered=True, duration_s=5, recording_id="r-9", recording_consent=consent)


@pytest.mark.parametrize("ignores", [False, True], ids=["with ranges", "without ranges"])
@pytest.mark.parametrize(
    ("wanted", "status", "part"),
    [
        ("", 200, AUDIO),
        ("bytes=0-99", 206, AUDIO[:100]),
        ("bytes=100-", 206, AUDIO[100:]),
        ("bytes=-50", 206, AUDIO[-50:]),
        ("bytes=10-99999999", 206, AUDIO[10:]),
        ("bytes=99999999-", 416, b""),
    ],
)
def test_audio_streams_with_range(rig, ignores, wanted, status, part):
    with_recording(rig)
    rig.pbx.ignores_range = ignores
    answer = rig.http.get("/threecx/calls/c-77/recording", headers={"Range": wanted} if wanted else {})
    assert answer.status_code == status
    if status != 416:
        assert answer.data == part
        assert answer.headers["Content-Type"].startswith("audio/")
    if status == 206:
        assert answer.headers["Content-Range"].endswith(f"/{len(AUDIO)}")


@pytest.mark.parametrize("consent", ["none", "asked", "refused", "withdrawn"])
def test_no_audio_without_consent_and_each_access_leaves_a_line(rig, consent):
    with_recording(rig, consent)
    answer = rig.http.get("/threecx/calls/c-77/recording", headers={"X-Request-ID": "req-1"})
    assert answer.status_code == 403
    assert rig.pbx.board.count("GET", "recording") == 0
    [line] = [line for line in map(json.loads, rig.logged().splitlines()) if "recording" in line["event"]]
    assert (line["call_id"], line["request_id"], line["granted"]) == ("c-77", "req-1", False)
    with_recording(rig, "given")
    again = rig.http.get("/threecx/calls/c-77/recording").status_code
    assert again == (200 if consent in {"none", "asked"} else 403)


def test_a_granted_access_leaves_one_line_too(rig):
    with_recording(rig)
    rig.http.get("/threecx/calls/c-77/recording")
    lines = [line for line in map(json.loads, rig.logged().splitlines()) if "recording" in line["event"]]
    assert [(line["call_id"], line["granted"]) for line in lines] == [("c-77", True)]


def test_a_call_of_nobody_has_no_recording(rig):
    assert rig.http.get("/threecx/calls/c-0/recording").status_code == 403
    assert rig.http.get("/threecx/calls/..%2fx/recording").status_code in {400, 404}
