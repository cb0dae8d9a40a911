"""What the office reads beside a lead: places, what was written as given, what nobody knows, who may be the same."""

from __future__ import annotations

import json

import pytest
from leads_world import FORM, lines_of

from functions.leads.forms import read_form
from functions.leads.places import land_of, remark_on
from functions.leads.reading import read_body


def read(**more):
    body = read_body(json.dumps(FORM | more).encode(), "application/json")
    hosts = {"vermieterhelden.de"}
    return read_form(body, query_type=None, maps={}, received_at="2026-11-24T09:00:00+00:00", hosts=hosts)


def lead_of(world, **more) -> dict:
    world.post(FORM | more)
    world.work()
    return world.rows("Lead")[-1]


@pytest.mark.parametrize(
    ("plz", "land"),
    [
        ("30159", "NI"),
        ("80331", "BY"),
        ("10115", "BE"),
        ("99084", "TH"),
        ("21073", None),
        ("49477", None),
        (None, None),
    ],
)
def test_the_land_of_a_postal_code_is_told_where_its_area_lies_in_one(plz, land):
    assert land_of(plz) == land


@pytest.mark.parametrize(
    ("plz", "town", "code"),
    [
        ("30159", "Hannover", None),
        ("30159", "Hannover-Linden", None),
        ("10115", "Hannover", "plz_ort_abweichung"),
        ("20095", "München", "plz_ort_abweichung"),
        ("60311", "Frankfurt am Main", None),
        ("15230", "Frankfurt (Oder)", None),
        ("31655", "Stadthagen", None),
        ("05123", "Irgendwo", "plz_unbekannt"),
        (None, "Hannover", None),
        ("30159", None, None),
    ],
)
def test_a_town_that_cannot_have_a_postal_code_is_a_remark(plz, town, code):
    assert remark_on(plz, town) == code


def test_remarks_on_places_reach_sender_and_office_and_hold_nothing_up(world):
    answer = world.signed(FORM | {"plz": "10115", "ort": "Hannover", "objekt_adresse": "Lange Str. 1, 30159 Hannover"})
    assert answer.json["hinweise"] == [{"feld": "adresse.plz", "code": "plz_ort_abweichung"}]
    world.work()
    lines = lines_of(world.rows("Lead")[0]["description"])
    assert (lines["Hinweise"], lines["Bundesland"], "Prüfung" in lines) == (
        "adresse.plz plz_ort_abweichung",
        "NI",
        False,
    )


def test_a_foreign_address_has_a_foreign_postal_code(world):
    row = lead_of(world, plz="1010", ort="Wien", land="Österreich")
    assert (row["addressCountry"], row.get("addressPostalCode")) == ("AT", None)
    assert lines_of(row["description"])["PLZ wie angegeben"] == "1010"


def test_an_unticked_privacy_box_is_a_hint_for_the_office_alone(world):
    answer = world.signed({name: value for name, value in FORM.items() if name != "datenschutz"})
    assert (answer.status_code, answer.json["hinweise"]) == (200, [])
    world.work()
    lines = lines_of(world.rows("Lead")[0]["description"])
    assert (lines["Hinweise"], "Prüfung" in lines) == ("einwilligungen datenschutzhinweis_fehlt", False)


def test_a_file_that_anybody_can_read_is_told_to_the_office():
    public = "https://vermieterhelden.de/wp-content/uploads/2026/vertrag.pdf"
    found = read(anhaenge=[public, "https://vermieterhelden.de/dateien/1", "https://evil.example/x.pdf"])
    assert [each.url for each in found.lead.anhaenge] == [public, "https://vermieterhelden.de/dateien/1"]
    assert [each.code for each in found.hints] == ["anhang_oeffentlich"]
    assert [each.code for each in found.remarks] == ["anhang_verworfen"]


@pytest.mark.parametrize(
    ("given", "e164", "line"),
    [
        ("0511 / 123 45 67", "+495111234567", None),
        ("0511 1234567 App. 12", "+495111234567", "0511 1234567 App. 12"),
        ("0511 1234567 (abends)", "+495111234567", "0511 1234567 (abends)"),
    ],
)
def test_what_was_said_beside_a_number_is_kept(world, given, e164, line):
    row = lead_of(world, telefon=given)
    assert row["phoneNumber"] == e164
    assert lines_of(row["description"]).get("Telefon wie angegeben") == line


def test_an_ambiguous_date_is_shown_as_it_was_written(world):
    lines = lines_of(lead_of(world, frist="04/12/2026")["description"])
    assert (lines["Frist wie angegeben"], lines.get("Frist")) == ("04/12/2026", None)
    assert "anliegen.frist frist_mehrdeutig" in lines["Hinweise"]


def test_what_nobody_knows_is_shown_below_the_lines_and_never_as_a_field(world):
    more = {"Anzahl Katzen": "3", "assignedUserId": "evil", "status": "Converted", "_wpnonce": "x", "cToken": "y"}
    row = lead_of(world, **more)
    head, rest, message = row["description"].split("\n\n")
    assert rest == "Weitere Angaben:\nAnzahl Katzen: 3\nassignedUserId: evil"
    assert message == "Nachricht:\n" + FORM["nachricht"]
    assert (row.get("assignedUserId"), row["status"]) == (None, "New")
    assert "Katzen" not in head


@pytest.mark.parametrize(
    ("other", "similar"),
    [
        ({"lastName": "Groß", "addressPostalCode": "30159"}, True),
        ({"lastName": "Groß", "addressPostalCode": "30161"}, False),
        ({"lastName": "Klein", "emailAddress": "b@hausverwaltung-groß.example.org"}, False),
        ({"lastName": "Klein", "emailAddress": "b@immo.example.org"}, True),
        ({"lastName": "Klein", "emailAddress": "b@other.example.org", "phoneNumber": "+495111234567"}, True),
    ],
)
def test_who_may_be_the_same_is_named_and_left_to_a_person(world, other, similar):
    row_id = world.espocrm.add("Lead", **other)
    row = lead_of(world, email="anna@immo.example.org", plz="30159")
    assert row["id"] != row_id
    assert lines_of(row["description"]).get("Ähnlich") == (f"#Lead/view/{row_id}" if similar else None)


@pytest.mark.parametrize("email", ["anna@web.de", "anna@gmail.com", "anna@t-online.de"])
def test_everybody_s_mail_domain_is_no_sign(world, email):
    world.espocrm.add("Lead", lastName="Klein", emailAddress=f"karl@{email.partition('@')[2]}")
    assert "Ähnlich" not in lines_of(lead_of(world, email=email)["description"])


def test_a_weak_sign_that_fits_many_is_none(world):
    for n in range(21):
        world.espocrm.add("Lead", lastName=f"Nr{n}", emailAddress=f"n{n}@immo.example.org")
    assert "Ähnlich" not in lines_of(lead_of(world, email="anna@immo.example.org")["description"])


def test_own_fields_get_plain_values(world):
    crm, entity = world.main.deps().crm, world.espocrm.records.entities["Lead"]
    names = "cDringlichkeit cFrist cUtmSource cEinwilligungen cRueckruf cKollision"
    crm._fields = (float("inf"), frozenset(names.split()))
    object.__setattr__(entity, "attributes", f"{entity.attributes} {names}")
    row = lead_of(world, frist="2099-12-04", utm_source="google", rueckruf="ja")
    assert {name: row[name] for name in names.split()} == {
        "cDringlichkeit": "normal",
        "cFrist": "2099-12-04",
        "cUtmSource": "google",
        "cEinwilligungen": "datenschutzhinweis",
        "cRueckruf": "ja",
        "cKollision": "offen",
    }
    world.post(FORM | {"nachricht": "Der Gerichtsvollzieher kommt"})
    world.work()
    assert world.rows("Lead")[0]["cDringlichkeit"] == "sofort"


def test_what_was_cut_is_named_as_the_schema_names_it(world):
    long = {"vorname": "x" * 101, "nachricht": "y" * 10_001, "objekt_adresse": "z" * 301, "mieter_name": "n" * 201}
    others = {f"feld_{number}": "a" for number in range(41)}
    answer = world.signed(FORM | long | others)
    assert {(each["feld"], each["code"]) for each in answer.json["hinweise"]} == {
        ("person.vorname", "gekuerzt"),
        ("anliegen.beschreibung", "gekuerzt"),
        ("objekt.strasse", "gekuerzt"),
        ("gegenseite.name", "gekuerzt"),
        ("weitere", "gekuerzt"),
    }


def test_a_landline_and_a_mobile_are_two_numbers(world):
    row = lead_of(world, mobil="0171 2345678")
    assert row["phoneNumber"] == "+495111234567"
    assert lines_of(row["description"])["Weitere Telefonnummern"] == "+491712345678"


def test_unknown_fields_of_one_name_are_all_kept(world):
    row = lead_of(world, **{"lead/Farbe": "rot", "data/Farbe": "blau", "fields/Farbe": "gelb"})
    assert "Farbe: rot, blau, gelb" in row["description"]
