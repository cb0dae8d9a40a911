"""The pure decisions about parties."""

from __future__ import annotations

import pytest

from functions.vmh_webhooks.decide import as_number, created_by_us, digest
from shared.domain.party import Party
from shared.espocrm.links import Intent
from shared.mapping.beteiligte import from_beteiligte
from shared.mapping.party_search import matches, name_digest, search_terms

KARL = {"betNr": 7, "name": "Schulz", "vorname": "Karl", "aktiv": True}


@pytest.mark.parametrize(
    ("value", "number"), [(None, None), ("", None), (815, 815), ("815", 815), (" 815 ", 815), (0, 0)]
)
def test_a_number_is_read_as_espocrm_holds_it(value, number):
    assert as_number(value) == number


@pytest.mark.parametrize("value", ["abc", True, 1.5, [], {}])
def test_what_is_no_number_is_not_taken_for_one(value):
    with pytest.raises(ValueError):
        as_number(value)


def test_only_what_our_own_post_said_is_ours():
    intent = Intent(digest(from_beteiligte(KARL), b"k"), before=(6,), over_at_ms=0)
    rows = [{**KARL, "betNr": number} for number in (6, 7, 8)] + [{**KARL, "betNr": 9, "ort": "Celle"}]
    assert created_by_us(intent, rows, b"k", taken=[8]) == [7]
    assert created_by_us(intent, rows, b"another key", taken=[]) == []


def test_searches_ask_for_every_spelling_of_a_name_and_for_everything_known():
    party = Party("Groß", email="a@x.de", phone="+49511123456", other_emails=("b@x.de",))
    assert search_terms(party) == [
        {"search": "Groß"},
        {"search": "gross"},
        {"email": "a@x.de"},
        {"email": "b@x.de"},
        {"telefon": "+49511123456"},
    ]
    assert search_terms(Party("Meier")) == [{"search": "Meier"}]
    assert search_terms(Party("Mueller")) == [{"search": "Mueller"}, {"search": "müller"}]


def test_a_party_found_by_two_searches_is_one_match():
    row = {**KARL, "email": "k@x.de"}
    assert matches(Party("Schulz", "Karl", email="K@x.de"), [row, dict(row)]) == [7]


def test_a_digest_depends_on_the_key_and_hides_the_name():
    party = Party("Schulz", "Karl")
    assert digest(party, b"a") != digest(party, b"b")
    assert name_digest(party, b"a") == name_digest(Party("SCHULZ", "karl", email="x"), b"a")
    assert "schulz" not in name_digest(party, b"a")
