"""Reading any sender: bodies, names, numbers, phones, mails, dates, topics, types."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.leads.contact import may_be_dialled, read_email, read_phones
from functions.leads.errors import EmptyBodyError, WrongKindError
from functions.leads.forms import read_form
from functions.leads.reading import read_body
from functions.leads.values import (
    as_bool,
    as_date,
    as_number,
    cleaned,
    salutation,
    split_address,
    split_name,
    title_in,
    wished,
)

FORM_KIND = "application/x-www-form-urlencoded"
AT = "2026-11-24T05:00:00+00:00"


def read(body, kind="application/json", **more):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    options = {"query_type": None, "maps": {}, "received_at": AT, "hosts": {"vermieterhelden.de"}} | more
    return read_form(read_body(raw, kind), **options)


@pytest.mark.parametrize("kind", [FORM_KIND, "text/plain", "", None, "application/json; charset=x", "text/xml"])
def test_json_is_json_whatever_its_label(kind):
    assert read_body(b' \n{"a":"b\nc"}', kind).values == {"a": "b\nc"}
    assert read_body(b'\xef\xbb\xbf{"a":1}', kind).values == {"a": 1}


def test_brackets_nest_and_number_lists():
    body = read_body(b"a%5Bb%5D%5Bc%5D=1&l%5B%5D=x&l%5B%5D=y&n[0]=p&n[1]=q&d=1&d=2&a[b][e]=%C3%A4+%2B", FORM_KIND)
    assert body.values == {"a": {"b": {"c": "1", "e": "ä +"}}, "l": ["x", "y"], "n": ["p", "q"], "d": ["1", "2"]}


def test_a_form_of_more_than_400_fields_is_cut_with_a_remark():
    body = read_body("&".join(f"f{n}={n}" for n in range(500)).encode(), FORM_KIND)
    assert (len(body.values), body.remarks) == (400, ("felder_gekuerzt",))


def test_multipart_fields_are_read_and_files_dropped():
    parts = (
        b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\na@example.org\r\n'
        b'--x\r\nContent-Disposition: form-data; name="f"; filename="v.pdf"\r\n\r\n%PDF\r\n--x--\r\n'
    )
    body = read_body(parts, "multipart/form-data; boundary=x")
    assert (body.values, body.remarks) == ({"email": "a@example.org"}, ("datei_verworfen",))


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b'{"a":1e999}',
        b'{"a":"\\ud800"}',
        b'{"a":' * 40 + b"1" + b"}" * 40,
        b'{"a":' + b"9" * 5000 + b"}",
        b"\xff\xfe{",
    ],
)
def test_what_cannot_be_read_keeps_its_text(raw):
    body = read_body(raw, "application/json")
    assert not body.readable
    assert body.text


@pytest.mark.parametrize(("encoding", "remarks"), [("utf-8", ()), ("cp1252", ("zeichen_ersetzt",))])
def test_a_value_of_multipart_is_read_whatever_its_encoding(encoding, remarks):
    text = 'Content-Disposition: form-data; name="name"\r\n\r\nÄnne Groß, 500 €'.encode(encoding)
    scan = b'Content-Disposition: form-data; name="f"; filename=""\r\n\r\n\xff\xfe'
    body = read_body(b"--x\r\n" + text + b"\r\n--x\r\n" + scan + b"\r\n--x--\r\n", "multipart/form-data; boundary=x")
    assert (body.values, body.remarks) == ({"name": "Änne Groß, 500 €"}, remarks)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("shape", ['{{"name":"Anna Groß","text":"{}"}}', "name=Anna Groß&text={}"])
def test_a_body_is_read_whatever_its_encoding(encoding, shape):
    body = read_body(shape.format("500 € für Ärger").encode(encoding), None)
    assert body.values == {"name": "Anna Groß", "text": "500 € für Ärger"}
    assert body.remarks == (("zeichen_ersetzt",) if encoding == "cp1252" else ())


def test_escaped_forms_of_old_systems_are_read_too():
    body = read_body(b"name=Gro%DF&text=%80", FORM_KIND)
    assert (body.values, body.remarks) == ({"name": "Groß", "text": "€"}, ("zeichen_ersetzt",))


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (bytes(range(256)), None),
        (b"a=1\0b", FORM_KIND),
        (b"\x81\xa1a\x01", "application/x-msgpack"),
        (b'{"query":"{a}"}', "application/graphql+json"),
        (b"PK", "application/vnd.ms-excel"),
    ],
)
def test_what_is_no_form_at_all_is_refused(raw, kind):
    with pytest.raises(WrongKindError):
        read_body(raw, kind)


@pytest.mark.parametrize("given", ["a@example.org; b@example.org", ["a@example.org", "b@example.org"]])
def test_of_several_addresses_the_first_counts_and_all_are_kept(given):
    found = read({"email": given, "nachname": "X", "nachricht": "y"})
    assert (found.lead.person.email, [each.code for each in found.remarks]) == ("a@example.org", ["email_mehrere"])
    assert "b@example.org" in found.given_email


@pytest.mark.parametrize("given", ["a@web,de", "a@example.org, oder so", "a@example.org\nBcc: b@example.org"])
def test_what_only_looks_like_several_is_broken(given):
    assert read({"email": given, "telefon": "0511 1234567"}).lead.person.email is None


@pytest.mark.parametrize(
    ("wording", "given"),
    [
        ("Ich habe die Hinweise gelesen und weiß, dass Daten nicht weitergegeben werden", True),
        ("Ja, ich möchte den Newsletter", True),
        ("Die Datenschutzhinweise habe ich gelesen", True),
        ("Einverstanden", True),
        ("Nein, danke", False),
        ("Ich möchte keinen Newsletter", False),
        ("Ich bin nicht einverstanden", False),
        ("bitte wählen", False),
        ("checked", True),
        ("0", False),
    ],
)
def test_a_box_that_sends_its_wording_was_ticked(wording, given):
    lead = read({"typ": "newsletter", "email": "a@example.org", "newsletter": wording}).lead
    assert lead.consented("newsletter") is given


def test_an_address_in_one_field_is_taken_apart():
    home = read({"Adresse": "Lange Str. 1a, 30159 Hannover", "email": "a@example.org"}).lead.adresse
    assert (home.strasse, home.hausnummer, home.plz, home.ort) == ("Lange Str.", "1a", "30159", "Hannover")
    given = read({"strasse": "Allee 2", "plz": "30161", "ort": "Hannover", "email": "a@example.org"}).lead.adresse
    assert (given.strasse, given.hausnummer, given.plz, given.ort) == ("Allee", "2", "30161", "Hannover")


def test_a_broken_template_gives_its_fields_back():
    body = read_body(b'{"email":"a@example.org","nachricht":"Er sagt "ja", oder\nnein","themen":"x"}', "text/plain")
    assert body.values["nachricht"] == 'Er sagt "ja", oder\nnein'
    assert body.values["themen"] == "x"


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([FORM_KIND, "application/json", "text/plain", "multipart/form-data"]))
def test_no_bytes_at_all_raise_anything_else(raw, kind):
    try:
        read(raw, kind)
    except (EmptyBodyError, WrongKindError):
        return


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            "email telefon name frist plz nachricht typ themen data fields person einwilligungen x".split()
        ),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=30),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
            max_leaves=6,
        ),
    )
)
def test_no_values_at_all_raise_anything_and_all_stay_inside_the_limits(values):
    lead = read(values).lead
    document = lead.to_json()
    assert json.dumps(document)
    assert len(lead.weitere) <= 40
    assert all(len(text) <= 2000 for text in lead.weitere.values())


def test_elementor_s_advanced_form():
    raw = (
        b"form[id]=ab12&form[name]=Anfrage&fields[name][id]=name&fields[name][title]=Name"
        b"&fields[name][raw_value]=Anna+Gro%C3%9F"
        b"&fields[field_7][title]=E-Mail&fields[field_7][raw_value]=a@example.org&fields[message][raw_value]=Hallo"
        b"&meta[page_url][title]=Seite&meta[page_url][value]=https://x.test/?utm_source=g"
        b"&meta[remote_ip][value]=1.2.3.4"
    )
    lead = read(raw, FORM_KIND).lead
    assert (lead.person.nachname, lead.person.email, lead.anliegen.beschreibung) == ("Groß", "a@example.org", "Hallo")
    assert (lead.quelle.utm_source, lead.technik.ip, lead.quelle.formular) == ("g", "1.2.3.4", "Anfrage")


def test_a_normalised_lead_reads_as_itself():
    document = {
        "event": "lead.created",
        "typ": "vermieter_anfrage",
        "person": {"nachname": "Groß", "email": "a@example.org"},
        "objekt": {"strasse": "Lange Str.", "hausnummer": "1", "plz": "30159", "art": "wohnung", "einheiten": 3},
        "gegenseite": {"name": "Max Meier", "rolle": "mieter"},
        "anliegen": {"thema": "raeumung", "beschreibung": "Text", "frist": "2026-12-04", "frist_art": "gericht"},
        "kontaktwunsch": {"rueckruf": True, "zeitfenster": "vormittags"},
        "einwilligungen": [{"zweck": "datenschutzhinweis", "erteilt": True, "zeitpunkt": AT, "ip": "203.0.113.1"}],
        "technik": {"ip": "203.0.113.1", "ausfuellzeit_s": 44.5},
        "quelle": {"plugin": "bridge", "utm_source": "google"},
    }
    written = read(document).lead.to_json()
    assert {name: written[name] for name in document} == document


@pytest.mark.parametrize(
    ("body", "query", "kind"),
    [
        ({"typ": "Vermieter"}, None, "vermieter_anfrage"),
        ({"type": "mieter"}, "newsletter", "mieter_anfrage"),
        ({}, "newsletter", "newsletter_anmeldung"),
        ({"form_id": "7"}, None, "mieter_anfrage"),
        ({"data": {"typ": "kontakt"}}, "mieter", "kontaktformular"),
        ({}, None, "kontaktformular"),
    ],
)
def test_where_the_type_comes_from(body, query, kind):
    assert read(body, query_type=query, maps={"7": {"typ": "mieter"}}).lead.typ == kind


@pytest.mark.parametrize(
    ("whole", "parts"),
    [
        ("Anna Groß", ("Anna", "Groß", None)),
        ("Anna Maria Groß", ("Anna Maria", "Groß", None)),
        ("Ludwig van Beethoven", ("Ludwig", "van Beethoven", None)),
        ("Dr. Anna von der Heide", ("Anna", "von der Heide", "Dr.")),
        ("Groß, Anna", ("Anna", "Groß", None)),
        ("Groß", (None, "Groß", None)),
        ("Eheleute Anna und Karl Groß", ("Eheleute Anna und Karl", "Groß", None)),
    ],
)
def test_names_in_one_field(whole, parts):
    assert split_name(whole) == parts


@pytest.mark.parametrize(
    ("given", "number"),
    [
        ("4.350,50 €", 4350.5),
        ("4350.50", 4350.5),
        ("4.350", 4350),
        ("4,5", 4.5),
        ("ca. 1 234,50 EUR", 1234.5),
        ("1.200,-", 1200),
        ("12 s", 12),
        ("ca. 3 Monatsmieten", None),
        ("10-15", None),
        ("-5", None),
        ("1,234.50", 1234.5),
        ("x", None),
        (True, None),
    ],
)
def test_amounts(given, number):
    assert as_number(given) == number


@pytest.mark.parametrize(
    ("given", "day"),
    [("2026-12-04", date(2026, 12, 4)), ("4.12.2026", date(2026, 12, 4)), ("04/12/2026", None), ("31.02.2026", None)],
)
def test_days(given, day):
    assert as_date(given) == day


def test_yes_and_no():
    given = ("on", 1, "true", "ja", "yes", "accepted", "", 0, "nein", "vielleicht", None)
    assert [as_bool(each) for each in given] == [
        True, True, True, True, True, True, None, False, False, None, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "numbers"),
    [
        ("0511 / 123 45-67", ["+495111234567"]),
        ("+49 (0) 511 1234567", ["+495111234567"]),
        ("49 511 1234567", ["+495111234567"]),
        ("4915112345678", ["+4915112345678"]),
        ("0511 1234567 App. 12", ["+495111234567"]),
        ("0511 1234567 (abends)", ["+495111234567"]),
        ("Tel.: 0511 1234567", ["+495111234567"]),
        ("tel:+495111234567;ext=3", ["+495111234567"]),
        ("0511 1234567 oder 0171 1234567", ["+495111234567", "+491711234567"]),
        ("0511 1234567 App. 12, mobil: 0171/1234567 (abends)", ["+495111234567", "+491711234567"]),
        ("0511 1234567, 0171 1234567", ["+495111234567", "+491711234567"]),
        ("٠٥١١ ١٢٣٤٥٦٧", ["+495111234567"]),
        ("+43 1 5123456", ["+4315123456"]),
        ("112", []),
        ("*21*0301234567#", []),
        ("030 ABCDEFG", []),
        ("keine", []),
        ("", []),
    ],
)
def test_phones(given, numbers):
    assert read_phones(given) == numbers


@pytest.mark.parametrize(
    ("number", "allowed"),
    [
        ("+495111234567", True),
        ("+4915112345678", True),
        ("+4315123456", True),
        ("+491371234567", False),
        ("+499001234567", False),
        ("+491801234567", False),
        ("+18765551234", False),
        ("+881612345678", False),
        ("+33123456789", False),
        (None, False),
    ],
)
def test_which_numbers_a_machine_may_dial(number, allowed):
    assert may_be_dialled(number) is allowed


def test_mails():
    assert read_email(" Anna.Gross@EXAMPLE.org ").address == "Anna.Gross@example.org"
    assert read_email("a@b.de\nBcc: x@y.de").address is None
    assert read_email("x" * 65 + "@example.org").address is None
    assert read_email("a@web.con").suggestion == "web.de"
    assert read_email("a@gmial.com").suggestion == "gmail.com"
    assert read_email("a@gmx.de").suggestion is None
    assert read_email("a@mailinator.com").disposable
    assert read_email("").address is None


def test_addresses_in_one_field():
    assert split_address("Lange Str. 1a, 30159 Hannover") == ("Lange Str.", "1a", "30159", "Hannover")
    assert split_address("Am Markt") == ("Am Markt", None, None, None)


def test_markup_and_control_characters_go_and_what_is_no_markup_stays():
    text = "<b>Miete</b> < 500 €\x00\x1b\r\nZeile\u202e 2"
    assert read({"email": "a@example.org", "nachricht": text}).lead.anliegen.beschreibung == "Miete < 500 €\nZeile 2"


def test_files_are_links_of_our_own_sites_only():
    urls = ["https://vermieterhelden.de/a.pdf", "http://vermieterhelden.de/b.pdf", "https://evil.test/c.pdf"]
    found = read({"email": "a@example.org", "unterlagen": urls})
    assert [each.url for each in found.lead.anhaenge] == urls[:1]
    assert ("anhaenge", "anhang_verworfen") in {(each.feld, each.code) for each in found.remarks}


def test_an_address_under_an_unknown_name_is_found():
    assert read({"feld_12": "a@example.org", "feld_13": "Text"}).lead.person.email == "a@example.org"


@pytest.mark.parametrize(
    ("given", "wish"),
    [
        ("1", True),
        ("Ja, bitte", True),
        ("Bitte um Rückruf", True),
        ("Rufen Sie mich an", True),
        ("vormittags", True),
        ("ab 18 Uhr", True),
        ("nein danke", False),
        ("kein Rückruf", False),
        ("Bitte rufen Sie mich nicht an", False),
        ("per E-Mail", False),
        ("0", False),
        (False, False),
    ],
)
def test_a_wish_for_a_call_is_read_as_forms_word_it(given, wish):
    assert wished(given) is wish


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("an <anna@example.org> und <https://a.de/x>", "an <anna@example.org> und <https://a.de/x>"),
        ("a < b > c, 3<4", "a < b > c, 3<4"),
        ("<p class='x'>Hallo</p><br/><o:p>Welt</o:p>", "HalloWelt"),
        ("<script>alert(1)</script><img src=x onerror=y>", "alert(1)"),
    ],
)
def test_markup_goes_and_what_only_looks_like_it_stays(given, kept):
    assert cleaned(given) == kept


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("Frau", ("frau", None)),
        ("Herr Dr.", ("herr", "Dr.")),
        ("Frau Prof. Dr.", ("frau", "Prof. Dr.")),
        ("Herr und Frau", (None, None)),
        ("Keine Angabe", ("keine_angabe", None)),
        ("Herr Meier", (None, None)),
    ],
)
def test_salutations(given, read):
    assert (salutation(given), title_in(given)) == read


@pytest.mark.parametrize(
    "name", ["Hausverwaltung Groß GmbH", "Groß & Co. KG", "WEG Lange Str. 1", "Mieter helfen e.V."]
)
def test_a_firm_in_the_name_s_field_is_a_firm(name):
    person = read({"name": name, "email": "a@example.org", "nachricht": "x"}).lead.person
    assert (person.firma, person.vorname, person.nachname) == (name, None, None)


@pytest.mark.parametrize("name", ["Kag Weger", "Agnes Ugarte", "Max Segbr", "Eva Groß"])
def test_a_person_is_no_firm(name):
    person = read({"name": name, "email": "a@example.org", "nachricht": "x"}).lead.person
    assert (person.firma, person.nachname) == (None, name.split()[1])


@pytest.mark.parametrize(
    ("field", "given", "name"),
    [
        ("anrede", "Familie", "anrede"),
        ("objektart", "Villa", "objekt_art"),
        ("einheiten", "10 bis 15", "objekt_einheiten"),
        ("mietrueckstand", "drei Monate", "rueckstand_eur"),
        ("kontaktweg", "WhatsApp", "weg"),
        ("erreichbarkeit", "ab 18 Uhr", "zeitfenster"),
        ("rechtsschutz", "Ja, ARAG Nr. 123456789", "rechtsschutz"),
        ("land", "Takatukaland", "land"),
        ("frist_art", "Sonderfrist", "frist_art"),
    ],
)
def test_words_that_the_schema_has_no_word_for_are_kept(field, given, name):
    form = {"name": "A B", "email": "a@example.org", "nachricht": "x", field: given}
    assert read(form).lead.weitere[name] == given


def test_words_that_were_understood_are_not_kept_twice():
    form = {"name": "A B", "email": "a@example.org", "nachricht": "x", "anrede": "Frau", "objektart": "Wohnung"}
    assert read(form | {"mietrueckstand": "4.350,50 €", "land": "Deutschland", "einheiten": "3"}).lead.weitere == {}
