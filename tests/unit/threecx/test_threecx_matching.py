"""Spellings of German numbers, and the rungs of the ladder."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.threecx.matching import EXACT, LIKELY, Hit, can_match, only_one, ranked, rung
from shared.threecx import number
from shared.threecx.number import Kind, read_number

SPELLINGS = """+49 511 1234567|+495111234567|0511 1234567|0511/1234567|0511-1234567|(0511) 1234567|(0511)1234567
0049 511 1234567|00495111234567|00 49 511 1234567|+49 (0)511 1234567|+49 (0) 511 / 12 34 567|+49-511-1234567
+49.511.1234567|0511.1234567|05111234567|495111234567|49 511 1234567|tel:+495111234567|tel:+49-511-1234567;ext=3
sip:+495111234567@pbx.example|sip:05111234567@10.0.0.1;user=phone|+495111234567@sip|0511 12 34 567|0511 – 123 45 67
+49\u00a0511\u00a01234567|\u202a+49 511 1234567\u202c|０５１１ １２３４５６７|+490511 1234567|0511 1234567 ext. 12
0511 1234567 DW 12|<+495111234567>| 495111234567|0511  1234567 x12"""
THIRTY = [each for line in SPELLINGS.splitlines() for each in line.split("|")]


def test_there_are_thirty_spellings():
    assert len(THIRTY) >= 30


@pytest.mark.parametrize("spelling", THIRTY)
def test_every_spelling_is_the_same_number(spelling):
    assert read_number(spelling).value == "+495111234567"


@settings(max_examples=300, deadline=None)
@given(st.from_regex(r"(\+49|0049|0)[1-9][0-9]{4,14}", fullmatch=True))
def test_what_is_read_without_the_numbering_plan_is_what_the_plan_says(spelling):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(number, "_AT_HOME", re.compile("(?!)"))
        by_plan = read_number.__wrapped__(spelling)
    assert read_number.__wrapped__(spelling) == by_plan


@pytest.mark.parametrize(
    "stored", ["+495111234567", "0511 1234567", "0511/1234567", "0049 511 1234567", "495111234567"]
)
def test_stored_spellings_match_exactly(stored):
    assert rung([stored], read_number("+495111234567"), firm=False) == EXACT


@pytest.mark.parametrize("text", ["", None, "anonymous", "Anonym", "[Number]", "withheld"])
def test_a_withheld_number_matches_nobody(text):
    read = read_number(text)
    assert read.kind is Kind.WITHHELD
    assert not can_match(read)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("102", Kind.INTERNAL),
        ("110", Kind.INTERNAL),
        ("116117", Kind.INTERNAL),
        ("*21*030123456", Kind.UNREADABLE),
        ("030 ABCDEFG", Kind.UNREADABLE),
        ("Durchwahl 12", Kind.UNREADABLE),
        ("12345678", Kind.UNREADABLE),
        ("+49" + "1" * 60, Kind.UNREADABLE),
        ("030\x00123", Kind.UNREADABLE),
    ],
)
def test_what_is_no_outside_number_is_told_apart(text, kind):
    assert read_number(text).kind is kind


def test_mobile_numbers_without_a_plus_keep_their_country():
    assert read_number("4915112345678").value == "+4915112345678"
    assert read_number("33112345678", "", "").value == "+4933112345678"


def test_an_outside_line_prefix_and_an_area_code_can_be_configured():
    assert read_number("000493012345678", "0", "").value == "+493012345678"
    assert read_number("003012345678", "0", "").value == "+493012345678"
    assert read_number("1234567", "", "0511").value == "+495111234567"


CALLER = read_number("+495111234567")


@pytest.mark.parametrize(
    ("stored", "firm", "expected"),
    [
        ("11234567", False, LIKELY),  # the last eight digits, no country told
        ("1234567", False, ""),  # seven are too few
        ("4905111234567", False, LIKELY),  # the zero in brackets was kept
        ("+435111234567", False, ""),  # another country
        ("+494111234567", False, ""),  # another town with the same end
        ("+49511123450", True, LIKELY),  # the head number of a firm
        ("+4951112345", True, LIKELY),  # its stem
        ("+49511123450", False, ""),  # a person has none
        ("+49511999990", True, ""),
    ],
)
def test_likely_rungs(stored, firm, expected):
    assert rung([stored], CALLER, firm=firm) == expected


def a_hit(kind: str, name: str, match: str = EXACT) -> Hit:
    return Hit(id=f"{kind}-{name}", type=kind, last_name=name, match=match)


def test_persons_come_before_firms_and_firms_before_leads():
    hits = ranked([a_hit("Lead", "C"), a_hit("Account", "B"), a_hit("Contact", "A")])
    assert [hit.type for hit in hits] == ["Contact", "Account", "Lead"]


def test_likely_hits_are_of_use_only_without_certain_ones():
    assert [hit.last_name for hit in ranked([a_hit("Contact", "A", LIKELY), a_hit("Lead", "B")])] == ["B"]


def test_a_party_that_is_known_as_a_contact_is_not_shown_twice():
    hits = ranked([a_hit("Contact", "Groß"), a_hit("Beteiligte", "Gross"), a_hit("Beteiligte", "Meier")])
    assert [(hit.type, hit.last_name) for hit in hits] == [("Contact", "Groß"), ("Beteiligte", "Meier")]


def test_a_call_belongs_to_a_record_only_if_there_is_no_doubt():
    assert only_one(ranked([a_hit("Contact", "A"), a_hit("Account", "B")])).last_name == "A"
    assert only_one(ranked([a_hit("Contact", "A"), a_hit("Contact", "B"), a_hit("Lead", "C")])) is None
    assert only_one(ranked([a_hit("Contact", "A", LIKELY)])) is None
    assert only_one([]) is None
