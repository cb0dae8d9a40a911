"""Conflicts of interest, what a person's release lets go on, and the way to Advoware."""

from __future__ import annotations

import pytest
from leads_world import FORM, lines_of

from functions.leads.conflict import cologne, is_named
from functions.ops.letters import Letters
from sandbox.faults import Fault
from shared.domain.party import Party
from shared.errors import InvalidRequestError, NotFoundError
from shared.espocrm.links import PartyLinks
from shared.mapping.party_search import name_digest

CASE = FORM | {"mieter_name": "Max Meier", "objekt_adresse": "Lange Str. 1, 30159 Hannover"}


@pytest.fixture
def world(make_world):
    return make_world(advoware=True)


def kollision(world) -> str:
    return lines_of(world.rows("Lead")[0]["description"])["Kollision"]


def test_nothing_found_after_everything_was_asked_is_free(world):
    world.post(CASE)
    world.work()
    assert kollision(world) == "frei"


def test_without_opponent_or_object_it_stays_open(world):
    world.post(FORM)
    world.work()
    assert kollision(world) == "offen"
    assert world.redis[0].zcard("lead:open") == 0


def test_the_sender_as_the_other_side_is_a_hit(world):
    world.advoware.registry.create_matter("1/26", kurzrubrum="Schulz ./. Gross", rolle="mandant", betNr=900)
    world.post(FORM)
    world.work()
    assert kollision(world) == "treffer"


def test_the_other_side_as_our_client_is_a_hit(world):
    number = world.advoware.registry.create_party(vorname="Max", name="Meier")
    world.advoware.registry.create_matter("2/26", kurzrubrum="Meier ./. X", rolle="mandant", betNr=number)
    world.post(CASE)
    world.work()
    assert kollision(world) == "treffer"


def test_the_same_object_is_a_hit_and_the_same_street_elsewhere_is_none(world):
    world.advoware.registry.create_matter("3/26", kurzrubrum="A ./. B", objekt="Lange Str. 1, 10115 Berlin")
    world.post(CASE)
    world.work()
    assert kollision(world) == "frei"
    world.advoware.registry.create_matter("4/26", kurzrubrum="A ./. B", objekt="Lange Str. 1, 30159 Hannover")
    world.post(CASE | {"email": "b@example.org", "telefon": "", "nachricht": "x y", "nachname": "Klein"})
    world.work()
    assert lines_of(world.rows("Lead")[1]["description"])["Kollision"] == "treffer"


@pytest.mark.parametrize(
    ("born", "first", "role", "result"),
    [
        ("1970-05-04", "Änne", "gegner", "treffer"),
        ("1970-05-04", "Anne", "gegner", "frei"),
        ("1971-05-04", "Änne", "gegner", "frei"),
        ("1970-05-04", "Änne", "mandant", "frei"),
    ],
)
def test_a_birthday_finds_who_has_another_surname_now(world, born, first, role, result):
    number = world.advoware.registry.create_party(vorname=first, name="Ledig", geburtsdatum=f"{born}T00:00:00")
    world.advoware.registry.create_matter("5/26", kurzrubrum="X ./. Y", rolle=role, betNr=number)
    world.post(CASE | {"geburtstag": "4.5.1970"})
    world.work()
    assert kollision(world) == result
    assert lines_of(world.rows("Lead")[0]["description"])["Geburtsdatum"] == "1970-05-04"


def test_a_birthday_links_a_released_landlord_to_his_party(world):
    number = world.advoware.registry.create_party(vorname="Änne", name="Groß", geburtsdatum="1970-05-04T00:00:00")
    lead_id = world.post(CASE | {"geburtstag": "4.5.1970"}).json["id"]
    world.work()
    world.main.deps().admin.release(lead_id)
    world.work()
    assert lines_of(world.rows("Lead")[0]["description"])["Advoware"] == f"betNr {number}"


def test_a_birthday_counts_when_an_open_check_is_made_again(world):
    number = world.advoware.registry.create_party(vorname="Änne", name="Ledig", geburtsdatum="1970-05-04T00:00:00")
    world.advoware.registry.create_matter("5/26", kurzrubrum="X ./. Y", rolle="gegner", betNr=number)
    world.advoware.board.add(Fault("status", path="akten", status=503, times=None))
    world.post(CASE | {"geburtstag": "4.5.1970"})
    world.work()
    world.advoware.board.clear()
    world.client.post("/leads/maintenance")
    world.work()
    assert kollision(world) == "treffer"


def test_a_hit_says_nothing_of_the_matter_in_espocrm(world):
    world.advoware.registry.create_matter("77/26", kurzrubrum="Schulz ./. Groß", rolle="mandant", betNr=900)
    world.post(FORM)
    world.work()
    assert "77/26" not in str(world.rows("Lead")) + world.everything_in_redis()
    assert "Schulz" not in str(world.rows("Lead"))


def test_a_check_that_could_not_be_made_is_made_again_by_the_clock(world):
    world.advoware.board.add(Fault("status", path="akten", status=503, times=None))
    world.post(CASE)
    world.work()
    assert kollision(world) == "offen"
    world.client.post("/leads/maintenance")
    world.work()
    assert kollision(world) == "offen"
    world.advoware.board.clear()
    assert world.client.post("/leads/maintenance").json["checks"] == 1
    world.work()
    assert kollision(world) == "frei"
    assert world.client.post("/leads/maintenance").json["checks"] == 0


def test_nothing_reaches_advoware_before_a_person_s_release(world):
    lead_id = world.post(CASE).json["id"]
    world.work()
    world.client.post("/leads/maintenance")
    world.runner().queue.add("intake", [lead_id])
    assert world.work() == ["done"]
    assert world.advoware.registry.parties() == []
    world.main.deps().admin.release(lead_id)
    world.work()
    party = world.advoware.registry.parties()[0]
    assert (party["name"], party["vorname"], party["email"]) == ("Groß", "Änne", "anna@example.org")
    lines = lines_of(world.rows("Lead")[0]["description"])
    assert (lines["Freigabe"], lines["Advoware"]) == ("ja", f"betNr {party['betNr']}")


def test_a_party_that_is_there_already_is_linked(world):
    number = world.advoware.registry.create_party(vorname="Änne", name="Gross", email="ANNA@example.org")
    world.advoware.registry.create_party(vorname="Änne", name="Groß")
    lead_id = world.post(CASE).json["id"]
    world.work()
    world.main.deps().admin.release(lead_id)
    world.work()
    assert len(world.advoware.registry.parties()) == 2
    assert lines_of(world.rows("Lead")[0]["description"])["Advoware"] == f"betNr {number}"


@pytest.fixture
def ambiguous(world):
    both = [
        world.advoware.registry.create_party(vorname="Änne", name="Groß", email="anna@example.org") for _ in range(2)
    ]
    lead_id = world.post(CASE).json["id"]
    world.work()
    world.main.deps().admin.release(lead_id)
    assert world.work() == ["dead"]
    bus = world.main.BUS
    letters = Letters(bus.queue, bus.choices)
    (row,) = letters.all()
    return letters, row["id"], both, lead_id


def test_two_parties_that_fit_are_a_person_s_choice(world, ambiguous):
    letters, letter, both, lead_id = ambiguous
    assert letters.show(letter)["error"] == "party-ambiguous"
    assert letters.show(letter)["candidates"] == both
    with pytest.raises(InvalidRequestError):
        letters.redrive(letter, max(both) + 1)
    letters.redrive(letter, both[1])
    assert world.work() == ["done"]
    assert lines_of(world.rows("Lead")[0]["description"])["Advoware"] == f"betNr {both[1]}"
    assert len(world.advoware.registry.parties()) == 2
    assert world.redis[0].exists("lead:candidates", "lead:chosen") == 0
    assert world.record(lead_id)["party"] == str(both[1])


def test_without_a_choice_the_letter_comes_back_with_its_candidates(world, ambiguous):
    letters, letter, both, _ = ambiguous
    letters.redrive(letter)
    assert world.work() == ["dead"]
    (row,) = letters.all()
    assert letters.show(row["id"])["candidates"] == both


def test_a_chosen_party_that_is_gone_is_said_and_asked_again(world, ambiguous):
    letters, letter, both, _ = ambiguous
    world.advoware.registry.delete_party(both[0])
    letters.redrive(letter, both[0])
    assert world.work() == ["dead"]
    (row,) = letters.all()
    assert row["error"] == "advoware-party-missing"
    letters.redrive(row["id"])
    assert world.work() == ["done"]
    assert lines_of(world.rows("Lead")[0]["description"])["Advoware"] == f"betNr {both[1]}"


def test_of_a_letter_that_offers_nothing_nothing_can_be_chosen(world):
    queue = world.runner().queue
    queue.add("intake", ["a1"])
    queue.set_aside(queue.claim("a1", "me"), "upstream-rejected")
    letters = Letters(world.main.BUS.queue, world.main.BUS.choices)
    (row,) = letters.all()
    assert "candidates" not in letters.show(row["id"])
    with pytest.raises(InvalidRequestError):
        letters.redrive(row["id"], 815)


def test_a_party_whose_number_espocrm_did_not_take_is_noted_there_later(world):
    lead_id = world.post(CASE).json["id"]
    world.work()
    world.main.deps().admin.release(lead_id)
    world.espocrm.board.add(Fault("status", method="PUT", path="Lead/", status=503, times=1))
    assert world.work(1) == ["delayed"]
    assert world.work() == ["done"]
    assert len(world.advoware.registry.parties()) == 1
    number = world.advoware.registry.parties()[0]["betNr"]
    assert lines_of(world.rows("Lead")[0]["description"])["Advoware"] == f"betNr {number}"


def test_while_somebody_enters_a_party_of_that_name_a_lead_waits(world):
    lead_id = world.post(CASE).json["id"]
    world.work()
    world.main.deps().admin.release(lead_id)
    links, key = PartyLinks(world.redis[1]), world.main.SETTINGS.advoware.content_key
    links.take_name(name_digest(Party("Groß", first_name="Änne"), key), "another", 60)
    assert world.work(1) == ["postponed"]
    assert world.advoware.registry.parties() == []
    links.free_name(name_digest(Party("Groß", first_name="Änne"), key), "another")
    assert world.work() == ["done"]
    assert len(world.advoware.registry.parties()) == 1
    assert world.redis[1].keys("vmh:beteiligte:naming:*") == []


def test_a_party_of_another_spelling_is_looked_for_too(world):
    number = world.advoware.registry.create_party(
        vorname="Änne", name="Mueller", strasse="Weg 2", plz="30159", email="alt@example.org"
    )
    home = {"nachname": "Müller", "strasse": "Weg 2", "plz": "30159", "ort": "Hannover"}
    lead_id = world.post(CASE | home).json["id"]
    world.work()
    world.main.deps().admin.release(lead_id)
    world.work()
    assert lines_of(world.rows("Lead")[0]["description"])["Advoware"] == f"betNr {number}"


@pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
def test_a_broken_call_to_advoware_enters_nobody_twice(world, fault):
    import time

    lead_id = world.post(CASE).json["id"]
    world.work()
    world.advoware.board.add(Fault(fault, method="POST", path="beteiligte", times=1))
    world.main.deps().admin.release(lead_id)
    for _ in range(30):
        if not world.work(1):
            break
        time.sleep(0.15)
    assert len(world.advoware.registry.parties()) == 1


def test_a_tenant_never_reaches_advoware_even_when_released(world):
    lead_id = world.post(CASE | {"typ": "mieter"}).json["id"]
    world.work()
    world.main.deps().admin.release(lead_id)
    world.work()
    assert world.advoware.board.calls == []


def test_a_release_by_status_in_espocrm_is_seen_by_the_clock(world):
    world.post(CASE)
    world.work()
    lead = world.rows("Lead")[0]
    world.espocrm.records.entities["Lead"].enums["status"] = ("New", "freigegeben")
    world.espocrm.edit("Lead", lead["id"], status="freigegeben")
    assert world.client.post("/leads/maintenance").json["released"] == 1
    world.work()
    assert len(world.advoware.registry.parties()) == 1
    assert world.client.post("/leads/maintenance").json["released"] == 0


def test_a_release_after_the_record_ended_works_too(world):
    lead_id = world.post(CASE).json["id"]
    world.work()
    world.redis[0].delete(f"lead:record:{lead_id}")
    world.espocrm.records.entities["Lead"].enums["status"] = ("New", "freigegeben")
    world.espocrm.edit("Lead", world.rows("Lead")[0]["id"], status="freigegeben")
    world.client.post("/leads/maintenance")
    world.work()
    assert len(world.advoware.registry.parties()) == 1


def test_names_that_sound_alike_are_found():
    assert cologne("Meier") == cologne("Mayer") == cologne("Maier")
    assert is_named("Max Meyer", "Schulz Maier")
    assert not is_named("Meier", "Schulz Müller")
    assert is_named("Groß GmbH", "GROSS GmbH & Co. KG")


def test_who_may_ask_is_shown_the_matters_of_a_hit_and_nobody_else(world, caplog):
    registry = world.advoware.registry
    number = registry.create_party(vorname="Max", name="Meier")
    registry.create_matter("77/26", kurzrubrum="Schulz ./. Groß", rolle="gegner", betNr=900)
    registry.create_matter("78/26", kurzrubrum="Meier ./. X", rolle="mandant", betNr=number)
    registry.create_matter("79/26", kurzrubrum="A ./. B", objekt="Lange Str. 1, 30159 Hannover")
    lead_id = world.post(CASE).json["id"]
    world.work()
    shown = world.main.deps().admin.conflicts(lead_id)
    assert shown["kollision"] == "treffer"
    assert {(each["akte"], each["grund"]) for each in shown["akten"]} == {
        ("77/26", "Absender ist Gegner"),
        ("78/26", "Gegenseite ist Mandant"),
        ("79/26", "gleiches Objekt"),
    }
    assert len(shown["akten"]) == 3
    kept = str(world.rows("Lead") + world.rows("Task") + world.rows("Note")) + world.everything_in_redis() + caplog.text
    assert not any(f"7{digit}/26" in kept for digit in "789")


def test_for_a_tenant_advoware_is_not_asked_by_a_person_either(world):
    lead_id = world.post(CASE | {"typ": "mieter"}).json["id"]
    world.work()
    with pytest.raises(InvalidRequestError):
        world.main.deps().admin.conflicts(lead_id)
    assert world.advoware.board.calls == []
    with pytest.raises(NotFoundError):
        world.main.deps().admin.conflicts("0" * 32)


def test_an_open_check_is_made_again_when_a_further_message_names_the_other_side(world):
    number = world.advoware.registry.create_party(vorname="Max", name="Meier")
    world.advoware.registry.create_matter("2/26", kurzrubrum="Meier ./. X", rolle="mandant", betNr=number)
    world.post(FORM)
    world.work()
    assert (kollision(world), world.client.post("/leads/maintenance").json["checks"]) == ("offen", 0)
    world.post(CASE | {"nachricht": "Noch etwas"})
    world.work()
    assert (len(world.rows("Lead")), kollision(world)) == (1, "offen")
    assert world.client.post("/leads/maintenance").json["checks"] == 1
    world.work()
    assert kollision(world) == "treffer"
    assert world.client.post("/leads/maintenance").json["checks"] == 0


def test_nobody_waits_for_a_check_that_nobody_can_make(make_world):
    world = make_world()
    lead_id = world.post(CASE).json["id"]
    world.work()
    world.redis[0].zadd("lead:open", {lead_id: 1, "f" * 32: 1})
    world.client.post("/leads/maintenance")
    world.work()
    assert world.redis[0].zcard("lead:open") == 0
