"""Optional notes: which matters of Advoware a call may concern, once for each call that was taken."""

import pytest
from threecx_rig import world

from sandbox.faults import Fault

NUMBER = "+495111234567"


@pytest.fixture
def rig(phone_redis, monkeypatch):
    with world(monkeypatch, phone_redis, THREECX_MATTER_NOTES="true") as made:
        yield made


def a_client(rig) -> str:
    contact = rig.espocrm.add("Contact", firstName="Anna", lastName="Groß", phoneNumber=NUMBER)
    bet = rig.advoware.registry.create_party(vorname="Anna", name="Groß")
    rig.espocrm.add("CBeteiligte", lastName="Groß", betnr=str(bet), contactId=contact)
    rig.advoware.registry.create_matter("123/26", kurzrubrum="Groß ./. Müller", sachbearbeiter="SB", betNr=bet)
    rig.advoware.registry.create_matter("7/20", kurzrubrum="Groß ./. Alt", status="abgelegt", betNr=bet)
    return contact


def ring(rig, **more):
    fields = {"timestamp": "2026-11-24T08:03:00Z", "extension": "102", "answered": True, "duration_s": 120}
    rig.event("call.ended", **{**fields, **more})


def notes(rig) -> list[dict]:
    return rig.espocrm.records.all("Note")


def test_a_call_that_was_taken_is_noted_once_with_the_running_matters(rig):
    contact = a_client(rig)
    for _ in range(2):
        ring(rig)
        rig.work()
    rig.report(started_at="2026-11-24T08:01:02Z")
    rig.work()
    rig.redis.flushall()
    ring(rig)
    rig.work()
    [note] = notes(rig)
    assert (note["type"], note["parentType"], note["parentId"]) == ("Post", "Contact", contact)
    first, second, last = note["post"].splitlines()
    assert first == "Eingehendes Telefonat am 24.11.2026, 09:01 bis 09:03 Uhr"
    assert second == "Akte 123/26: Groß ./. Müller, SB"
    assert last.startswith("Vorgang: c-")
    assert NUMBER[3:] not in note["post"]


@pytest.mark.parametrize("case", ["missed", "unknown", "no matter", "switched off"])
def test_nothing_is_noted_without_a_call_a_person_or_a_matter(rig, case):
    if case == "no matter":
        rig.espocrm.add("Contact", lastName="Groß", phoneNumber=NUMBER)
    elif case != "unknown":
        a_client(rig)
    if case == "switched off":
        rig.restart(THREECX_MATTER_NOTES="false")
    ring(rig, **({"answered": False, "duration_s": None} if case == "missed" else {}))
    assert set(rig.work()) == {"done"}
    assert len(rig.journalled()) == 1
    assert notes(rig) == []


def test_while_advoware_is_down_the_call_is_journalled_and_the_note_waits(rig):
    a_client(rig)
    rig.advoware.board.add(Fault("status", path="akten", status=503, times=None))
    ring(rig)
    assert rig.work() == ["delayed"]
    assert len(rig.journalled()) == 1
    rig.advoware.board.clear()
    ring(rig)
    rig.main.deps().journal.write(next(iter(rig.redis.zrange("threecx:open", 0, -1))))
    assert (len(rig.journalled()), len(notes(rig))) == (1, 1)
