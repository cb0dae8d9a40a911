"""The object is asked for as given and by what every spelling of its street begins with."""

import pytest

from shared.mapping.spelling import street_terms


@pytest.mark.parametrize("street", ["Lange Straße 1", "Lange Strasse 1", "Lange Str. 1", "Lange Str 1"])
def test_a_street_is_also_asked_for_without_its_ending(street):
    assert street_terms(street) == [street, "Lange Str"]


@pytest.mark.parametrize("street", ["Am Markt 3", "Straßburger Allee 2", "Strandweg 4"])
def test_what_is_no_such_street_is_asked_for_once(street):
    assert street_terms(street) == [street]
