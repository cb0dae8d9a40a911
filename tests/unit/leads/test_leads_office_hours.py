"""Hours of the week that leads and calls share."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import holidays
import pytest

from shared.office_hours import BERLIN, OfficeHours, _holidays
from shared.settings.base import SettingsError
from shared.settings.leads import OfficeSettings

SPLIT = OfficeHours.read("Mo-Do 09:00-12:00, Mo-Do 13:00-17:00, Fr 09:00-13:00", "NI", ("12-24",))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-24T08:59", False),
        ("2026-11-24T09:00", True),
        ("2026-11-24T12:30", False),
        ("2026-11-24T16:59", True),
        ("2026-11-27T14:00", False),
        ("2026-11-28T10:00", False),
        ("2026-12-24T10:00", False),
        ("2026-12-25T10:00", False),
    ],
)
def test_breaks_weekends_holidays_and_own_days_are_closed(moment, is_open):
    assert SPLIT.is_open(at(moment).astimezone(UTC)) is is_open


def test_open_time_goes_by_over_breaks_and_weekends():
    assert SPLIT.after(at("2026-11-24T11:00"), timedelta(hours=4)) == at("2026-11-24T16:00")
    assert SPLIT.after(at("2026-11-27T12:00"), timedelta(hours=4)) == at("2026-11-30T12:00")
    assert SPLIT.next_open(at("2026-11-27T13:00")) == at("2026-11-30T09:00")
    assert SPLIT.after_days(at("2026-11-26T16:00"), 1) == at("2026-11-27T13:00")


def test_berlin_keeps_its_wall_clock_over_the_change_of_time():
    hours = OfficeHours.read("Mo-So 00:00-24:00", "NI")
    assert hours.after_days(at("2026-10-24T10:00"), 1) == at("2026-10-25T10:00")
    assert hours.is_open(datetime(2026, 10, 25, 0, 30, tzinfo=UTC))


def test_a_week_may_wrap_and_days_are_counted():
    hours = OfficeHours.read("Fr-Mo 8:00-10:00")
    assert [hours.is_working_day(date(2026, 11, day)) for day in range(23, 30)] == [True] + [False] * 3 + [True] * 3
    assert hours.working_days_until(at("2026-11-24T10:00"), date(2026, 11, 30)) == 4
    assert hours.working_days_until(at("2026-11-24T10:00"), date(2026, 11, 23)) == -1


def test_no_hours_at_all_end_too():
    never = OfficeHours.read("")
    assert never.next_open(at("2026-11-24T10:00")) == at("2026-11-24T10:00")
    assert never.after(at("2026-11-24T10:00"), timedelta(hours=4)) == at("2026-11-24T14:00")
    assert never.after_days(at("2026-11-24T10:00"), 3) == at("2026-11-27T10:00")


@pytest.mark.parametrize("text", ["Mo-Fr", "Xx 09:00-10:00", "Mo 25:00-26:00", "Mo 9-17", "Mo-Xx 09:00-10:00"])
def test_what_means_nothing_is_refused(text):
    with pytest.raises(ValueError):
        OfficeHours.read(text)


@pytest.mark.parametrize("name", ["OFFICE_HOURS", "CALL_HOURS"])
def test_hours_that_mean_nothing_are_named_at_the_start(name):
    with pytest.raises(SettingsError, match=name):
        OfficeSettings({name: "werktags"})


@pytest.mark.parametrize("state", "BB BE BW BY HB HE HH MV NI NW RP SH SL SN ST TH".split())
def test_the_holidays_of_every_land_are_those_of_the_library(state):
    for year in (2025, 2026, 2038):
        assert _holidays(state, year) == set(holidays.country_holidays("DE", subdiv=state, years=year))
