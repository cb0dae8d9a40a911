"""An update that arrives while its record is worked on: ours runs again, the predecessor's way swallows it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from vmh_world import ENTITY

sys.path.append(str(Path(__file__).parents[2] / "system" / "vmh"))

import naive


@pytest.fixture
def linked(world):
    record_id = world.anna()
    world.work(record_id, "create")
    return record_id


def midway(world, announce):
    """Edit the record between the reading of it and the writing of its party."""
    original = world.deps.sync.parties.read
    cities = iter(["Celle"])

    def read(bet_nr):
        for city in cities:
            record_id = world.links.all().popitem()[0]
            world.espocrm.edit(ENTITY, record_id, addressCity=city)
            announce(record_id)
        return original(bet_nr)

    object.__setattr__(world.deps.sync.parties, "read", read)


def test_ours_runs_again(world, linked):
    midway(world, lambda record_id: world.queue.add("update", [record_id]))
    world.work(linked)
    assert world.party(linked)["ort"] == "Hannover"
    assert world.pending() == [linked]
    world.drain()
    assert world.party(linked)["ort"] == "Celle"


def test_the_predecessors_way_swallows_it_without_any_fault(world, linked):
    def announce(record_id):
        assert naive.receive(world.client, "update", json.dumps([{"id": record_id}]).encode()) == 200

    midway(world, announce)
    announce(linked)
    world.client.rpop("naive:events")
    naive.bring(world.deps.sync, linked)
    world.client.srem(naive.SETS.format("update"), linked)
    assert world.client.llen("naive:events") == 0  # nobody will come back for it
    assert world.party(linked)["ort"] != world.espocrm.get(ENTITY, linked)["addressCity"]
