"""The invented firm."""

from collections import Counter
from datetime import date, datetime, timedelta

import pytest

from sandbox.advoware import Advoware, Visitor
from sandbox.seed import clients, firm
from sandbox.server import serve

TODAY = date(2026, 11, 24)


@pytest.fixture(scope="module")
def seeded():
    return firm(today=TODAY)


def texts(rows, **wanted):
    return [row["text"] for row in rows if all(row[name] == value for name, value in wanted.items())]


def day(row):
    return datetime.fromisoformat(row["datum"]).date()


def test_the_same_seed_invents_the_same_firm(seeded):
    assert firm(today=TODAY) == seeded
    assert firm(today=TODAY, rng_seed=2) != seeded


def test_the_firm_has_ten_people_with_short_names_and_addresses(seeded):
    people, _ = seeded
    assert len(people) == len({row["kuerzel"] for row in people}) == len({row["email"] for row in people}) == 10
    assert all(2 <= len(row["kuerzel"]) <= 3 and row["aktiv"] for row in people)
    assert all(row["email"].isascii() and row["email"].endswith("@kanzlei.example") for row in people)
    assert "ÖZ" in {row["kuerzel"] for row in people}


def test_more_people_still_have_names_of_their_own():
    people, _ = firm(employees=60, appointments=1, today=TODAY)
    assert len({row["kuerzel"] for row in people}) == 60


@pytest.mark.parametrize(("count", "today"), [(200, TODAY), (7, date(2028, 2, 29)), (1, date(2027, 3, 28))])
def test_everybody_has_exactly_the_wanted_number_in_the_window(count, today):
    people, rows = firm(employees=3, appointments=count, today=today)
    advoware = Advoware()
    advoware.load(people, rows)
    window = {"from": f"{today - timedelta(days=30)}T00:00:00", "to": f"{today + timedelta(days=366)}T00:00:00"}
    with serve(advoware) as server, Visitor(advoware, server.url) as visitor:
        for person in people:
            params = {"kuerzel": person["kuerzel"], **window}
            assert len(visitor.get("appointments", params=params).json()) == count


def test_numbers_are_positive_and_nobody_shares_by_default(seeded):
    people, rows = seeded
    assert len({row["frNr"] for row in rows}) == len(rows) == 2000
    assert min(row["frNr"] for row in rows) > 0
    assert Counter(row["anwalt"] for row in rows) == {row["kuerzel"]: 200 for row in people}


def test_shared_and_derived_ones_come_on_top_when_asked_for():
    _, rows = firm(employees=2, appointments=5, today=TODAY, shared=2, derived=3)
    assert sum(row["anwalt"] == "ALLE" for row in rows) == 2
    assert sorted(row["frNr"] for row in rows)[:3] == [-2, -1, 0]
    assert len(rows) == 2 * 5 + 2 + 3


def test_everybody_works_in_both_nights_of_the_clock_change(seeded):
    people, rows = seeded
    for night in (date(2027, 3, 28), date(2026, 10, 25), date(2027, 10, 31)):
        at_work = {row["anwalt"] for row in rows if day(row) == night and row["uhrzeitVon"] == "02:30:00"}
        assert at_work == {row["kuerzel"] for row in people}


def test_series_come_in_all_four_kinds_and_one_never_ends(seeded):
    _, rows = seeded
    assert {row["turnusArt"] for row in rows if row["turnus"]} == {1, 2, 3, 4}
    assert any(row["datumBis"].startswith("2037") and row["turnusArt"] == 2 for row in rows)


def test_broken_times_are_among_them(seeded):
    _, rows = seeded
    timed = [row for row in rows if not row["dauertermin"]]
    assert texts(timed, uhrzeitVon=None, uhrzeitBis="11:00:00")
    assert [row for row in timed if row["uhrzeitVon"] and not row["uhrzeitBis"]]
    assert [row for row in timed if row["uhrzeitVon"] and (row["uhrzeitBis"] or "99") < row["uhrzeitVon"]]
    assert [row for row in rows if row["datumBis"][:10] < row["datum"][:10]]


def test_texts_are_as_strange_as_in_real_life(seeded):
    _, rows = seeded
    assert any('"' in row["text"] and "„" in row["text"] and "&" in row["text"] for row in rows)
    assert any(len(row["text"]) > 500 for row in rows)
    assert any(len(row["notiz"] or "") > 2000 and "\r\n" in row["notiz"] for row in rows)
    assert any("u\u0308" in row["text"] or "U\u0308" in row["text"] for row in rows)


def test_days_come_in_both_spellings_and_some_rows_carry_unknown_fields(seeded):
    _, rows = seeded
    assert {len(row["datum"]) for row in rows} == {10, 19}
    assert any("vorbereitungsDauer" in row for row in rows)
    assert any("raum" in row for row in rows)


def test_absences_last_one_day_or_several(seeded):
    _, rows = seeded
    lengths = {row["datum"][:10] == row["datumBis"][:10] for row in rows if row["dauertermin"] and not row["turnus"]}
    assert lengths == {True, False}


def test_matters_name_parties_that_exist_and_people_who_work_here(seeded):
    parties, matters = clients(today=TODAY)
    assert {row["betNr"] for row in matters} <= {row["betNr"] for row in parties}
    assert {row["sachbearbeiter"] for row in matters} <= {row["kuerzel"] for row in seeded[0]}
    assert {row["rolle"] for row in matters} == {"mandant", "gegner"}
