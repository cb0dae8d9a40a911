"""A whole firm: ten calendars of 200 appointments each, and two of them at Google's true rate."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis
from calendar_checks import in_step
from calendar_world import World, today, world

from sandbox.seed.firm import firm


def staffed(w: World, employees: int, appointments: int, **more: Any) -> list[str]:
    """Fill the firm and give the initials of everybody in it."""
    w.advoware.employees.clear()
    staff, rows = firm(employees, appointments, today=today(), **more)
    w.advoware.load(staff, rows)
    return [person["kuerzel"] for person in staff]


def at_once(jobs: list[Callable[[], Any]]) -> None:
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize(("full", "count"), [(True, 10), (False, 3)], ids=["full", "anonymous"])
def test_a_firm_with_two_hundred_appointments_each_is_right_to_the_minute(
    state: redis.Redis, full: bool, count: int
) -> None:
    with world(state, full=full, direct=True) as w:
        names = staffed(w, count, 200, shared=3, derived=2)
        for name in names:
            assert w.run(name)["state"] == "ok"
        for name in names:
            in_step(w, name, full=full)
        w.forget_calls()
        started = time.process_time()
        for name in names:
            w.run(name)
        assert time.process_time() - started < 3
        assert w.calls() == (["GET"] * count, ["delta"] * count)
        w.flush()
        w.forget_calls()
        for name in names:
            w.run(name)
        assert w.calls() == (["GET"] * count, ["full"] * count)


@pytest.mark.slow
def test_two_employees_at_the_true_rate_stay_within_the_quota_and_use_it(state: redis.Redis) -> None:
    with world(state, full=True, quota=600) as w:
        names = staffed(w, 2, 200)
        started = time.monotonic()
        at_once([lambda name=name: w.run(name) for name in names])  # type: ignore[misc]
        busy_s = time.monotonic() - started
        for name in names:
            in_step(w, name)
        user = next(iter(w.google.quota.granted))
        granted = sum(units for _, units in w.google.quota.granted[user])
        assert w.google.quota.refused == {}
        assert w.google.quota.most_in_a_minute(user) <= 600
        assert granted >= 0.95 * 593 / 60 * busy_s
