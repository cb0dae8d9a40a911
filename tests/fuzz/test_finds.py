"""What fuzzing has found, each kept as a test."""

from __future__ import annotations

import time

import pytest

from functions.leads.reading import read_body
from shared.domain.party import Party
from shared.mapping.beteiligte import is_same_party
from shared.mapping.phone import e164
from shared.threecx.number import Kind, read_number

CPU_S = 1.5  # each of these took many seconds of a thread, or would have with a few more bytes; now milliseconds


@pytest.mark.parametrize("unit", ['"a":"', '"a":"\\"', '"a":"" ', ' "a":"b"   ', '"}', '" ', "\\", '"a" :"" ,'])
def test_a_message_full_of_quotes_is_read_in_no_time(unit: str) -> None:
    began = time.process_time()
    body = read_body(b'{"m":"' + (unit * 40_000).encode()[:250_000], "application/json")
    assert time.process_time() - began < CPU_S
    assert not body.readable


def test_what_a_broken_template_said_is_still_rescued() -> None:
    raw = '{"name": "Groß", "nachricht": "Er sagte "nein", dann "ja"", "email": "a@b.example"}'
    values = read_body(raw.encode(), "application/json").values
    assert values == {"name": "Groß", "nachricht": 'Er sagte "nein", dann "ja"', "email": "a@b.example"}


@pytest.mark.parametrize(("number", "same"), [("000", False), ("0511", False), ("01", False), ("0511 123456", True)])
def test_namesakes_with_the_same_filler_for_a_number_are_two_parties(number: str, same: bool) -> None:
    ours, theirs = (Party(name="Müller", first_name="Anna", phone=number) for _ in range(2))
    assert is_same_party(ours, theirs) is same


def test_a_part_without_a_name_is_a_field_without_a_name() -> None:
    part = b'--x\r\nContent-Disposition: form-data; n="email"\r\n\r\na@b.example\r\n--x--\r\n'
    assert read_body(part, "multipart/form-data; boundary=x").values == {"0": "a@b.example"}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0511 nur abends", None),
        ("0511 123456 privat", None),
        ("Tel. 0511 123456", "+49511123456"),
        ("0511 123456 ext. 12", "+49511123456"),
        ("0511/123456", "+49511123456"),
    ],
)
def test_words_behind_a_number_are_not_dialled(text: str, number: str | None) -> None:
    assert e164(text) == number


@pytest.mark.parametrize("text", ["00075037", "+49 00 0767 203102", "0049000009042361", "003750080930617530"])
def test_a_number_with_odd_zeros_in_front_is_read_the_same_again(text: str) -> None:
    folded, told = e164(text), read_number(text).value
    assert folded
    assert e164(folded) == folded
    assert read_number(told).value == told


def test_what_is_longer_than_any_number_is_none() -> None:
    assert e164("00627045500103380451") is None
    assert read_number("00627045500103380451").kind is Kind.UNREADABLE
