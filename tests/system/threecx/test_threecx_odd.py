"""Whatever a phone system sends, the answer is an answer: stored or refused, never an accident of ours."""

import pytest

TIMES = [
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "1969-12-31T00:00:00Z",
    0,
    1e18,
    True,
    None,
    "",
    "24.11.2026",
    "2026-11-24",
    "2026-11-24T08:00:00",
    "2026-11-24T08:00:00.123456789Z",
]
NUMBERS = ["", "+49511" * 20, "😀", "٠١٢٣٤٥٦٧٨٩", "+4951112345\x00", "a\nVorgang: c-1", "<b>", None, 102, 4.5, [], {}]
NUMBERS += ["sip:+495111234567@x;user=phone", "*31#0511", "0", "+", "++49", "112", "１２３４５６７８９０", "[Number]"]
FIELDS = ["caller", "extension", "queue", "transferred_to", "recording_id"]
REPORTED = ["number", "agent", "agent_email", "queue", "duration", "started_at", "ended_at", "entity_id", "entity_type"]


def fine(answer) -> bool:
    return answer.status_code in {200, 422}


@pytest.mark.parametrize("event", ["call.started", "call.ended", "call.transferred"])
def test_odd_events(rig, event):
    for time in TIMES:
        assert fine(rig.event(event, "t", timestamp=time)), time
    for length in (0, 1e-9, -1, 604801, "5", "x", True, 1e308, float("nan")):
        answer = rig.event(event, "d", duration_s=length, answered=True)
        assert answer.status_code in {200, 400, 422}, length
    for field in FIELDS:
        for value in NUMBERS:
            assert fine(rig.event(event, "n", **{field: value})), (field, value)
    assert set(rig.work()) <= {"done"}
    assert len(rig.journalled()) <= 3


def test_odd_reports(rig):
    for field in REPORTED:
        for value in [*NUMBERS, *TIMES, "99:99:99:99", "9999999:9999999:9999999", "-1"]:
            assert fine(rig.report(**{field: value})), (field, value)
    assert set(rig.work()) == {"done"}
    for call in rig.journalled():
        lines = call["description"].splitlines()
        assert "Vorgang: c-1" not in lines
        assert "2" <= call["dateStart"] < "3"


def test_odd_questions(rig):
    head = {"X-API-Key": "template-key"}
    for number in (each for each in NUMBERS if isinstance(each, str)):
        assert rig.http.get("/threecx/lookup", query_string={"number": number}, headers=head).status_code == 200
        assert rig.http.get("/threecx/screenpop", query_string={"number": number}).status_code == 200
    for query in ("number=1&exp=1&sig=%FF", "exp=99999999999999999999&sig=x&number=1", "exp=%D9%A1&sig=x&number=1"):
        assert rig.http.get(f"/threecx/screenpop?{query}").status_code == 403
    for query in ("call_id=", "call_id=%00", "call_id=" + "a" * 3000, "number=%FF%FE", "number=1&number=2"):
        assert rig.http.get(f"/threecx/screenpop?{query}").status_code < 500
