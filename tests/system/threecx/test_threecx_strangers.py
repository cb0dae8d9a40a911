"""Calls of nobody: linked when their number is saved, however late, and deleted when they are too old."""

import pytest

from sandbox.faults import Fault

NUMBER = "+495111234567"


def ring(rig, call_id="c-1", **more):
    fields = {"timestamp": "2026-11-24T08:03:00Z", "extension": "102", "answered": True, "duration_s": 30}
    rig.event("call.ended", call_id, **{**fields, **more})
    rig.work()


def reconcile(rig) -> dict:
    answer = rig.http.post("/threecx/reconcile")
    assert answer.status_code == 200
    return answer.json


@pytest.mark.parametrize("lost", ["nothing", "the events", "all of Redis"])
def test_a_number_saved_later_links_its_calls_whatever_was_forgotten(rig, lost):
    ring(rig)
    if lost == "the events":
        rig.redis.delete(*rig.redis.keys("threecx:call:*"))
    if lost == "all of Redis":
        rig.redis.flushall()
    contact = rig.espocrm.add("Contact", firstName="Anna", lastName="Groß", phoneNumber=NUMBER)
    assert reconcile(rig)["relinked"] == 1
    [call] = rig.journalled()
    assert (call["parentType"], call["parentId"], call["contactsIds"]) == ("Contact", contact, [contact])
    assert call["name"] == "Eingehender Anruf Anna Groß"
    assert call["status"] == "Held"
    assert reconcile(rig)["relinked"] == 0
    ring(rig)
    assert rig.journalled()[0]["parentId"] == contact


def test_what_may_be_two_people_or_was_withheld_is_not_linked(rig):
    ring(rig)
    ring(rig, "c-2", caller="anonymous")
    for name in ("Anna", "Berta"):
        rig.espocrm.add("Contact", firstName=name, lastName="Groß", phoneNumber=NUMBER)
    assert reconcile(rig)["relinked"] == 0
    assert all(not call.get("parentId") for call in rig.journalled())


def test_old_calls_of_nobody_are_deleted_and_nothing_else(rig):
    rig.espocrm.clock.advance(days=-91)
    ring(rig, "c-1", answered=False, duration_s=None)
    ring(rig, "c-2", caller="+493011111111", answered=False, duration_s=None)
    ring(rig, "c-3", caller="anonymous")
    rig.espocrm.add("Contact", lastName="Groß", phoneNumber="+493022222222")
    ring(rig, "c-4", caller="+493022222222")
    noted = next(call for call in rig.journalled() if call["name"].endswith(NUMBER))
    rig.espocrm.edit("Call", noted["id"], description=noted["description"] + "\nRuft wegen Räumung wieder an")
    theirs = rig.espocrm.add(
        "Call", name="Von Hand", dateStart="2026-01-01 08:00:00", dateEnd="2026-01-01 08:05:00", assignedUserId="u"
    )
    done = next(task for task in rig.tasks() if task["name"].endswith(NUMBER))
    rig.espocrm.edit("Task", done["id"], status="Completed")
    rig.espocrm.clock.advance(days=91)
    ring(rig, "c-5", caller="+493033333333")
    assert reconcile(rig)["expired"] == 3
    left = {call["name"].split()[-1] for call in rig.journalled()}
    assert left == {NUMBER, "Groß", "Hand", "+493033333333"}
    assert theirs in {call["id"] for call in rig.journalled()}
    assert [task["name"] for task in rig.tasks()] == ["Rückruf +493011111111"]
    assert reconcile(rig)["expired"] == 0


def test_while_espocrm_is_down_reconcile_answers_all_the_same(rig):
    rig.espocrm.board.add(Fault("status", status=503, times=None))
    counts = reconcile(rig)
    assert (counts["relinked"], counts["expired"]) == (0, 0)
    assert "reconcile_incomplete" in rig.logged()
