"""The parties and matters of the Advoware double, over HTTP."""

from datetime import date

import pytest

from sandbox.advoware import Advoware, Visitor
from sandbox.seed import clients
from sandbox.server import serve


@pytest.fixture
def advoware():
    advoware = Advoware()
    advoware.load([], [], *clients(today=date(2026, 11, 24)))
    return advoware


@pytest.fixture
def office(advoware):
    with serve(advoware) as server:
        yield Visitor(advoware, server.url)


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ({"search": "jörg  MÜLLER"}, [816, 817]),
        ({"email": "ANNA@example.org"}, [815]),
        ({"email": ""}, []),
        ({"telefon": "+49 511 5550101"}, [816]),
        ({"telefon": "01715550199"}, []),
        ({"betNr": "818"}, [818]),
        ({"search": "müller", "telefon": "+491705550103"}, [817]),
    ],
)
def test_parties_are_found_by_what_is_known_of_them(office, question, found):
    assert [row["betNr"] for row in office.get("beteiligte", params=question).json()] == found


def test_a_party_gets_a_new_row_id_with_each_write(office):
    made = office.post("beteiligte", json={"name": "Neu", "eigenesFeld": "x", "rowId": "mine"}).json()
    changed = office.put(f"beteiligte/{made['betNr']}", json={**made, "ort": "Celle"}).json()
    assert (changed["ort"], changed["eigenesFeld"]) == ("Celle", "x")
    assert len({made["rowId"], changed["rowId"], "mine"}) == 3


def test_a_stale_row_id_is_refused_and_changes_nothing(office, advoware):
    read = office.get("beteiligte/815").json()
    advoware.registry.edit_party(815, ort="Celle")
    answer = office.put("beteiligte/815", json={**read, "ort": "Peine"})
    assert answer.status_code == 409
    assert advoware.registry.party(815)["ort"] == "Celle"


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ({"gegner": "müller"}, ["123/26", "123/26"]),
        ({"gegner": "Groß"}, []),
        ({"betNr": "818"}, ["201/26", "310/26"]),
        ({"aktenNr": "77/26"}, ["77/26", "77/26"]),
        ({"objekt": "am maschsee 7"}, ["77/26", "77/26"]),
        ({"search": "hausbau", "betNr": "821"}, ["310/26"]),
    ],
)
def test_matters_are_found_by_number_party_opponent_and_object(office, question, found):
    assert [row["aktenNr"] for row in office.get("akten", params=question).json()] == found


def test_an_unknown_search_parameter_is_no_search_for_everything(office):
    assert office.get("beteiligte?mail=x").status_code == 400
