"""A record that is gone: deleted, vanished, restored, or told of in the wrong order."""

from __future__ import annotations

from itertools import permutations

import pytest
from vmh_world import ENTITY

from shared import metrics


@pytest.fixture
def linked(world):
    record_id = world.anna()
    world.work(record_id, "create")
    return record_id, world.party(record_id)["betNr"]


def test_a_deleted_record_makes_its_party_inactive_and_is_never_deleted_itself(world, linked):
    record_id, number = linked
    world.espocrm.remove(ENTITY, record_id)
    assert world.work(record_id, "delete").kind == "done"
    assert world.advoware.registry.party(number)["aktiv"] is False
    assert world.advoware.registry.party(number)["name"] == "Groß"


def test_a_second_word_of_the_same_deletion_writes_nothing(world, linked):
    record_id, _ = linked
    world.espocrm.remove(ENTITY, record_id)
    world.work(record_id, "delete")
    world.forget_calls()
    assert world.work(record_id, "delete").kind == "done"
    assert world.writes() == 0


def test_where_the_firm_wants_it_the_party_is_deleted(make_world):
    world = make_world(ADVOWARE_DELETE_PARTIES="true")
    record_id = world.anna()
    world.work(record_id, "create")
    world.espocrm.remove(ENTITY, record_id)
    world.work(record_id, "delete")
    assert world.parties() == []


def test_a_vanished_record_without_a_word_of_its_deletion_changes_nothing_and_is_counted(world, linked):
    record_id, number = linked
    world.espocrm.remove(ENTITY, record_id)
    world.forget_calls()
    counter = metrics.WORK.labels("vmh.beteiligte.update", "vanished")
    before = counter._value.get()
    assert world.work(record_id, "update").kind == "done"
    assert counter._value.get() == before + 1
    assert world.writes() == 0
    assert world.advoware.registry.party(number)["aktiv"] is True


def test_a_deletion_after_a_flush_becomes_a_dead_letter_and_its_redrive_takes_a_number(world, linked):
    record_id, number = linked
    world.client.flushall()
    world.espocrm.remove(ENTITY, record_id)
    outcome = world.work(record_id, "delete")
    assert (outcome.kind, outcome.error) == ("dead", "party-unknown")
    assert world.advoware.registry.party(number)["aktiv"] is True
    world.links.choose(record_id, number)
    world.queue.redrive(world.queue.dead(count=1)[0].id)
    assert world.run(record_id).kind == "done"
    assert world.advoware.registry.party(number)["aktiv"] is False


def test_a_word_of_deletion_for_a_record_that_is_there_only_brings_it_up_to_date(world, linked):
    record_id, number = linked
    world.espocrm.edit(ENTITY, record_id, addressCity="Celle")
    world.work(record_id, "delete")
    party = world.advoware.registry.party(number)
    assert (party["aktiv"], party["ort"]) == (True, "Celle")


def test_a_restored_record_makes_its_party_active_again(world, linked):
    record_id, number = linked
    world.espocrm.remove(ENTITY, record_id)
    world.work(record_id, "delete")
    world.espocrm.records.restore(ENTITY, record_id)
    world.work(record_id, "update")
    assert world.advoware.registry.party(number)["aktiv"] is True


def test_a_party_that_a_person_made_inactive_stays_so(world, linked):
    record_id, number = linked
    world.advoware.registry.edit_party(number, aktiv=False)
    world.espocrm.edit(ENTITY, record_id, addressCity="Celle")
    world.work(record_id)
    party = world.advoware.registry.party(number)
    assert (party["aktiv"], party["ort"]) == (False, "Celle")


def test_a_party_that_another_record_still_needs_stays_active(world, linked):
    record_id, number = linked
    twin = world.anna()
    world.work(twin, "create")
    world.espocrm.remove(ENTITY, record_id)
    world.work(record_id, "delete")
    assert world.advoware.registry.party(number)["aktiv"] is True
    world.espocrm.remove(ENTITY, twin)
    world.work(twin, "delete")
    assert world.advoware.registry.party(number)["aktiv"] is False


def test_a_party_that_is_gone_already_is_no_trouble(world, linked):
    record_id, number = linked
    world.advoware.registry.delete_party(number)
    world.espocrm.remove(ENTITY, record_id)
    assert world.work(record_id, "delete").kind == "done"


@pytest.mark.parametrize("order", list(permutations(["create", "update", "update", "delete"]))[::2])
def test_the_order_of_events_does_not_matter(world, order):
    record_id = world.anna()
    world.work(record_id, "create")
    number = world.party(record_id)["betNr"]
    world.espocrm.edit(ENTITY, record_id, addressCity="Celle")
    world.espocrm.remove(ENTITY, record_id)
    for op in order:
        world.work(record_id, op)
    assert world.advoware.registry.party(number)["aktiv"] is False
    assert len(world.parties()) == 1
    assert world.queue.dead(count=1) == []
