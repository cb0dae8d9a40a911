"""A soak of half a minute, and proof that its judge sees what `make soak` would have to report."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.advoware import Advoware
from sandbox.espocrm import EspoCrm

from .harm import PER_HOUR, blows
from .ledger import Ledger
from .memory import slope_mb_per_10_min

ROOT = Path(__file__).parents[2]


class Ended:
    """A small firm in which everything that was told has arrived."""

    def __init__(self) -> None:
        self.espocrm, self.advoware, self.ledger = EspoCrm(), Advoware(), Ledger()
        self.party = self.advoware.registry.create_party(vorname="Person", name="Nr000001", strasse="Weg 2")
        self.ledger.versions["r-1"], self.ledger.names["Nr000001"] = 2, "r-1"
        self.ledger.parties.note("r-1", 2, ok=True)
        self.lead = self.enter_lead()
        self.ledger.leads.note("lead-1", 1, ok=True)
        self.call = self.enter_call()
        self.ledger.calls.note("call-1", 1, ok=True)
        self.ledger.sent = {"lead": 1, "call": 1}

    def enter_lead(self) -> str:
        lead = self.espocrm.add("Lead", lastName="Mieter1", description="Vorgang: x\n\nAnliegen Nummer 1")
        self.task = self.espocrm.add("Task", name="Anfrage", assignedUserId="1", parentId=lead, parentType="Lead")
        return lead

    def enter_call(self) -> str:
        times = {"dateStart": "2026-11-24 08:00:00", "dateEnd": "2026-11-24 08:01:00"}
        return self.espocrm.add("Call", name="Eingehender Anruf +495110000001", assignedUserId="1", **times)

    def wrong(self) -> list[str]:
        return self.ledger.judge(self.espocrm, self.advoware)


@pytest.fixture
def ended() -> Ended:
    firm = Ended()
    assert firm.wrong() == []
    return firm


def test_a_planted_loss_is_found_whatever_it_is(ended: Ended) -> None:
    ended.advoware.registry.delete_party(ended.party)
    ended.espocrm.remove("Task", ended.task)
    ended.espocrm.remove("Call", ended.call)
    assert ended.wrong() == ["party lost: r-1 at 2", "task lost: lead-1 at 1", "call lost: call-1 at 1"]
    ended.espocrm.remove("Lead", ended.lead)
    assert "lead lost: lead-1 at 1" in ended.wrong()


def test_a_planted_doubling_is_found_whatever_it_is(ended: Ended) -> None:
    ended.advoware.registry.create_party(vorname="Person", name="Nr000001", strasse="Weg 2")
    ended.enter_call()
    ended.espocrm.add("Task", name="Anfrage", assignedUserId="1", parentId=ended.lead, parentType="Lead")
    assert ended.wrong() == ["party doubled: r-1", "task doubled: lead-1", "call doubled: call-1"]
    ended.enter_lead()
    assert "lead doubled: lead-1" in ended.wrong()


def test_an_older_version_and_something_nobody_sent_are_found(ended: Ended) -> None:
    ended.advoware.registry.edit_party(ended.party, strasse="Weg 1")
    ended.espocrm.add("Lead", lastName="X", description="Anliegen Nummer 2")
    assert ended.wrong() == ["party stale: r-1 shows 1, acknowledged was 2", "lead from nowhere: lead-2 at 1"]


def test_what_nobody_acknowledged_may_be_there_or_not(ended: Ended) -> None:
    ended.ledger.sent["lead"] = 3
    ended.ledger.leads.note("lead-2", 1, ok=False)
    ended.ledger.leads.note("lead-3", 1, ok=False)
    assert ended.wrong() == []


def test_memory_that_grows_is_told_from_memory_that_warms_up() -> None:
    flat = [(float(at), 80.0 if at > 200 else 40.0 + at / 5) for at in range(0, 1200, 5)]
    growing = [(float(at), 80.0 + at / 300) for at in range(0, 1200, 5)]
    assert abs(slope_mb_per_10_min(flat, 400)) < 0.01
    assert 1.9 < slope_mb_per_10_min(growing, 400) < 2.1


def test_an_hour_holds_three_hundred_kills_at_moments_that_the_seed_decides() -> None:
    plan = blows(3600, random.Random(7))
    assert sum(blow.what.endswith("killed") for blow in plan) == 300
    assert {blow.what for blow in plan} == set(PER_HOUR)
    assert plan == blows(3600, random.Random(7))
    assert plan != blows(3600, random.Random(8))


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_half_a_minute_of_traffic_with_kills_loses_and_doubles_nothing() -> None:
    command = [sys.executable, "-m", "tests.soak", "--seconds", "15", "--rate", "40"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=140, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert re.search(r"deliveries +600 \(", done.stdout), done.stdout
    for what in PER_HOUR:
        assert f"1 {what}" in done.stdout
    spoilt = re.search(r"spoilt calls to the upstreams +(\d+)", done.stdout)
    assert spoilt
    assert int(spoilt[1]) > 0
