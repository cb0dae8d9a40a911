"""Every real call stands in EspoCRM once, with the right fields, however it was told."""

from itertools import permutations

import pytest
from threecx_rig import FALLBACK, OWNER

from shared.events.topics import CALLS_QUEUE

STARTED = {"event": "call.started", "extension": "102"}
MOVED = {"event": "call.transferred", "extension": "102", "transferred_to": "105", "timestamp": "2026-11-24T08:01:00Z"}
ENDED = {
    "event": "call.ended",
    "extension": "102",
    "timestamp": "2026-11-24T08:03:10Z",
    "answered": True,
    "duration_s": 182,
    "recording_id": "r-9",
    "recording_consent": "given",
}


def tell(rig, what, **more):
    answer = rig.report() if what == "report" else rig.event(**{**what, **more})
    assert answer.status_code == 200, answer.text
    return answer.json


def test_the_four_statements_become_one_call(rig):
    contact = rig.espocrm.add("Contact", firstName="Anna", lastName="Groß", phoneNumber="+495111234567")
    for what in (STARTED, MOVED, ENDED, "report"):
        tell(rig, what)
    assert set(rig.work()) == {"done"}
    [call] = rig.journalled()
    assert call["name"] == "Eingehender Anruf Anna Groß"
    assert (call["status"], call["direction"]) == ("Held", "Inbound")
    assert (call["parentType"], call["parentId"]) == ("Contact", contact)
    assert call["assignedUserId"] == "user-meier"
    assert call["usersIds"] == ["user-meier"]
    assert (call["dateStart"], call["dateEnd"]) == ("2026-11-24 08:00:00", "2026-11-24 08:03:10")
    assert "Aufzeichnung: https://api.example/threecx/calls/c-77/recording" in call["description"]
    assert "Einwilligung: erteilt (2026-11-24T08:03:10Z" in call["description"]


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
def test_in_every_order_and_worked_off_after_each_there_is_one_call(rig, order):
    for place in order:
        what = (STARTED, MOVED, ENDED, "report")[place]
        tell(rig, what)
        rig.work()
        tell(rig, what)
        rig.work()
    [call] = rig.journalled()
    assert (call["dateStart"], call["dateEnd"]) == ("2026-11-24 08:00:00", "2026-11-24 08:03:10")
    assert (call["status"], call["assignedUserId"]) == ("Held", "user-meier")


def test_a_report_alone_is_a_call_and_an_unknown_extension_belongs_to_the_default_user(rig):
    assert rig.report(call_type="Notanswered", agent="999", number="0511 7654321", duration="").status_code == 200
    rig.work()
    [call] = rig.journalled()
    assert (call["status"], call["direction"], call["assignedUserId"]) == ("Not Held", "Outbound", FALLBACK)
    assert call["name"] == "Ausgehender Anruf +495117654321"


@pytest.mark.parametrize("name", ["../../x", "6b0…", "a b", "0" * 41, "?x", "[EntityId]"])
def test_a_report_with_a_record_that_cannot_be_is_a_call_of_nobody(rig, name):
    assert rig.report(entity_type="Contact", entity_id=name).status_code == 200
    assert rig.work() == ["done"]
    assert [call.get("parentId") for call in rig.journalled()] == [None]


def test_two_ids_are_two_calls_and_withheld_numbers_stay_apart_from_persons(rig):
    for call_id in ("c-1", "c-2"):
        tell(rig, ENDED, call_id=call_id, caller="anonymous", recording_id="", recording_consent="none")
    rig.work()
    assert [call["name"] for call in rig.journalled()] == ["Eingehender Anruf mit unterdrückter Nummer"] * 2
    assert not rig.tasks()


def test_a_call_that_was_split_and_journalled_before_is_put_right(rig):
    rig.report()
    tell(rig, {**STARTED, "extension": ""})
    rig.work()
    assert len(rig.journalled()) == 1
    tell(rig, {**ENDED, "extension": "105"})
    rig.work()
    assert len(rig.journalled()) == 2
    owners = sorted(call["assignedUserId"] for call in rig.journalled())
    assert owners == [OWNER, "user-meier"]


def test_two_records_that_turn_out_to_be_one_call_become_one(rig):
    rig.report()
    tell(rig, {**ENDED, "extension": "105"})
    rig.work()
    assert len(rig.journalled()) == 2
    tell(rig, {**MOVED, "extension": "102", "transferred_to": "105"})
    rig.work()
    [call] = rig.journalled()
    assert (call["assignedUserId"], call["dateStart"]) == ("user-meier", "2026-11-24 08:00:05")


def test_notes_and_links_of_people_stay(rig):
    other = rig.espocrm.add("Account", name="Hausverwaltung")
    tell(rig, ENDED)
    rig.work()
    [call] = rig.journalled()
    rig.espocrm.edit(
        "Call", call["id"], description=call["description"] + "\nHat Unterlagen", parentType="Account", parentId=other
    )
    rig.espocrm.add("Contact", firstName="Anna", lastName="Groß", phoneNumber="+495111234567")
    tell(rig, STARTED)
    rig.work()
    [call] = rig.journalled()
    assert "Hat Unterlagen" in call["description"]
    assert call["parentId"] == other


def test_a_deleted_call_does_not_come_back(rig):
    tell(rig, ENDED)
    rig.work()
    rig.espocrm.remove("Call", rig.journalled()[0]["id"])
    tell(rig, STARTED)
    rig.work()
    assert rig.journalled() == []


def test_after_a_flush_call_and_task_are_found_again(rig):
    missed = {**ENDED, "answered": False, "duration_s": None}
    tell(rig, missed)
    rig.work()
    [task] = rig.tasks()
    rig.redis.flushall()
    tell(rig, missed)
    rig.work()
    assert len(rig.journalled()) == 1
    assert [each["description"] for each in rig.tasks()] == [task["description"]]


def test_an_outage_of_espocrm_delays_the_journal(rig):
    from sandbox.faults import Fault

    rig.espocrm.board.add(Fault("status", method="POST", path="/Call$", status=503, times=1))
    tell(rig, ENDED)
    assert rig.work() == ["delayed"]
    assert rig.journalled() == []


def test_a_create_whose_answer_got_lost_is_not_repeated(rig):
    from sandbox.faults import Fault

    rig.espocrm.board.add(Fault("drop_after", method="POST", path="/Call$", times=1))
    tell(rig, ENDED)
    rig.work()
    assert len(rig.journalled()) == 1
    tell(rig, ENDED)
    rig.main.BUS.queue("threecx").reap()
    tell(rig, STARTED)
    rig.work()
    assert len(rig.journalled()) == 1


def test_digits_that_nobody_can_read_are_shown_and_matched_with_nobody(rig):
    rig.report(number="1234567")
    rig.work()
    [call] = rig.journalled()
    assert call["name"] == "Eingehender Anruf 1234567"


def test_nothing_in_redis_or_in_the_log_names_a_person_or_a_number(rig):
    rig.espocrm.add("Contact", firstName="Anna", lastName="Großkanarie", phoneNumber="+495111234567")
    rig.restart(LOG_LEVEL="DEBUG")
    tell(rig, STARTED)
    rig.http.get("/threecx/screenpop?number=%2B495111234567")
    rig.http.post("/threecx/calls", json={"number": "+495111234567", "extension": "102"})
    tell(rig, {**ENDED, "answered": False, "duration_s": None, "queue": "800"})
    rig.report(agent_email="kanarie@example.org")
    rig.lookup("+495111234567")
    in_redis = rig.in_redis()
    rig.work()
    for place in (in_redis, rig.in_redis(), rig.logged()):
        for canary in ("5111234567", "511 1234567", "kanarie", "Kanarie"):
            assert canary not in place


def test_a_call_whose_key_is_gone_waits_as_a_dead_letter_and_is_journalled_when_the_key_is_back(rig):
    tell(rig, ENDED)
    rig.restart(SIGNING_KEY="another key")
    assert rig.work() == ["dead"]
    [letter] = rig.main.BUS.queue(CALLS_QUEUE).dead(count=9)
    assert letter.error == "call-undecipherable"
    for key in rig.redis.zrange("threecx:open", 0, -1):
        rig.redis.zadd("threecx:open", {key: 0})
    assert rig.http.post("/threecx/reconcile").status_code == 200
    assert rig.redis.zcard("threecx:open") == 1
    rig.restart(SIGNING_KEY="")
    rig.main.BUS.queue(CALLS_QUEUE).redrive(letter.id)
    assert rig.work() == ["done"]
    assert len(rig.journalled()) == 1
