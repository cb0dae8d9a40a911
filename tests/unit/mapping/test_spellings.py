"""A register that does not fold is asked for each way in which a name or street may stand there."""

import pytest

from shared.mapping.spelling import spellings, street_terms


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("Mueller", ["Mueller", "müller"]),
        ("Müller", ["Müller", "mueller"]),
        ("Groß", ["Groß", "gross"]),
        ("Gross", ["Gross", "groß"]),
        ("Goessmann", ["Goessmann", "gössmann", "goeßmann", "gößmann"]),
        ("Bauer", ["Bauer"]),
        ("Schmidt", ["Schmidt"]),
    ],
)
def test_a_name_is_asked_for_in_each_spelling(name, asked):
    assert spellings(name) == asked


@pytest.mark.parametrize(
    ("street", "asked"),
    [
        ("Mühlenstr. 1", ["Mühlenstr. 1", "Mühlenstr", "muehlenstr"]),
        ("Muehlenweg 1", ["Muehlenweg 1", "mühlenweg 1"]),
        ("Neue Str. 1", ["Neue Str. 1", "Neue Str"]),
    ],
)
def test_a_street_is_asked_for_with_and_without_umlauts(street, asked):
    assert street_terms(street) == asked
