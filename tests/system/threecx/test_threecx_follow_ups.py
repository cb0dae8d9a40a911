"""What follows from calls: call-backs, follow-ups, consent taken back, people who become known later."""

from datetime import UTC, datetime, timedelta

import pytest

NOW = datetime.now(UTC).replace(microsecond=0)


def at(minutes: float) -> str:
    return (NOW + timedelta(minutes=minutes)).isoformat()


def ring(rig, call_id: str, minutes: float, *, answered: bool, **more):
    """Let a whole call be told."""
    more = {"extension": "102", **more}
    rig.event("call.started", call_id, timestamp=at(minutes), **more)
    length = {"duration_s": 30} if answered else {}
    answer = rig.event("call.ended", call_id, timestamp=at(minutes + 1), answered=answered, **length, **more)
    assert answer.json == {"stored": True}


def silent(rig):
    """Let it be long ago that anything was heard of the open calls."""
    rig.redis.zadd("threecx:open", dict.fromkeys(rig.redis.zrange("threecx:open", 0, -1), 0))


def test_a_missed_call_becomes_one_task_for_each_number(rig):
    contact = rig.espocrm.add("Contact", firstName="Anna", lastName="Groß", phoneNumber="+495111234567")
    ring(rig, "c-1", -60, answered=False)
    rig.work()
    ring(rig, "c-2", -40, answered=False)
    ring(rig, "c-2", -40, answered=False)
    rig.work()
    ring(rig, "c-3", -39, answered=False, caller="+495117654321")
    rig.work()
    [first, second] = sorted(rig.tasks(), key=lambda task: task["name"])
    assert (first["name"], second["name"]) == ("Rückruf +495117654321", "Rückruf Anna Groß")
    assert second["description"].count("Verpasst: ") == 2
    assert (second["parentType"], second["parentId"], second["priority"]) == ("Contact", contact, "High")
    assert second["dateEnd"] > NOW.strftime("%Y-%m-%d %H:%M:%S")[:10]
    assert len(rig.journalled()) == 3


def test_a_later_successful_call_closes_the_task_in_either_direction(rig):
    ring(rig, "c-1", -60, answered=False)
    rig.work()
    ring(rig, "c-2", -90, answered=True)
    rig.work()
    assert rig.tasks()[0]["status"] == "Not Started"
    outbound = {"direction": "outbound", "caller": "102", "callee": "+495111234567"}
    ring(rig, "c-3", -30, answered=True, **outbound)
    rig.work()
    assert rig.tasks()[0]["status"] == "Completed"
    ring(rig, "c-4", -10, answered=False)
    rig.work()
    assert sorted(task["status"] for task in rig.tasks()) == ["Completed", "Not Started"]


def test_a_missed_call_that_is_told_after_the_successful_one_makes_no_task(rig):
    ring(rig, "c-2", -30, answered=True)
    rig.work()
    ring(rig, "c-1", -60, answered=False)
    rig.work()
    assert rig.tasks() == []


def test_outgoing_calls_that_nobody_took_are_no_call_backs(rig):
    ring(rig, "c-1", -60, answered=False, direction="outbound", caller="102", callee="+495111234567")
    rig.work()
    assert rig.tasks() == []
    assert rig.journalled()[0]["status"] == "Not Held"


@pytest.mark.parametrize(
    ("text", "status", "tasks"),
    [
        ("Kollision: frei\nRückruf: ja", "Assigned", 1),
        ("Kollision: offen", "Assigned", 0),
        ("Kollision: frei\nPrüfung: ja (Name)", "Assigned", 0),
        ("Kollision: frei", "Dead", 0),
    ],
)
def test_a_qualified_lead_is_looked_after_once(rig, text, status, tasks):
    lead = rig.espocrm.add("Lead", lastName="Zeller", phoneNumber="+495111234567", description=text, status=status)
    for number in (1, 2):
        ring(rig, f"c-{number}", -90 + 20 * number, answered=True)
        rig.work()
    found = [task for task in rig.tasks() if task["parentId"] == lead]
    assert [task["name"] for task in found] == ["Nachfassen Zeller"] * tasks


@pytest.mark.parametrize("can_erase", [True, False])
def test_consent_taken_back_takes_the_link_and_asks_for_deletion(rig, can_erase):
    rig.pbx.can_erase = can_erase
    rig.pbx.recordings["c-77"] = b"audio"
    given = {"recording_id": "r-9", "recording_consent": "given", "answered": True, "duration_s": 5}
    rig.event("call.ended", timestamp=at(-5), **given)
    rig.work()
    [call] = rig.journalled()
    assert "/threecx/calls/c-77/recording" in call["description"]
    rig.event("call.ended", timestamp=at(-1), recording_consent="withdrawn", recording_id="r-9")
    rig.work()
    [call] = rig.journalled()
    assert "/recording" not in call["description"]
    assert "Einwilligung: widerrufen" in call["description"]
    what = "gelöscht" if can_erase else "in der Telefonanlage zu löschen"
    assert f"Aufzeichnung: gesperrt, {what}" in call["description"]
    assert rig.pbx.erased == (["c-77"] if can_erase else [])
    assert rig.http.get("/threecx/calls/c-77/recording").status_code == 403
    rig.event("call.ended", timestamp=at(-1), recording_consent="withdrawn", recording_id="r-9")
    rig.work()
    assert len(rig.pbx.erased) <= 1


def test_a_number_saved_later_relinks_its_unknown_calls(rig):
    ring(rig, "c-1", -60, answered=True)
    rig.work()
    assert rig.journalled()[0].get("parentId") is None
    contact = rig.espocrm.add("Contact", firstName="Anna", lastName="Groß", phoneNumber="+495111234567")
    answer = rig.http.post("/threecx/reconcile")
    assert (answer.status_code, answer.json["relinked"]) == (200, 1)
    [call] = rig.journalled()
    assert (call["parentType"], call["parentId"]) == ("Contact", contact)
    assert call["name"] == "Eingehender Anruf Anna Groß"
    assert rig.http.post("/threecx/reconcile").json["relinked"] == 0


def test_a_call_whose_end_nobody_told_is_asked_for(rig):
    placed = rig.http.post("/threecx/calls", json={"number": "+4915112345678", "extension": "102"}).json
    silent(rig)
    rig.pbx.move(placed["call_id"], "ended", started_at=at(-9), answered_at=at(-8), ended_at=at(-6))
    assert rig.http.post("/threecx/reconcile").json["ended"] == 1
    rig.work()
    [call] = rig.journalled()
    assert (call["status"], call["direction"]) == ("Held", "Outbound")


def test_a_call_that_hangs_for_hours_is_journalled_as_it_is(rig):
    rig.event("call.started", timestamp=at(-7 * 60), extension="102")
    rig.work()
    assert rig.journalled() == []
    silent(rig)
    assert rig.http.post("/threecx/reconcile").json["again"] == 1
    rig.work()
    assert [call["status"] for call in rig.journalled()] == ["Not Held"]
    assert rig.http.post("/threecx/reconcile").json["again"] == 0


def test_the_report_names_the_record_only_where_we_agree(rig):
    lead = rig.espocrm.add("Lead", lastName="Zeller", phoneNumber="+495117654321")
    rig.report(entity_type="Lead", entity_id=lead)
    rig.report(entity_type="Account", entity_id="0" * 17, number="+493012345678")
    rig.work()
    parents = {call["name"].rpartition(" ")[2]: call.get("parentId") for call in rig.journalled()}
    assert parents == {"Zeller": lead, "+493012345678": None}


def test_two_people_with_one_number_leave_the_call_open(rig):
    for name in ("Anna", "Berta"):
        rig.espocrm.add("Contact", firstName=name, lastName="Groß", phoneNumber="+495111234567")
    ring(rig, "c-1", -60, answered=True)
    rig.work()
    [call] = rig.journalled()
    assert call.get("parentId") is None
    assert "Zuordnung: offen, 2 mögliche Personen" in call["description"]
