"""Series, both ways."""

from __future__ import annotations

from datetime import date

import pytest
from builders import at

from shared.domain.appointment import Frequency, Recurrence
from shared.mapping.recurrence import from_rrule, from_turnus, last_occurrence, to_rrule

TUESDAY = at(date(2026, 12, 1), "08:00")


def read(*rules: str, start=TUESDAY):
    return from_rrule([rule if ":" in rule else f"RRULE:{rule}" for rule in rules], start)


def until(rule: str, start=TUESDAY):
    return read(rule, start=start).until


@pytest.mark.parametrize(
    ("art", "frequency"),
    [(1, Frequency.DAILY), (2, Frequency.WEEKLY), (3, Frequency.MONTHLY), (4, Frequency.YEARLY)],
)
def test_each_turnus_art_is_a_frequency(art, frequency):
    assert from_turnus(2, art, date(2026, 12, 1), date(2036, 12, 1)).frequency is frequency


def test_the_last_occurrence_of_a_yearly_leap_day_is_in_a_leap_year():
    assert last_occurrence(date(2028, 2, 29), Frequency.YEARLY, 1, date(2035, 12, 31)) == date(2032, 2, 29)


def test_a_leap_day_that_does_not_come_again_is_one_occurrence():
    assert last_occurrence(date(2028, 2, 29), Frequency.YEARLY, 1, date(2031, 12, 31)) == date(2028, 2, 29)


def test_a_monthly_31st_skips_short_months():
    assert last_occurrence(date(2027, 1, 31), Frequency.MONTHLY, 1, date(2027, 4, 30)) == date(2027, 3, 31)


def test_a_month_whose_day_comes_after_the_end_does_not_count():
    assert last_occurrence(date(2027, 1, 15), Frequency.MONTHLY, 1, date(2027, 4, 10)) == date(2027, 3, 15)


def test_an_interval_is_counted_from_the_start():
    assert last_occurrence(date(2026, 12, 1), Frequency.WEEKLY, 2, date(2026, 12, 28)) == date(2026, 12, 15)


def test_an_end_before_the_start_is_one_occurrence():
    assert last_occurrence(date(2026, 12, 1), Frequency.DAILY, 1, date(2026, 1, 1)) == date(2026, 12, 1)


@pytest.mark.parametrize(
    ("rule", "last"),
    [
        ("FREQ=DAILY;COUNT=1", date(2026, 12, 1)),
        ("FREQ=DAILY;COUNT=10", date(2026, 12, 10)),
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=3", date(2026, 12, 29)),
        ("FREQ=MONTHLY;COUNT=3", date(2027, 2, 1)),
        ("FREQ=YEARLY;COUNT=2", date(2027, 12, 1)),
    ],
)
def test_a_count_becomes_a_last_day(rule, last):
    assert until(rule) == last


def test_a_count_skips_months_without_that_day():
    assert until("FREQ=MONTHLY;COUNT=3", at(date(2027, 1, 31), "08:00")) == date(2027, 5, 31)


def test_a_count_of_leap_days_counts_leap_years():
    assert until("FREQ=YEARLY;COUNT=2", at(date(2028, 2, 29), "08:00")) == date(2032, 2, 29)


def test_until_includes_an_occurrence_that_begins_at_that_moment():
    assert until("FREQ=WEEKLY;UNTIL=20270629T060000Z") == date(2027, 6, 29)


def test_until_excludes_an_occurrence_that_begins_later_that_day():
    assert until("FREQ=WEEKLY;UNTIL=20270629T055959Z") == date(2027, 6, 22)


def test_until_as_google_cuts_a_series_excludes_the_day_of_the_new_one():
    assert until("FREQ=WEEKLY;UNTIL=20270628T215959Z") == date(2027, 6, 22)


def test_until_as_a_plain_date_includes_that_day():
    assert until("FREQ=WEEKLY;UNTIL=20270629") == date(2027, 6, 29)


def test_until_between_two_occurrences_is_the_earlier_one():
    assert until("FREQ=WEEKLY;UNTIL=20270702T220000Z") == date(2027, 6, 29)


@pytest.mark.parametrize("end", ["UNTIL=20370102T000000Z", "UNTIL=99991231T235959Z", "UNTIL=99991231", "COUNT=5000"])
def test_a_series_into_2037_or_beyond_is_endless(end):
    assert read(f"FREQ=DAILY;{end}") == Recurrence(Frequency.DAILY)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=WEEKLY;BYDAY=TU",
        "FREQ=WEEKLY;WKST=SU;BYDAY=TU",
        "freq=weekly;byday=tu",
        "FREQ=WEEKLY;INTERVAL=1;",
    ],
)
def test_a_rule_that_only_repeats_the_start_day_is_plain(rule):
    assert read(rule) == Recurrence(Frequency.WEEKLY)


@pytest.mark.parametrize(
    ("rule", "frequency"),
    [("FREQ=MONTHLY;BYMONTHDAY=1", "MONTHLY"), ("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=1", "YEARLY")],
)
def test_a_rule_that_only_repeats_the_start_date_is_plain(rule, frequency):
    assert read(rule) == Recurrence(Frequency(frequency))


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=WEEKLY;BYDAY=MO,TU",
        "FREQ=WEEKLY;BYDAY=WE",
        "FREQ=MONTHLY;BYDAY=1TU",
        "FREQ=MONTHLY;BYMONTHDAY=-1",
        "FREQ=YEARLY;BYMONTHDAY=1",
        "FREQ=YEARLY;BYDAY=TU",
        "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR",
        "FREQ=HOURLY",
        "FREQ=DAILY;BYHOUR=8",
        "FREQ=DAILY;BYSETPOS=1",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=x",
        "FREQ=DAILY;COUNT=20000",
        "FREQ=WEEKLY;INTERVAL=999999999999;COUNT=9000",
        "FREQ=DAILY;UNTIL=bald",
        "FREQ=DAILY;UNTIL=00010101T000000",
        "",
        "RDATE:20261210T070000Z",
        "EXRULE:FREQ=DAILY",
    ],
)
def test_a_rule_that_advoware_cannot_hold_is_foreign(rule):
    found = read(rule)
    assert found.foreign
    assert found.canonical.startswith("!")


def test_two_rules_are_foreign_in_any_order():
    both = ["RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY"]
    assert from_rrule(both, TUESDAY) == from_rrule(both[::-1], TUESDAY)
    assert from_rrule(both, TUESDAY).foreign


def test_cancelled_dates_alone_are_no_series():
    assert from_rrule(["EXDATE:20261208T070000Z"], TUESDAY) is None


def test_until_is_written_in_utc_for_the_season_of_the_last_day():
    weekly = Recurrence(Frequency.WEEKLY, 1, date(2027, 6, 29))
    assert to_rrule(weekly, TUESDAY, all_day=False).endswith("UNTIL=20270629T060000Z")
    assert to_rrule(weekly, TUESDAY, all_day=True).endswith("UNTIL=20270629")


@pytest.mark.parametrize("last", [date(2027, 3, 28), date(2027, 10, 31)])
def test_a_series_that_ends_in_a_night_of_changing_clocks_comes_back(last):
    night = at(date(2026, 12, 6), "02:30")
    weekly = Recurrence(Frequency.WEEKLY, 1, last)
    assert from_rrule([to_rrule(weekly, night, all_day=False)], night) == weekly
