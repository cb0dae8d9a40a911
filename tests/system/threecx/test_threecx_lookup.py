"""A ringing phone gets its answer in time, whatever happens behind it."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from threecx_rig import KEY

from sandbox.faults import Fault


def contacts(answer):
    assert answer.status_code == 200
    return answer.json["contacts"]


def test_a_contact_is_found_in_every_spelling(rig):
    contact = rig.espocrm.add(
        "Contact", firstName="Anna", lastName="Groß", phoneNumber="+495111234567", emailAddress="anna@example.org"
    )
    [hit] = contacts(rig.lookup("00495111234567"))
    site = rig.env["ESPOCRM_API_BASE_URL"].removesuffix("api/v1/")
    assert hit == {
        "id": contact,
        "type": "Contact",
        "first_name": "Anna",
        "last_name": "Groß",
        "company": "",
        "email": "anna@example.org",
        "url": f"{site}#Contact/view/{contact}",
        "match": "exact",
    }
    for spelling in ("+495111234567", "0511 1234567", "0511/12345-67", "495111234567", "tel:+49 (0)511 1234567"):
        assert contacts(rig.lookup(spelling)) == [hit]
    answer = rig.http.get("/threecx/lookup?number=+495111234567", headers={"X-API-Key": KEY})
    assert contacts(answer) == [hit]  # an unescaped plus arrives as a blank


def test_all_who_have_the_number_are_listed_persons_first(rig):
    number = "+495111234567"
    rig.espocrm.add("Lead", lastName="Zeller", phoneNumber=number)
    rig.espocrm.add("Account", name="Hausverwaltung", phoneNumber=number)
    rig.espocrm.add("Contact", lastName="Groß", phoneNumber=number)
    rig.espocrm.add("Lead", lastName="Groß", phoneNumber=number, status="Converted")
    rig.advoware.registry.create_party(vorname="Berta", name="Neu", telefon="0511 1234567")
    found = [(hit["type"], hit["last_name"] or hit["company"]) for hit in contacts(rig.lookup(number))]
    assert found == [("Contact", "Groß"), ("Account", "Hausverwaltung"), ("Lead", "Zeller"), ("Beteiligte", "Neu")]
    assert all(hit["url"] for hit in contacts(rig.lookup(number)))


def test_a_second_number_of_a_record_counts_too_and_a_head_number_is_only_likely(rig):
    data = [{"phoneNumber": "+4951199999999", "primary": True}, {"phoneNumber": "+495111234567"}]
    rig.espocrm.add("Contact", lastName="Groß", phoneNumberData=data)
    assert contacts(rig.lookup("+495111234567"))[0]["match"] == "exact"
    rig.espocrm.add("Account", name="Stadtwerke", phoneNumber="+495117654320")
    [hit] = contacts(rig.lookup("+4951176543217"))
    assert (hit["company"], hit["match"]) == ("Stadtwerke", "vermutlich")


def test_strangers_have_a_name_for_phone_systems_that_journal_nobody_else(rig):
    rig.restart(THREECX_UNKNOWN_CONTACT="true")
    [stranger] = contacts(rig.lookup("0511 1234567"))
    assert (stranger["last_name"], stranger["match"], stranger["type"]) == ("+495111234567", "unbekannt", "")
    assert "/threecx/screenpop?number=%2B495111234567&exp=" in stranger["url"]
    for number in ("anonymous", "102", ""):
        assert contacts(rig.lookup(number)) == []
    rig.espocrm.add("Contact", lastName="Groß", phoneNumber="+495117654321")
    assert [each["type"] for each in contacts(rig.lookup("+495117654321"))] == ["Contact"]
    assert rig.event("call.started").json["contacts"] == []


@pytest.mark.parametrize("number", ["", "anonymous", "102", "12345", "kein Anschluss", "+49" * 40])
def test_what_cannot_be_matched_asks_nobody(rig, number):
    assert contacts(rig.lookup(number)) == []
    assert rig.espocrm.board.count() == 0


def test_nobody_is_remembered_for_a_minute_but_not_after_trouble(rig):
    rig.espocrm.board.add(Fault("status", path="/Lead$", status=500))
    assert contacts(rig.lookup("+495111234567")) == []
    rig.espocrm.add("Contact", lastName="Groß", phoneNumber="+495111234567")
    assert len(contacts(rig.lookup("+495111234567"))) == 1
    assert contacts(rig.lookup("+495117654321")) == []
    asked = rig.espocrm.board.count()
    assert contacts(rig.lookup("0511 7654321")) == []
    assert rig.espocrm.board.count() == asked
    [key] = rig.redis.keys("threecx:nobody:*")
    assert 0 < rig.redis.ttl(key) <= 60


def test_when_everything_hangs_the_answer_is_empty_and_in_time(rig):
    for double in (rig.espocrm, rig.advoware):
        double.board.add(Fault("delay", seconds=3, times=None))
    started = time.monotonic()
    assert contacts(rig.lookup("+495111234567")) == []
    assert time.monotonic() - started < 1.5


def test_one_upstream_that_hangs_does_not_hide_the_others(rig):
    rig.espocrm.add("Contact", lastName="Groß", phoneNumber="+495111234567")
    rig.advoware.board.add(Fault("delay", seconds=3, times=None))
    started = time.monotonic()
    assert [hit["last_name"] for hit in contacts(rig.lookup("+495111234567"))] == ["Groß"]
    assert time.monotonic() - started < 1.5


def test_without_redis_and_without_upstreams_it_is_still_an_answer(rig):
    rig.restart(REDIS_URL="redis://127.0.0.1:9", ESPOCRM_API_BASE_URL="http://127.0.0.1:9/api/v1/")
    started = time.monotonic()
    assert contacts(rig.lookup("+495111234567")) == []
    assert time.monotonic() - started < 1.5


def test_a_healthy_lookup_is_quick(rig):
    """Of eight rounds one must be undisturbed; the benchmark `lookup` shows the figures."""
    rig.espocrm.add("Contact", lastName="Groß", phoneNumber="+495111234567")
    best = min(p95_of_lookups(rig) for _ in range(8))
    assert best < 0.05


def p95_of_lookups(rig, count: int = 25) -> float:
    taken = []
    for _ in range(count):
        started = time.monotonic()
        assert contacts(rig.lookup("+495111234567"))
        taken.append(time.monotonic() - started)
    return statistics.quantiles(taken, n=20)[-1]


def test_a_crowd_of_ringing_phones_gets_its_answers_in_time_while_everything_hangs(rig):
    for double in (rig.espocrm, rig.advoware):
        double.board.add(Fault("delay", seconds=3, times=None))
    assert contacts(rig.lookup("+495111230000")) == []

    def ask(place):
        started = time.monotonic()
        assert contacts(rig.lookup(f"+49511123{place:04}")) == []
        return time.monotonic() - started

    with ThreadPoolExecutor(24) as phones:
        assert max(phones.map(ask, range(24))) < 1.5


def test_the_key_of_the_template_opens_lookup_and_report_only(rig):
    assert rig.http.get("/threecx/lookup?number=1").status_code == 401
    assert rig.http.get("/threecx/lookup?number=1", headers={"X-API-Key": "wrong"}).status_code == 401
    assert rig.http.post("/threecx/report-call", json={"call_type": "Inbound"}).status_code == 401
    body = {"event": "call.ended", "call_id": "1", "direction": "inbound", "timestamp": "2026-11-24T08:00:00Z"}
    assert rig.http.post("/threecx/webhook", json=body, headers={"X-API-Key": KEY}).status_code == 401


def test_the_start_of_a_call_is_answered_with_who_it_may_be(rig):
    rig.espocrm.add("Contact", firstName="Anna", lastName="Groß", phoneNumber="+495111234567")
    answer = rig.event("call.started", extension="102")
    assert [hit["last_name"] for hit in answer.json["contacts"]] == ["Groß"]
    assert answer.json["screenpop_url"].startswith("https://api.example/threecx/screenpop?call_id=c-77&exp=")
    rig.event("call.ended", answered=True, duration_s=3, timestamp="2026-11-24T08:01:00Z")
    late = rig.event("call.started", extension="102")
    assert late.json == {"contacts": [], "screenpop_url": ""}


def test_a_webhook_proves_itself_and_a_bad_one_is_refused(rig):
    good = {"extension": "102"}
    assert rig.event("call.started", sign_it=False, **good).status_code == 401
    keyed = {"X-API-Key": rig.pbx.account.api_key}
    body = {"event": "call.ended", "call_id": "1", "direction": "inbound", "timestamp": "2026-11-24T08:00:00Z"}
    assert rig.http.post("/threecx/webhook", json=body, headers=keyed).status_code == 200
    for bad in ({"event": "call.lost"}, {"call_id": "a b"}, {"call_id": "x" * 200}, {"direction": "up"}):
        assert rig.http.post("/threecx/webhook", json={**body, **bad}, headers=keyed).status_code == 422
    assert rig.http.post("/threecx/webhook", data=b"{", headers=keyed).status_code == 415
    json_type = {**keyed, "Content-Type": "application/json"}
    assert rig.http.post("/threecx/webhook", data=b'{"a":NaN}', headers=json_type).status_code == 400
    assert rig.http.post("/threecx/webhook", data=b"[" * 40 + b"]" * 40, headers=json_type).status_code == 400


def test_without_redis_an_event_is_refused_for_now(rig):
    rig.restart(REDIS_URL="redis://127.0.0.1:9")
    started = time.monotonic()
    answer = rig.event("call.ended")
    assert (answer.status_code, answer.headers["Retry-After"].isdigit()) == (503, True)
    assert time.monotonic() - started < 2
