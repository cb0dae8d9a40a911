"""Berlin's wall clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from shared.mapping.berlin import berlin, sync_window, wall_later

SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


def test_a_time_in_the_spring_gap_is_an_hour_later():
    assert berlin(SPRING, time(2, 30)).isoformat() == "2026-03-29T03:30:00+02:00"


def test_a_time_that_comes_twice_is_the_first_one():
    assert berlin(AUTUMN, time(2, 30, fold=1)).isoformat() == "2026-10-25T02:30:00+02:00"


def test_seconds_are_dropped():
    assert berlin(AUTUMN, time(9, 30, 59, 5)).time() == time(9, 30)


def test_an_hour_later_is_meant_on_the_wall():
    assert wall_later(berlin(AUTUMN, time(2, 30)), timedelta(hours=1)).time() == time(3, 30)
    assert wall_later(berlin(SPRING, time(1, 30)), timedelta(hours=1)).time() == time(3, 30)


def test_the_window_begins_and_ends_at_midnight_in_berlin():
    begins, ends = sync_window(datetime(2026, 11, 24, 23, 30, tzinfo=UTC), 30, 365)
    assert (begins.isoformat(), ends.isoformat()) == ("2026-10-26T00:00:00+01:00", "2027-11-26T00:00:00+01:00")
