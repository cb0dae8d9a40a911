"""Deterministic ids, deleted events in every form Google may keep them, and appointments that come back."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import redis
from calendar_checks import in_step
from calendar_world import World, private, termin, timed, world

from sandbox.faults import Fault


@pytest.fixture
def office(state: redis.Redis) -> Iterator[World]:
    with world(state, full=True, direct=True) as w:
        w.run()
        yield w


def linked(w: World, text: str = "Verhandlung") -> int:
    number = w.advoware.create("SB", **termin(2, text))
    w.settle()
    return number


def ids(w: World, *, deleted: bool = False) -> list[str]:
    return sorted(event["id"][-2:] for event in w.google.events(w.calendar(), deleted=deleted))


def delete_in_google(w: World, number: int) -> str:
    event = w.event_of(number)["id"]
    w.google.delete_event(w.calendar(), event)
    return str(event)


def test_the_id_of_an_event_says_whose_it_is(office: World) -> None:
    number = linked(office)
    assert re.fullmatch(rf"adv[0-9a-v]{{8}}f{number}g0", office.event_of(number)["id"])


def test_two_answers_lost_in_a_row_make_one_event(office: World) -> None:
    for _ in range(2):
        office.google.board.add(Fault("drop_after", "POST", path="/events$", times=3))
        office.advoware.create("SB", **termin(2, "Verhandlung"))
        office.run()
    office.google.board.clear()
    office.settle()
    assert ids(office) == ["g0", "g0"]
    in_step(office)


@pytest.mark.parametrize("manner", ["with_props", "id_only"])
def test_an_edit_in_advoware_brings_a_deleted_event_back(office: World, manner: str) -> None:
    office.google.manners.tombstones = manner
    number = linked(office)
    delete_in_google(office, number)
    office.advoware.edit(number, text="neu")
    office.settle()
    if manner == "with_props":
        assert ids(office) == ["g0"]
        in_step(office)
    else:  # nothing tells what was deleted: it counts as a person's deletion, seen twice
        assert office.advoware.appointments() == []


def test_a_refused_restoration_takes_the_next_generation_each_time(office: World) -> None:
    office.google.restore_allowed = False
    number = linked(office)
    for generation in (1, 2, 3):
        delete_in_google(office, number)
        office.advoware.edit(number, text=f"neu {generation}")
        office.settle()
        assert ids(office) == [f"g{generation}"]
        in_step(office)
    office.flush()
    office.forget_calls()
    office.run()
    assert office.writes() == []


def test_ids_of_a_purged_bin_are_passed_over(office: World) -> None:
    office.google.restore_allowed = False
    number = linked(office)
    office.advoware.move(number, "KL")
    office.settle()
    office.google.purge_tombstones()
    office.advoware.move(number, "SB")
    office.settle()
    assert ids(office) == ["g1"]
    in_step(office)
    office.advoware.move(number, "KL")
    office.settle()
    office.google.purge_tombstones()
    office.flush()
    office.advoware.move(number, "SB")
    office.settle()
    assert ids(office) == ["g2"]
    in_step(office)


def test_a_purged_tombstone_whose_appointment_is_still_there_is_created_anew(office: World) -> None:
    number = linked(office)
    delete_in_google(office, number)
    office.google.purge_tombstones()
    office.flush()
    office.settle()
    assert ids(office) == ["g1"]
    in_step(office)


def test_row_10_deletes_only_on_second_sight(office: World) -> None:
    office.google.manners.tombstones = "id_only"
    number = linked(office)
    delete_in_google(office, number)
    office.run()
    assert len(office.advoware.appointments()) == 1
    office.run()
    assert office.advoware.appointments() == []


def test_row_10_looks_again_before_it_deletes(office: World) -> None:
    office.google.manners.tombstones = "id_only"
    number = linked(office)
    event = delete_in_google(office, number)
    office.run()

    def restore(_number: int, name: str) -> None:
        if name == "google GET events":
            office.wire.after = None
            office.google.restore_event(office.calendar(), event)

    office.wire.after = restore
    office.run()
    office.settle()
    assert len(office.advoware.appointments()) == 1
    in_step(office)


@pytest.mark.parametrize("manner", ["with_props", "id_only", "purged"])
@pytest.mark.parametrize("restorable", [True, False], ids=["restorable", "refused"])
def test_an_appointment_given_to_a_colleague_and_back_survives(office: World, manner: str, restorable: bool) -> None:
    office.google.manners.tombstones, office.google.restore_allowed = manner, restorable
    office.run("KL")
    number = linked(office)
    for kuerzel in ("KL", "SB", "KL", "SB"):
        office.advoware.move(number, kuerzel)
        for _ in range(3):
            office.settle("SB")
            office.settle("KL")
        in_step(office, "SB")
        in_step(office, "KL")
        assert len(office.advoware.appointments()) == 1


def test_a_stale_event_deleted_by_hand_does_not_delete_what_comes_back(office: World) -> None:
    number = linked(office)
    office.advoware.move(number, "KL")
    delete_in_google(office, number)
    office.settle()
    office.advoware.move(number, "SB")
    office.settle()
    assert len(office.advoware.appointments()) == 1
    in_step(office)


def test_a_deletion_undone_before_the_run_changes_nothing(office: World) -> None:
    number = linked(office)
    office.google.restore_event(office.calendar(), delete_in_google(office, number))
    office.settle()
    assert len(office.advoware.appointments()) == 1
    in_step(office)


def test_an_event_taken_out_of_the_bin_after_its_appointment_went_is_cancelled_again(office: World) -> None:
    number = linked(office)
    event = delete_in_google(office, number)
    office.settle()
    assert office.advoware.appointments() == []
    office.google.restore_event(office.calendar(), event)
    office.settle()
    assert office.events() == []


def test_an_old_event_beside_its_successor_is_cleaned_up_and_its_deletion_harms_nobody(office: World) -> None:
    office.google.restore_allowed = False
    number = linked(office)
    old = delete_in_google(office, number)
    office.advoware.edit(number, text="neu")
    office.settle()
    assert ids(office) == ["g1"]
    office.google.restore_event(office.calendar(), old)
    office.settle()
    assert len(office.events()) == 1
    in_step(office)
    office.settle()
    assert len(office.advoware.appointments()) == 1


def test_an_old_event_restored_and_deleted_again_within_one_run_deletes_nothing(office: World) -> None:
    office.google.restore_allowed = False
    number = linked(office)
    old = delete_in_google(office, number)
    office.advoware.edit(number, text="neu")
    office.settle()
    office.google.restore_event(office.calendar(), old)
    office.google.delete_event(office.calendar(), old)
    office.settle()
    assert [row["text"] for row in office.advoware.appointments()] == ["neu"]
    in_step(office)


def test_an_event_of_google_moved_far_back_is_found_when_its_token_is_lost(office: World) -> None:
    event = office.google.create_event(office.calendar(), timed(2, summary="Besprechung"))
    office.settle()
    office.google.edit_event(office.calendar(), event["id"], **timed(-60))
    office.flush()
    office.settle()
    assert len(office.advoware.appointments()) == len(office.events()) == 1
    assert private(office.events()[0])["adv_o"] == "g"
    in_step(office)


def test_an_appointment_that_lost_its_event_for_good_comes_back(office: World) -> None:
    event = office.google.create_event(office.calendar(), timed(2, summary="Besprechung"))
    office.settle()
    office.google.delete_event(office.calendar(), event["id"])
    office.google.purge_tombstones()
    office.flush()
    office.settle()
    in_step(office)
    assert len(office.advoware.appointments()) == 1


def test_the_policy_restore_brings_back_what_was_born_in_advoware(state: redis.Redis) -> None:
    with world(state, full=True, direct=True, CALENDAR_DELETE_POLICY="restore") as w:
        w.run()
        number = linked(w)
        event = w.google.create_event(w.calendar(), timed(3, summary="G"))
        w.settle()
        delete_in_google(w, number)
        w.google.delete_event(w.calendar(), event["id"])
        w.settle()
        assert [row["frNr"] for row in w.advoware.appointments()] == [number]
        in_step(w)


def test_without_permission_to_write_google_follows_advoware(state: redis.Redis) -> None:
    with world(state, full=True, direct=True, ADVOWARE_WRITE_ENABLED="false") as w:
        w.run()
        numbers = [linked(w), linked(w)]
        delete_in_google(w, numbers[0])
        w.google.edit_event(w.calendar(), w.event_of(numbers[1])["id"], summary="G")
        w.google.create_event(w.calendar(), timed(3, summary="privat"))
        w.advoware.board.forget_calls()
        w.settle()
        assert {call.method for call in w.advoware.board.calls} == {"GET"}
        assert sorted(event["summary"] for event in w.events()) == ["Verhandlung", "Verhandlung", "privat"]
