"""The employees and appointments of the Advoware double, over HTTP."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import requests

from sandbox.advoware import Advoware, Visitor
from sandbox.faults import Fault
from sandbox.server import serve

NOW = datetime(2026, 11, 24, 4, 0, 5, tzinfo=UTC)
NOVEMBER = {"from": "2026-11-01T00:00:00", "to": "2026-12-01T00:00:00"}
HEARING = {
    "anwalt": "SB",
    "datum": "2026-11-24T00:00:00",
    "uhrzeitVon": "09:30:00",
    "datumBis": "2026-11-24",
    "uhrzeitBis": "11:00:00",
    "text": "Verhandlung Groß ./. Müller",
    "ort": "AG Hannover, Saal 12",
    "notiz": "Akte\r\n123/26",
    "vorbereitungsDauer": "00:30:00",
}


class Office(Visitor):
    """A logged-in client beside the double it talks to."""

    def __init__(self, advoware, url):
        super().__init__(advoware, url)
        self.advoware = advoware

    def numbers(self, kuerzel="SB", **window):
        answer = self.get("appointments", params={"kuerzel": kuerzel, **(window or NOVEMBER)})
        return [row["frNr"] for row in answer.json()]


@pytest.fixture
def office():
    advoware = Advoware(clock=lambda: NOW)
    advoware.employee("SB", name="Berger", vorname="Sabine", email="s.berger@kanzlei.example")
    advoware.employee("ÖZ", name="Zimmermann", vorname="Özlem")
    with serve(advoware) as server:
        yield Office(advoware, server.url)


def test_employees_are_listed_active_or_all(office):
    office.advoware.employee("ÖZ", aktiv=False)
    listed = [office.get(path).json() for path in ("employees?aktiv=true", "employees")]
    assert [[row["kuerzel"] for row in rows] for rows in listed] == [["SB"], ["SB", "ÖZ"]]
    assert listed[0][0]["email"] == "s.berger@kanzlei.example"


def test_what_was_posted_comes_back_with_a_growing_number(office):
    first, second = (office.post("appointments", json=HEARING).json() for _ in range(2))
    assert first["frNr"] < second["frNr"]
    assert HEARING.items() <= first.items()
    assert office.get(f"appointments/{first['frNr']}").json() == first


def test_a_change_is_stamped_in_berlin_time_without_zone(office):
    assert office.post("appointments", json=HEARING).json()["zuletztGeaendertAm"] == "2026-11-24T05:00:05"


def test_a_put_replaces_the_whole_object_and_keeps_fields_it_does_not_know(office):
    number = office.advoware.create("SB", datum="2026-11-24", alt="x")
    answer = office.put(f"appointments/{number}", json={**HEARING, "neu": [1]})
    assert answer.json()["neu"] == [1]
    assert "alt" not in office.advoware.get(number)
    assert office.advoware.get(number) == answer.json()


def test_a_number_never_comes_back_after_a_deletion(office):
    number = office.post("appointments", json=HEARING).json()["frNr"]
    assert office.delete(f"appointments/{number}").status_code == 204
    assert office.post("appointments", json=HEARING).json()["frNr"] > number


def test_what_is_gone_answers_404_in_json(office):
    number = office.advoware.create("SB", datum="2026-11-24")
    office.advoware.delete(number)
    for method in ("GET", "DELETE", "PUT"):
        answer = office.request(method, f"appointments/{number}", json=HEARING)
        assert (answer.status_code, answer.json()["status"]) == (404, 404)


def test_the_number_is_advowares_own_choice(office):
    made = office.post("appointments", json={**HEARING, "frNr": 17, "zuletztGeaendertAm": "alt"}).json()
    assert made["frNr"] != 17
    assert made["zuletztGeaendertAm"] != "alt"
    assert office.put(f"appointments/{made['frNr']}", json={**made, "frNr": 17}).status_code == 400


def test_a_new_appointment_may_be_missing_from_lists_for_a_while(office):
    office.advoware.diary.visible_after = timedelta(seconds=30)
    number = office.post("appointments", json=HEARING).json()["frNr"]
    assert office.get(f"appointments/{number}").status_code == 200
    assert office.numbers() == []
    office.advoware.diary.clock = lambda: NOW + timedelta(seconds=30)
    assert office.numbers() == [number]


def test_many_threads_never_share_a_number(office):
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda _: office.advoware.create("SB", datum="2026-11-24"), range(400)))
    assert len(set(numbers)) == len(office.numbers()) == 400


def test_a_derived_appointment_is_read_only(office):
    office.advoware.create("SB", frNr=-3, datum="2026-11-24")
    assert office.put("appointments/-3", json=HEARING).status_code == 403
    assert office.delete("appointments/-3").status_code == 403
    assert office.numbers() == [-3]


@pytest.mark.parametrize("anwalt", ["", "ALLE"])
def test_what_belongs_to_everybody_appears_in_every_list(office, anwalt):
    number = office.advoware.create(anwalt, datum="2026-11-24")
    assert office.numbers("SB") == office.numbers("ÖZ") == [number]


def test_a_list_holds_one_employee_only(office):
    number = office.advoware.create("ÖZ", datum="2026-11-24")
    assert (office.numbers("SB"), office.numbers("ÖZ")) == ([], [number])


@pytest.mark.parametrize(
    ("fields", "inside"),
    [
        ({"datum": "2026-10-31", "uhrzeitVon": "23:00:00", "datumBis": "2026-11-01", "uhrzeitBis": "00:00:00"}, False),
        ({"datum": "2026-10-31", "uhrzeitVon": "23:00:00", "datumBis": "2026-11-01", "uhrzeitBis": "00:01:00"}, True),
        ({"datum": "2026-11-30", "uhrzeitVon": "23:59:00"}, True),
        ({"datum": "2026-12-01", "uhrzeitVon": "00:00:00"}, False),
        ({"datum": "2026-10-31"}, False),
        ({"datum": "2026-10-30", "datumBis": "2026-11-01", "dauertermin": 1}, True),
        ({"datum": "2026-11-01", "uhrzeitVon": "08:00:00", "uhrzeitBis": "07:00:00"}, True),
        ({"datum": "2026-11-01", "uhrzeitVon": "00:00:00", "uhrzeitBis": "00:00:00"}, True),
        ({"datum": "2020-01-06", "datumBis": "2026-11-02", "turnus": 1, "turnusArt": 2}, True),
        ({"datum": "2020-01-06", "datumBis": "2026-10-31", "turnus": 1, "turnusArt": 2}, False),
        ({"datum": "2020-01-06", "datumBis": "2037-12-31", "turnus": 1, "turnusArt": 4}, True),
    ],
)
def test_the_window_takes_what_overlaps_it(office, fields, inside):
    office.advoware.create("SB", **fields)
    assert bool(office.numbers()) is inside


def test_an_endless_series_runs_beyond_2037(office):
    office.advoware.create("SB", datum="2020-01-06", datumBis="2037-12-31", turnus=1, turnusArt=4)
    assert office.numbers(**{"from": "2040-01-01", "to": "2040-01-02"})


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"anwalt": "XX"}, 422),
        ({"anwalt": 7}, 400),
        ({"datum": "24.11.2026"}, 400),
        ({"datum": None}, 400),
        ({"datumBis": "2026-02-30"}, 400),
        ({"uhrzeitVon": "9:30"}, 400),
        ({"uhrzeitBis": "25:00:00"}, 400),
        ({"dauertermin": True}, 400),
        ({"turnusArt": 5}, 400),
        ({"text": 5}, 400),
    ],
)
def test_what_is_malformed_is_refused_and_not_kept(office, change, status):
    number = office.advoware.create("SB", datum="2026-11-24")
    for method, path in (("POST", "appointments"), ("PUT", f"appointments/{number}")):
        assert office.request(method, path, json={**HEARING, **change}).status_code == status
    assert [row["text"] for row in office.advoware.appointments()] == [""]


@pytest.mark.parametrize(
    ("query", "status"),
    [("kuerzel=XX", 422), ("kuerzel=", 422), ("from=gestern", 400), ("to=2026-11-24T00:00:00Z", 400)],
)
def test_a_list_with_a_malformed_question_is_refused(office, query, status):
    assert office.get(f"appointments?{query}").status_code == status


def test_the_hands_of_a_person_are_seen_by_the_api(office):
    number = office.advoware.create("SB", datum="2026-11-24", text="alt", extra=1)
    office.advoware.edit(number, text="neu")
    office.advoware.move(number, "ÖZ")
    row = office.get(f"appointments/{number}").json()
    assert (row["text"], row["anwalt"], row["extra"]) == ("neu", "ÖZ", 1)
    assert [row["frNr"] for row in office.advoware.appointments("ÖZ")] == [number]
    office.advoware.delete(number)
    assert office.numbers("ÖZ") == []


def test_a_method_that_does_not_fit_names_those_that_do(office):
    answer = office.put("appointments")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST")


def test_five_hundred_appointments_are_listed_quickly(office):
    office.advoware.load([], [HEARING] * 500)
    times = []
    for _ in range(7):
        start = time.perf_counter()
        assert len(office.numbers()) == 500
        times.append(time.perf_counter() - start)
    assert min(times) < 0.015


def test_a_dropped_answer_leaves_the_appointment_behind(office):
    office.advoware.board.add(Fault("drop_after", method="POST", path="^/appointments$"))
    with pytest.raises(requests.ConnectionError):
        office.post("appointments", json=HEARING)
    assert len(office.advoware.appointments("SB")) == 1


def test_calls_are_logged_without_their_bodies(office):
    office.post("appointments", json=HEARING)
    call = office.advoware.board.calls[-1]
    assert (call.method, call.path, call.status) == ("POST", "/appointments", 201)
    assert "Verhandlung" not in repr(call)


def test_json_is_utf8_with_plain_umlauts(office):
    assert "Özlem".encode() in office.get("employees").content
    assert json.loads(office.get("employees").content)
