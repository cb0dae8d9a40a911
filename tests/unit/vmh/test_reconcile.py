"""What no webhook told is found."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from vmh_world import ENTITY

from sandbox.faults import Fault
from shared.errors import UpstreamError


def changed(world):
    return world.deps.reconcile.changed()


def full(world):
    return world.deps.reconcile.full()


@pytest.fixture
def settled(world):
    """Five parties, in step on both sides."""
    ids = [world.anna(lastName=f"Nr{number}", emailAddress=f"n{number}@example.org") for number in range(5)]
    changed(world)
    world.drain()
    for record_id in ids:
        world.espocrm.records._rows[ENTITY][record_id]["modifiedAt"] = "2026-01-01 00:00:00"
    world.links.set_watermark("2026-01-02 00:00:00")
    world.espocrm.sender.drop()
    return ids


def test_the_first_run_finds_everything_and_the_next_nothing(world):
    ids = [world.anna(lastName=f"Nr{number}", emailAddress=f"n{number}@example.org") for number in range(5)]
    first = changed(world)
    assert (first["checked"], first["added"], first["full"]) == (5, 5, False)
    assert world.pending() == sorted(ids)
    world.drain()
    again = changed(world)
    assert (again["added"], again["differing"]) == (0, 0)
    assert len(world.parties()) == 5


def test_events_that_were_dropped_on_the_way_are_repaired(world, settled):
    world.espocrm.edit(ENTITY, settled[0], addressCity="Celle")
    new = world.anna(lastName="Neu", emailAddress="neu@example.org")
    assert world.espocrm.sender.drop() == 2
    assert changed(world)["added"] == 2
    world.drain()
    assert world.party(settled[0])["ort"] == "Celle"
    assert world.party(new)["name"] == "Neu"
    assert changed(world)["added"] == 0


def test_only_what_changed_since_the_watermark_is_read(world, settled):
    world.espocrm.edit(ENTITY, settled[0], addressCity="Celle")
    assert changed(world)["checked"] == 1


def test_a_change_that_became_visible_late_is_within_the_overlap(world, settled):
    world.espocrm.edit(ENTITY, settled[0], addressCity="Celle")
    world.espocrm.records._rows[ENTITY][settled[0]]["modifiedAt"] = "2026-01-01 23:46:00"
    assert changed(world)["added"] == 1


def test_a_date_in_the_future_does_not_hide_what_comes_after(world, settled):
    world.espocrm.clock.advance(days=400)
    world.espocrm.edit(ENTITY, settled[0], addressCity="Celle")
    changed(world)
    world.espocrm.clock.advance(days=-400)
    assert world.links.watermark() <= datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    world.espocrm.edit(ENTITY, settled[1], addressCity="Peine")
    assert changed(world)["checked"] >= 1


def test_an_edit_in_the_very_second_of_the_last_reading_is_noticed(world):
    record_id = world.anna()
    world.work(record_id, "create")
    row = world.espocrm.records._rows[ENTITY][record_id]
    row["addressCity"] = "Celle"
    assert changed(world)["added"] == 1


def test_records_beyond_one_page_are_all_seen_also_if_some_change_meanwhile(world):
    ids = [world.anna(lastName=f"Nr{number}", silent=True) for number in range(410)]
    for number, record_id in enumerate(ids):
        world.espocrm.records._rows[ENTITY][record_id]["modifiedAt"] = f"2026-01-01 {number // 250:02}:00:00"
    original, moved = world.deps.sync.espocrm.find, [ids[0], ids[100]]

    def find(*args, **more):
        page = original(*args, **more)
        if moved:
            world.espocrm.edit(ENTITY, moved.pop(), addressCity="Celle")
        return page

    world.deps.sync.espocrm.find = find
    changed(world)
    assert world.pending() == sorted(ids)


def test_an_outage_in_the_middle_keeps_what_was_added_and_goes_on_from_there(world):
    ids = [world.anna(lastName=f"Nr{number}", silent=True) for number in range(250)]
    for number, record_id in enumerate(ids):
        world.espocrm.records._rows[ENTITY][record_id]["modifiedAt"] = f"2026-01-0{1 + number // 100} 00:00:00"
    world.espocrm.board.add(Fault("status", method="GET", path="CBeteiligte$", skip=1, times=3, status=503))
    with pytest.raises(UpstreamError):
        changed(world)
    assert len(world.pending()) == 200
    assert world.links.watermark() == "2026-01-02 00:00:00"
    changed(world)
    assert len(world.pending()) == 250


def test_it_may_run_twice_at_once(world):
    record_id = world.anna()
    assert (changed(world)["new"], changed(world)["pending"]) == (1, 1)
    world.drain()
    assert world.party(record_id)["name"] == "Groß"


def test_the_full_comparison_finds_a_party_changed_in_silence_on_either_side(world, settled):
    assert full(world)["added"] == 0
    row = world.espocrm.records._rows[ENTITY][settled[0]]
    row["addressCity"] = "Celle"  # neither a webhook nor a new date
    number = world.party(settled[1])["betNr"]
    world.advoware.registry.edit_party(number, email="anders@example.org")
    assert changed(world)["added"] == 0
    found = full(world)
    assert (found["checked"], found["added"], found["differing"]) == (5, 2, 2)
    world.drain()
    assert world.party(settled[0])["ort"] == "Celle"
    assert world.party(settled[1])["email"] == "n1@example.org"
    assert full(world)["added"] == 0


def test_it_finds_deletions_that_nobody_told_of(world, settled):
    world.espocrm.remove(ENTITY, settled[0], silent=True)
    number = world.links.of(settled[0]).bet_nr
    assert changed(world)["added"] == 0
    assert full(world)["added"] == 1
    world.drain()
    assert world.advoware.registry.party(number)["aktiv"] is False
    assert full(world)["added"] == 0


def test_an_empty_or_short_list_deletes_nothing(world):
    ids = [world.anna(lastName=f"Nr{number}", emailAddress=f"n{number}@example.org") for number in range(30)]
    changed(world)
    world.drain()
    world.espocrm.board.add(Fault("transform", method="GET", path="CBeteiligte$", transform=lambda _: {"list": []}))
    assert (full(world)["held"], world.pending()) == (30, [])
    world.espocrm.board.add(
        Fault("transform", method="GET", path="CBeteiligte$", transform=lambda body: {"list": body["list"][:5]})
    )
    assert (full(world)["held"], world.pending()) == (25, [])
    world.espocrm.board.add(
        Fault("transform", method="GET", path="CBeteiligte$", transform=lambda body: {"list": body["list"][:20]})
    )
    full(world)
    world.drain()
    assert all(party["aktiv"] for party in world.parties())
    assert len(ids) == 30


def test_a_page_instead_of_a_list_is_a_failure(world, settled):
    world.espocrm.board.add(Fault("html"))
    with pytest.raises(UpstreamError):
        full(world)
    assert world.pending() == []


def test_an_advoware_that_lists_nobody_is_asked_for_each(world, settled):
    path = {"method": "GET", "path": "^/beteiligte$", "query": "^$"}
    for fault in (
        Fault("status", status=400, **path),
        Fault("truncate", keep=0, **path),
        Fault("truncate", keep=2, **path),
    ):
        world.advoware.board.add(fault)
        assert full(world)["differing"] == 0


def test_after_a_flush_everything_is_found_again_and_nothing_doubled(world, settled):
    world.espocrm.edit(ENTITY, settled[0], addressCity="Celle")
    world.client.flushall()
    changed(world)
    world.drain()
    assert len(world.parties()) == 5
    assert world.party(settled[0])["ort"] == "Celle"
    assert full(world)["added"] == 0


def test_what_waits_for_a_person_is_not_announced_again_until_it_changes(world):
    for _ in range(2):
        world.advoware.registry.create_party(name="Groß", vorname="Anna", email="anna@example.org")
    record_id = world.anna()
    world.espocrm.records._rows[ENTITY][record_id]["modifiedAt"] = "2026-01-01 00:00:00"
    world.work(record_id)
    for run in (changed, full):
        assert (run(world)["added"], run(world)["dead"]) == (0, 1)
    world.espocrm.clock.advance(seconds=2)
    world.espocrm.edit(ENTITY, record_id, emailAddress="andere@example.org", phoneNumber=None)
    assert changed(world)["added"] == 1
