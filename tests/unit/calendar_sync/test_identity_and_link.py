"""Ids that carry a number, properties that carry a link, bases that carry content."""

from __future__ import annotations

import re

import pytest
from builders import BASES, IDS, an_appointment, an_event, an_intent, linked, ours

from functions.calendar_sync.bases import Bases, derived_key
from functions.calendar_sync.identity import OwnIds, is_derived, tenant_hash
from functions.calendar_sync.link import Intent, Link, with_link
from shared.domain.appointment import FIELDS


def test_a_tenant_is_named_by_eight_characters_whatever_the_case():
    assert tenant_hash("Kanzlei", "DB") == tenant_hash("kanzlei", "db")
    assert re.fullmatch(r"[0-9a-v]{8}", tenant_hash("Kanzlei", "DB"))
    assert tenant_hash("kanzlei", "db") != tenant_hash("kanzlei", "db2")


@pytest.mark.parametrize("number", ["1", "4711", "-17", "0", "S-12", "abc", "ä", "W:9/x", "00g1g0"])
@pytest.mark.parametrize("generation", [0, 1, 12])
def test_an_id_carries_its_number_inside_googles_alphabet(number, generation):
    made = IDS.make(number, generation)
    assert re.fullmatch(r"[0-9a-v]{5,1024}", made)
    assert IDS.read(made) == (number, generation)


def test_the_id_of_the_first_generation_looks_like_the_contract():
    assert OwnIds("0q2k8m1p").make("4711") == "adv0q2k8m1pf4711g0"


@pytest.mark.parametrize("other", ["", "7k3person", "adv", "adv00000000f4711g0", "_adv0q2k8m1pf4711g0", "advf1g0"])
def test_anybody_elses_id_says_nothing(other):
    assert IDS.read(other) is None


@pytest.mark.parametrize(
    ("number", "derived"), [("1", False), ("4711", False), ("0", True), ("-3", True), ("S1", True)]
)
def test_only_a_positive_number_is_a_record_of_its_own(number, derived):
    assert is_derived(number) is derived


@pytest.mark.parametrize("number", ["S1", "²", "--5", "", "0"])
def test_a_symbolic_number_counts_as_zero(number):
    assert ours(frNr=number).number == 0


def test_a_seal_names_its_key_and_hides_its_content():
    sealed = BASES.seal(an_appointment().canonical())
    assert sealed.startswith(BASES.key_id + ".")
    assert len(sealed) == 5 + 8 * len(FIELDS)
    assert sealed != Bases.of(["anders"]).seal(an_appointment().canonical())


def test_the_same_text_in_two_fields_does_not_show():
    sealed = BASES.seal(dict.fromkeys(FIELDS, "Meier"))[5:]
    assert len({sealed[place : place + 8] for place in range(0, len(sealed), 8)}) == len(FIELDS)


@pytest.mark.parametrize("name", FIELDS)
def test_each_field_is_found_changed_by_itself(name):
    before = an_appointment().canonical()
    assert BASES.changed(BASES.seal(before), before | {name: "anders"}) == {name}


@pytest.mark.parametrize("base", ["", "x", "abcd." + "A" * 56, BASES.seal(an_appointment().canonical())[:-1]])
def test_a_base_that_cannot_be_read_is_none(base):
    assert BASES.changed(base, an_appointment().canonical()) is None


def test_an_older_key_still_reads_and_the_first_one_writes():
    both, canonical = Bases.of(["neu", "geheim"]), an_appointment().canonical()
    assert both.changed(BASES.seal(canonical), canonical) == frozenset()
    assert both.seal(canonical) == Bases.of(["neu"]).seal(canonical)


def test_a_key_can_be_derived_from_another_secret():
    assert derived_key("a") != derived_key("b")
    assert Bases((derived_key("a"),)).key_id


def test_texts_with_half_a_character_can_be_sealed():
    assert BASES.seal(an_appointment(text="\ud800").canonical())


@pytest.mark.parametrize("link", [Link("x", "4711", "a", "g", "f", "a"), Link("x", intent=an_intent(refused=True))])
def test_a_link_is_read_as_it_was_written(link):
    assert Link.of(with_link({"id": "x"}, link)) == link


def test_properties_of_others_survive():
    event = {"id": "x", "extendedProperties": {"shared": {"s": "1"}, "private": {"p": "2", "adv_del": "a"}}}
    written = with_link(event, Link("x", "4711"))["extendedProperties"]
    assert written == {"shared": {"s": "1"}, "private": {"p": "2", "adv_v": "1", "adv_id": "x", "adv_fr": "4711"}}


def test_a_link_fits_into_googles_limits():
    private = linked()["extendedProperties"]["private"] | Link("x" * 60, intent=an_intent()).properties()
    assert all(len(key) <= 44 and len(value) <= 1024 for key, value in private.items())


@pytest.mark.parametrize(
    "event",
    [an_event(), {"id": "x", "extendedProperties": None}, {"id": "x", "extendedProperties": {"private": None}}],
)
def test_an_event_without_properties_has_no_link(event):
    assert Link.of(event) == Link()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "5",
        "[]",
        "null",
        '{"token":"t"}',
        '{"token":"t","now":null,"maxFr":1,"hmac":""}',
        '{"token":"t","now":1,"maxFr":Infinity,"hmac":""}',
    ],
)
def test_an_unreadable_intent_is_none(text):
    assert Intent.read(text) is None
