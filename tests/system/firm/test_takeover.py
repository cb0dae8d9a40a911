"""Workers that are killed or told to stop in the middle of a run lose nothing."""

from __future__ import annotations

import signal
import time

import pytest
from calendar_world import today
from firm import firm
from processes import eventually

from sandbox.seed import firm as seeded

APPOINTMENTS = 120


@pytest.fixture
def slow_firm(redis_server, tmp_path):
    """Sixty employees' seconds of work: 120 events at ten a second."""
    quick = {"QUEUE_LEASE_SECONDS": "5", "CALENDAR_LOCK_SECONDS": "10"}
    with firm(redis_server, tmp_path, quota=600, **quick) as opened:
        opened.advoware.load(*seeded(employees=1, appointments=APPOINTMENTS, today=today()))
        with opened.app():
            yield opened


def in_the_middle(opened) -> str:
    """Start a run and wait until it has written some events."""
    opened.post("/calendar/sync", {})
    eventually(lambda: opened.google.board.count("POST", "/events") > 20, 30)
    return next(row["kuerzel"] for row in opened.get("/calendar/status").json()["employees"])


def settled(opened, kuerzel: str) -> bool:
    row = opened.row(kuerzel)
    return row["state"] == "ok" and not row["more"] and len(opened.events(kuerzel)) == APPOINTMENTS


def test_the_work_of_a_killed_worker_is_taken_over_within_half_a_minute(slow_firm):
    with slow_firm.worker() as first:
        kuerzel = in_the_middle(slow_firm)
        first.kill()
        first.wait()
    killed = time.monotonic()
    before = slow_firm.google.board.count("POST", "/events")
    with slow_firm.worker():
        eventually(lambda: slow_firm.google.board.count("POST", "/events") > before, 30)
        assert time.monotonic() - killed < 30
        eventually(lambda: settled(slow_firm, kuerzel), 40)


def test_a_worker_told_to_stop_ends_within_ten_seconds_and_another_goes_on(slow_firm):
    with slow_firm.worker() as first:
        kuerzel = in_the_middle(slow_firm)
        first.send_signal(signal.SIGTERM)
        asked = time.monotonic()
        assert first.wait(10) == 0
        assert time.monotonic() - asked < 10
    assert slow_firm.row(kuerzel)["more"] is True
    with slow_firm.worker():
        eventually(lambda: settled(slow_firm, kuerzel), 40)
    events = slow_firm.events(kuerzel)
    assert len({event["id"] for event in events}) == len(events) == APPOINTMENTS
