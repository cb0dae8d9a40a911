"""Who gets a lead: rules, turns, whoever has least to do, and the handler of a tenant's landlord."""

from __future__ import annotations

import json

import pytest
from leads_world import FORM

RULES = [
    {"land": "BY", "person": "7"},
    {"typ": "vermieter_anfrage", "thema": ["kuendigung", "raeumung"], "person": ["3", "4", "5"], "wahl": "frei"},
    {"person": ["8", "9"], "team": "t1"},
]


@pytest.fixture
def world(make_world):
    return make_world(LEAD_ROUTES=json.dumps(RULES))


def assigned(world) -> str:
    lead, task = world.rows("Lead")[-1], world.rows("Task")[-1]
    assert lead.get("assignedUserId") == task["assignedUserId"]
    return str(task["assignedUserId"])


def send(world, number: int = 0, **more) -> None:
    contact = {"email": f"a{number}@example.org", "telefon": "", "nachricht": f"Text {number}"}
    world.post(FORM | contact | more)
    world.work()


def test_the_land_of_the_object_counts(world):
    send(world, objekt_plz="80331")
    assert assigned(world) == "7"


def test_whoever_has_the_fewest_open_tasks_is_next(world):
    for person, status in (("3", "Not Started"), ("4", "Completed"), ("5", "Started"), ("3", "Not Started")):
        world.espocrm.add("Task", name="x", assignedUserId=person, status=status)
    order = []
    for number in range(4):
        send(world, number)
        order.append(assigned(world))
    assert order == ["4", "4", "5", "3"]


def test_turns_are_spread_and_a_repeat_keeps_its_person(world):
    from sandbox.faults import Fault

    seen = set()
    for number in range(12):
        world.espocrm.board.add(Fault("status", method="POST", path="/Task$", status=503, times=1))
        send(world, number, thema="kaution")
        world.work()
        seen.add(assigned(world))
    assert seen == {"8", "9"}


def test_a_tenant_goes_to_whoever_handles_the_landlord(world):
    send(world, 1, gegenseite_name="Max Meier", objekt_plz="80331")
    landlord = assigned(world)
    assert landlord == "7"
    send(world, 2, typ="mieter", nachname="Maier", vorname="Max", nachricht="Ich bin der Mieter Meier")
    assert assigned(world) in {"8", "9"}  # EspoCRM's search knows no other spelling
    send(world, 3, typ="mieter", nachname="Meier", vorname="Max", nachricht="Ich bin der Mieter")
    assert assigned(world) == landlord


@pytest.mark.parametrize("why", ["named in the message only", "closed", "nobody's"])
def test_a_tenant_whose_landlord_is_not_surely_known_goes_by_the_rules(world, why):
    more = {"nachricht": "Es geht um Meier"} if why.startswith("named") else {"gegenseite_name": "Max Meier"}
    send(world, 1, objekt_plz="80331", **more)
    row = world.rows("Lead")[0]
    if why == "closed":
        world.espocrm.edit("Lead", row["id"], status="Dead")
    if why == "nobody's":
        world.espocrm.edit("Lead", row["id"], assignedUserId=None)
    send(world, 2, typ="mieter", nachname="Meier")
    assert assigned(world) in {"8", "9"}
