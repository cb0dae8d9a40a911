"""Tasks that nobody begins in time are raised once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from leads_world import FORM, World

from functions.leads.office import BERLIN
from sandbox.faults import Fault

LATE = datetime(2027, 1, 14, 15, 0, tzinfo=BERLIN)


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


@pytest.fixture
def world(make_world) -> World:
    made = make_world(LEAD_ESCALATE_TO="9", OFFICE_HOURS="Mo-Fr 09:00-17:00")
    made.post(FORM)
    made.work()
    set_due(made, LATE - timedelta(hours=2))
    set_clock(made, LATE)
    return made


def set_due(world: World, moment: datetime) -> None:
    world.espocrm.edit("Task", world.rows("Task")[0]["id"], dateEnd=stamp(moment))


def set_clock(world: World, moment: datetime) -> None:
    object.__setattr__(world.main.deps().maintenance.escalation, "clock", lambda: moment)


def escalated(world: World) -> int:
    answer = world.client.post("/leads/maintenance")
    assert answer.json["failed"] == []
    return answer.json["escalated"]


def test_an_untouched_task_is_raised_once_handed_on_and_told(world):
    assert escalated(world) == 1
    task = world.rows("Task")[0]
    assert (task["priority"], task["assignedUserId"], task["status"]) == ("Urgent", "9", "Not Started")
    assert task["description"].endswith("\nEskaliert: 14.01.2027 15:00")
    (note,) = world.rows("Note")
    assert (note["parentType"], note["parentId"]) == ("Lead", world.rows("Lead")[0]["id"])
    assert "Noch nicht bearbeitet" in note["post"]
    assert escalated(world) == 0
    world.redis[0].flushall()
    assert escalated(world) == 0
    assert len(world.rows("Note")) == 1


@pytest.mark.parametrize(
    ("due", "now", "count"),
    [
        ("14T16:00", "14T15:00", 0),
        ("14T14:01", "14T15:00", 0),
        ("14T13:59", "14T15:00", 1),
        ("13T16:30", "14T09:29", 0),  # half an hour of office time yesterday, half today
        ("13T16:30", "14T09:31", 1),
        ("14T06:00", "14T09:59", 0),
        ("15T16:30", "17T12:00", 0),  # a Sunday
    ],
)
def test_a_task_is_given_an_hour_of_office_time(world, due, now, count):
    set_due(world, datetime.fromisoformat(f"2027-01-{due}").replace(tzinfo=BERLIN))
    set_clock(world, datetime.fromisoformat(f"2027-01-{now}").replace(tzinfo=BERLIN))
    assert escalated(world) == count


@pytest.mark.parametrize("status", ["Started", "Completed", "Deferred"])
def test_a_task_that_somebody_has_begun_is_left_alone(world, status):
    world.espocrm.edit("Task", world.rows("Task")[0]["id"], status=status)
    assert escalated(world) == 0


def test_a_lead_that_somebody_works_on_is_left_alone(world):
    world.espocrm.edit("Lead", world.rows("Lead")[0]["id"], status="In Process")
    assert escalated(world) == 0


def test_tasks_of_others_are_none_of_ours(world):
    world.espocrm.add(
        "Task", name="Alt", dateEnd="2020-01-01 09:00:00", assignedUserId="1", description="Vorgang wichtig"
    )
    assert escalated(world) == 1


def test_two_runs_at_once_tell_it_once(world):
    from concurrent.futures import ThreadPoolExecutor

    world.espocrm.board.add(Fault("delay", method="GET", path="/Task$", seconds=0.3, times=2))
    with ThreadPoolExecutor(2) as pool:
        counts = list(pool.map(lambda _: escalated(world), range(2)))
    assert (sum(counts), len(world.rows("Note"))) == (1, 1)


def test_without_a_person_it_stays_where_it_is(make_world):
    world = make_world()
    world.post(FORM)
    world.work()
    set_due(world, LATE - timedelta(hours=2))
    set_clock(world, LATE)
    assert escalated(world) == 1
    assert (world.rows("Task")[0]["assignedUserId"], world.rows("Task")[0]["priority"]) == ("1", "Urgent")
