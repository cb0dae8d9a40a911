"""What figures and numbers are called, and how the lines of a plan are told apart."""

from datetime import UTC, datetime, timedelta

import pytest

from functions.ops import words
from functions.ops.plans import Lent, lines_of, shows_deletions
from shared.errors import UpstreamTimeoutError

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (99, "99 s"), (100, "1 min"), (7199, "119 min"), (7200, "2 h"), (172_800, "2 Tage"), (-5, "0 s")],
)
def test_a_span_has_one_unit(seconds, text):
    assert words.span(seconds) == text


@pytest.mark.parametrize(
    ("span", "text"),
    [({"seconds": 2}, "gerade eben"), ({"seconds": 40}, "vor 40 s"), ({"days": 3}, "vor 3 Tagen")],
)
def test_how_long_ago_something_was(span, text):
    assert words.ago(NOW - timedelta(**span), NOW) == text
    assert words.ago(None, NOW) == "noch nie"


def test_clock_times_are_those_of_berlin():
    assert words.at(NOW, NOW) == "10:00:00"
    assert words.at(NOW - timedelta(days=200), NOW) == "08.05.2026 11:00"


@pytest.mark.parametrize(
    ("number", "shown"), [("+495111234567", "+49 ••• 67"), ("", "unterdrückt"), ("102", "intern"), ("+49110", "intern")]
)
def test_a_number_is_never_shown_whole(number, shown):
    assert words.masked(number) == shown


def test_the_lines_of_a_plan_are_told_apart():
    text = (
        'SB (in full): 1 created\n+ google   1\n    text    "- x"\n! 2 held\n  - google   2\n  let them pass\n= 1 left'
    )
    assert [kind for kind, _ in lines_of(text)] == ["title", "add", "add", "held", "remove", "note", "quiet"]
    assert "\n".join(line for _, line in lines_of(text)) == text


def test_a_plan_that_cannot_be_made_says_why():
    def fails(_kuerzel: str) -> str:
        raise UpstreamTimeoutError("advoware")

    assert Lent(fails).plan_of("SB") == ("", words.REASONS["upstream-timeout"])
    assert Lent().plan_of("SB")[0] == ""
    assert Lent(lambda kuerzel: f"plan of {kuerzel}").plan_of("SB") == ("plan of SB", "")


def test_whether_a_hold_s_deletions_are_listed_is_seen_in_its_own_block():
    text = """SB (in full): 1 deleted
- google   1  x (gone in Advoware)
! 9 deletions in google are held: Advoware's list is empty or below half of the 9 linked
  let them pass once: bitbylaw sync SB --release aa
! 1 deletions in advoware are held: more than the guard lets pass of 9 linked
  - advoware 2  y (deleted in Google)
  let them pass once: bitbylaw sync SB --release bb"""
    assert [shows_deletions(text, mark) for mark in ("aa", "bb", "cc")] == [False, True, False]
