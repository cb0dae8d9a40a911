"""EspoCRM's entity, our Party, Advoware's Beteiligte; and numbers in every spelling."""

from __future__ import annotations

import string
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.party import Party
from shared.mapping.beteiligte import (
    Names,
    canonical,
    changes,
    filled,
    from_beteiligte,
    from_entity,
    is_same_party,
    new_beteiligte,
)
from shared.mapping.country import iso_country
from shared.mapping.phone import e164, is_mobile, same_number
from shared.mapping.spelling import folded, folded_street

NAMES = Names()


@pytest.mark.parametrize(
    ("text", "number", "mobile"),
    [
        ("+495111234567", "+495111234567", False),
        ("0511 / 555 01 01", "+495115550101", False),
        ("(0511) 12-34-56", "+49511123456", False),
        ("0049 511 5550104", "+495115550104", False),
        ("+49 (0)511 123456", "+49511123456", False),
        ("0170 5550102", "+491705550102", True),
        ("0151-5550105", "+491515550105", True),
        ("+49 160 1234567", "+491601234567", True),
        ("+43 664 1234567", "+436641234567", True),
        ("+33 1 55 50 10 70", "+33155501070", False),
        ("abc", None, False),
        ("", None, False),
        (None, None, False),
        ("1" * 70, None, False),
        ("+1", None, False),
    ],
)
def test_a_number_in_any_spelling(text, number, mobile):
    assert e164(text) == number
    assert is_mobile(text) is mobile


def test_what_is_no_number_is_compared_as_text():
    assert same_number("Zentrale ", "Zentrale")
    assert not same_number("Zentrale", "Pforte")
    assert same_number("0511 123456", "+49511123456")


@pytest.mark.parametrize(
    ("said", "salutation", "title"),
    [
        ({"salutationName": "Mr."}, "Herr", None),
        ({"salutationName": "Mrs."}, "Frau", None),
        ({"salutationName": "Herr"}, "Herr", None),
        ({"salutationName": "Dr."}, None, "Dr."),
        ({"salutationName": "Dr.", "titel": "Prof. Dr."}, None, "Prof. Dr."),
        ({"salutationName": "Ms.", "titel": "Dr."}, "Frau", "Dr."),
        ({"salutationName": None, "rechtsform": "Frau"}, "Frau", None),
        ({"salutationName": None}, "", None),
        ({}, None, None),
        ({"rechtsform": "GmbH"}, "Firma", None),
        ({"rechtsform": "WEG", "salutationName": None}, "Firma", None),
    ],
)
def test_salutation_and_title(said, salutation, title):
    party = from_entity({"lastName": "X", **said}, NAMES)
    assert (party.salutation, party.title) == (salutation, title)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"lastName": "Groß", "name": "Anna Groß"}, "Groß"),
        ({"lastName": None, "firma": "Bau AG", "name": "x"}, "Bau AG"),
        ({"lastName": " ", "name": "Bau AG"}, "Bau AG"),
        ({"name": None}, ""),
        ({"lastName": 5}, ""),
    ],
)
def test_the_name(said, name):
    assert from_entity(said, NAMES).name == name


def test_an_attribute_that_is_not_there_says_nothing_and_an_empty_one_says_nothing_is_there():
    assert from_entity({"lastName": "X"}, NAMES).city is None
    assert from_entity({"lastName": "X", "addressCity": None}, NAMES).city == ""
    assert changes(Party("X", city=None), {"name": "X", "ort": "Celle"}, ["ort"]) == {}
    assert changes(Party("X", city=""), {"name": "X", "ort": "Celle"}, ["ort"]) == {"ort": ""}
    assert changes(Party("X", city=""), {"name": "X", "ort": "Celle"}, []) == {}
    assert changes(Party("X", birth_date=""), {"name": "X", "geburtsdatum": "1980-01-01"}, ["geburtsdatum"]) == {
        "geburtsdatum": None
    }
    assert changes(Party(""), {"name": "X"}, ["name"]) == {}


def test_an_address_in_several_lines_and_a_country_by_name():
    party = from_entity({"addressStreet": "Lange Str. 1\n Hinterhaus\n", "addressCountry": "Österreich"}, NAMES)
    assert (party.street, party.country) == ("Lange Str. 1, Hinterhaus", "AT")
    assert from_entity({"addressCountry": "Atlantis"}, NAMES).country is None
    assert [iso_country(each) for each in ("de", "Germany", "", "Xanadu")] == ["DE", "DE", "", None]


def numbers(*rows):
    data = [dict(zip(("phoneNumber", "primary", "type"), row, strict=False)) for row in rows]
    return from_entity({"lastName": "X", "phoneNumber": None, "phoneNumberData": data}, NAMES)


def test_of_several_numbers_the_first_landline_and_the_first_mobile_are_written():
    party = numbers(
        ("+49511222222", False, "Office"),
        ("+491701111111", False, "Home"),
        ("+49511111111", True, "Mobile"),
        ("+491702222222", False, "Mobile"),
        ("+49511333333", False, "Fax"),
    )
    assert (party.phone, party.mobile) == ("+49511111111", "+491701111111")
    assert party.other_phones == ("+49511222222", "+491702222222")
    assert len(party.phones) == 4


def test_a_number_marked_as_wrong_is_left_out():
    data = [{"phoneNumber": "+49511111111", "primary": True, "invalid": True}]
    assert from_entity({"phoneNumber": "+49511111111", "phoneNumberData": data}, NAMES).phones == ()


def test_where_the_plan_of_numbers_does_not_say_the_type_decides():
    assert numbers(("+12125550123", True, "Mobile")).mobile == "+12125550123"
    assert numbers(("+12125550123", True, "Office")).phone == "+12125550123"


def test_a_row_of_a_list_knows_the_primary_number_only():
    assert from_entity({"phoneNumber": "+491701234567"}, NAMES).phone is None
    assert from_entity({"phoneNumber": "+491701234567"}, NAMES).mobile == "+491701234567"
    assert from_entity({"phoneNumber": None}, NAMES).phones == ()


def test_every_email_address_identifies_and_the_primary_one_is_written():
    data = [{"emailAddress": "b@x.de", "primary": False}, {"emailAddress": "a@x.de", "primary": True}]
    party = from_entity({"emailAddress": "a@x.de", "emailAddressData": data}, NAMES)
    assert (party.email, party.other_emails) == ("a@x.de", ("b@x.de",))


def test_names_fold():
    assert folded("  GROSS-Müller ") == folded("Groß Mueller")
    assert folded("d'Orléans") == folded("D’ORLEANS") == "d orleans"
    assert folded("Yıldız") != folded("")
    assert folded_street("Lange Straße 1") == folded_street("lange str. 1") == folded_street("Lange Strasse 1")
    assert folded_street("Lange Str. 1") != folded_street("Lange Str. 11")


def test_own_names_of_attributes():
    names = Names.of({"title": "cTitel", "birth_date": "cGeb"})
    party = from_entity({"cTitel": "Dr.", "cGeb": "1980-04-02", "titel": "x"}, names)
    assert (party.title, party.birth_date) == ("Dr.", "1980-04-02")
    with pytest.raises(ValueError, match="shoe_size"):
        Names.of({"shoe_size": "x"})


words = st.text(string.ascii_letters + "äöüßéç -'", min_size=1, max_size=12).map(str.strip).filter(bool)
mails = st.from_regex(r"[a-z]{1,8}@[a-z]{1,8}\.de", fullmatch=True)
landlines = st.integers(200000, 999999).map(lambda number: f"+49511{number}")
mobiles = st.integers(1000000, 9999999).map(lambda number: f"+49170{number}")
parties = st.builds(
    Party,
    name=words,
    first_name=st.none() | words,
    salutation=st.sampled_from([None, "", "Herr", "Frau"]),
    title=st.sampled_from([None, "", "Dr."]),
    birth_date=st.none() | st.dates(date(1900, 1, 1), date(2020, 1, 1)).map(date.isoformat),
    street=st.none() | words,
    postal_code=st.none() | st.from_regex(r"\d{5}", fullmatch=True).filter(str.isascii),
    email=st.none() | mails,
    phone=st.none() | landlines,
    mobile=st.none() | mobiles,
)


@given(parties)
def test_what_was_created_needs_no_change(party):
    row = new_beteiligte(party)
    assert changes(party, row, filled(party)) == {}
    assert row["aktiv"] is True
    assert from_beteiligte(row).name == party.name


@given(parties, parties)
def test_after_the_changes_there_is_nothing_to_change(party, other):
    row = {"unbekannt": 1, **new_beteiligte(other)}
    changed = {**row, **changes(party, row, filled(other))}
    assert changes(party, changed, filled(other)) == {}
    assert changed["unbekannt"] == 1


@given(parties)
def test_a_party_is_the_same_as_itself_only_with_something_to_tell_it_by(party):
    known = bool(party.emails or party.phones or party.birth_date or (party.postal_code and folded(party.street or "")))
    if folded(party.name):
        assert is_same_party(party, from_beteiligte(new_beteiligte(party))) is known


@given(parties)
def test_two_spellings_have_one_canonical_form(party):
    row = new_beteiligte(party)
    respelled = {**row, "email": row.get("email", "").upper()}
    if party.phone:
        respelled["telefon"] = f"0{party.phone[3:6]} / {party.phone[6:]}"
    assert canonical(from_beteiligte(respelled)) == canonical(from_beteiligte(row))
