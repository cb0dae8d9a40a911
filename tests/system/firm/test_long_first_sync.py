"""A first sync too long for one run: it stops at its limit and goes on by itself, with nothing done twice."""

from __future__ import annotations

from random import Random

import pytest
from calendar_world import today
from firm import firm
from processes import eventually

from sandbox.faults import Fault
from sandbox.seed.firm import calendar

MANY, LIMIT_S, SLOW_S = 2500, 10, 0.005  # slow enough that no machine does all of it within the limit


@pytest.mark.timeout(300)
def test_2500_events_hit_the_run_limit_and_one_trigger_still_brings_them_all(redis_server, tmp_path):
    with firm(redis_server, tmp_path, CALENDAR_RUN_LIMIT_SECONDS=str(LIMIT_S)) as office:
        office.advoware.employee("SB")
        for row in calendar(Random(7), MANY, today()):
            office.advoware.create("SB", **row)
        office.google.board.add(Fault("delay", method="POST", path="/events", seconds=SLOW_S, times=None))
        with office.app(), office.worker():
            assert office.post("/calendar/sync", {"kuerzel": "SB"}).status_code == 200
            eventually(lambda: office.google.board.count("POST", "/events") >= MANY, 240)
            eventually(lambda: office.row("SB").get("more") is False, 60)
        runs = [line for line in office.logs() if line.get("event") == "run_ended"]
        assert len(runs) >= 2
        assert all(run["state"] == "ok" for run in runs)
        assert sum(run["created"] for run in runs) == MANY == len(office.events("SB"))
        assert office.google.board.count("POST", "/events") == MANY
