"""One party on its way from EspoCRM to Advoware."""

from __future__ import annotations

import pytest
from vmh_world import ANNA, ENTITY

from sandbox.faults import Fault


def test_a_new_person_is_created_and_the_number_written_back(world):
    record_id = world.anna()
    assert world.work(record_id, "create").kind == "done"
    party = world.party(record_id)
    shown = {name: party[name] for name in ("anrede", "vorname", "name", "email", "telefon", "mobil", "strasse", "plz")}
    assert shown == {
        "anrede": "Frau",
        "vorname": "Anna",
        "name": "Groß",
        "email": "anna@example.org",
        "telefon": "+495111234567",
        "mobil": "",
        "strasse": "Lange Str. 1",
        "plz": "30159",
    }
    assert party["aktiv"] is True
    assert len(world.parties()) == 1


def test_a_company_is_created_with_its_legal_form(world):
    record_id = world.espocrm.add(
        ENTITY, lastName="Hausbau Süd GmbH", rechtsform="GmbH", emailAddress="info@hausbau.example"
    )
    world.work(record_id, "create")
    party = world.party(record_id)
    assert (party["anrede"], party["vorname"], party["name"], party["rechtsform"]) == (
        "Firma",
        "",
        "Hausbau Süd GmbH",
        "GmbH",
    )


def test_title_birth_date_country_and_a_mobile_number_arrive(world):
    record_id = world.anna(
        titel="Dr.",
        geburtsdatum="1980-04-02",
        addressCountry="Deutschland",
        phoneNumber=None,
        phoneNumberData=[
            {"phoneNumber": "+4917012345678", "primary": True, "type": "Mobile"},
            {"phoneNumber": "+49511999999", "primary": False, "type": "Office"},
            {"phoneNumber": "+4951188888", "primary": False, "type": "Fax"},
        ],
    )
    world.work(record_id, "create")
    party = world.party(record_id)
    assert (party["titel"], party["geburtsdatum"], party["land"]) == ("Dr.", "1980-04-02", "DE")
    assert (party["telefon"], party["mobil"]) == ("+49511999999", "+4917012345678")


def test_an_edit_arrives_and_fields_that_only_advoware_knows_survive(world):
    record_id = world.anna()
    world.work(record_id, "create")
    number = world.espocrm.get(ENTITY, record_id)["betnr"]
    world.advoware.registry.edit_party(number, eigenesFeld="bleibt", rechtsform="e.K.")
    world.espocrm.edit(ENTITY, record_id, addressCity="Celle", emailAddress="neu@example.org")
    world.work(record_id)
    party = world.party(record_id)
    assert (party["ort"], party["email"]) == ("Celle", "neu@example.org")
    assert (party["eigenesFeld"], party["rechtsform"]) == ("bleibt", "e.K.")


def test_a_field_emptied_in_espocrm_is_emptied_only_if_it_came_from_there(world):
    record_id = world.anna()
    world.work(record_id, "create")
    world.advoware.registry.edit_party(world.party(record_id)["betNr"], titel="Dr.")
    world.espocrm.edit(ENTITY, record_id, phoneNumber=None, addressCity=None)
    world.work(record_id)
    party = world.party(record_id)
    assert (party["telefon"], party["ort"], party["titel"]) == ("", "", "Dr.")


def test_another_spelling_of_the_same_content_is_no_difference(world):
    record_id = world.anna()
    world.work(record_id, "create")
    number = world.party(record_id)["betNr"]
    world.advoware.registry.edit_party(number, telefon="0511 / 123 45 67", email="Anna@Example.org")
    world.forget_calls()
    world.work(record_id)
    assert world.writes() == 0


def test_one_change_causes_at_most_two_writes_and_our_own_causes_none(world):
    register(world)
    record_id = world.anna()
    deliver(world)
    world.drain()
    assert world.writes() - 3 == 2  # three webhooks were registered
    for _ in range(3):
        deliver(world)
        world.drain()
    assert world.writes() - 3 == 2
    world.espocrm.edit(ENTITY, record_id, addressCity="Celle")
    deliver(world)
    world.drain()
    assert world.writes() - 3 == 3
    assert world.party(record_id)["ort"] == "Celle"


def test_without_skip_own_the_echo_is_one_reading_and_no_writing(world):
    for action in ("create", "update"):
        world.espocrm.webhooks.register(
            {"event": f"{ENTITY}.{action}", "url": f"x/{action}"}, world.espocrm.integration
        )
    world.anna()
    for _ in range(4):
        deliver(world)
        world.drain()
    assert world.writes() == 2
    assert [each.event for each in world.espocrm.sender.deliveries] == [f"{ENTITY}.create", f"{ENTITY}.update"]


def register(world):
    from shared.espocrm.registration import register as register_webhooks

    return register_webhooks("http://bitbylaw.test", world.deps.sync.espocrm, ENTITY)


def deliver(world):
    """Let the sending job run, straight into the queue."""
    import json

    def send(url, raw, _headers, _timeout):
        world.queue.add(url.rsplit("/", 1)[1], [item["id"] for item in json.loads(raw)])
        return 200

    world.espocrm.sender.send = send
    return world.espocrm.sender.run_all()


def test_a_namesake_with_the_same_email_is_linked_and_updated_not_doubled(world):
    number = world.advoware.registry.create_party(
        name="Gross", vorname="ANNA", email="Anna@example.org", titel="Prof.", geburtsdatum="1980-04-02"
    )
    record_id = world.anna()
    world.work(record_id, "create")
    assert world.espocrm.get(ENTITY, record_id)["betnr"] == number
    party = world.party(record_id)
    assert (party["titel"], party["geburtsdatum"], party["ort"]) == ("Prof.", "1980-04-02", "Hannover")
    assert len(world.parties()) == 1


@pytest.mark.parametrize(
    "shared",
    [
        {"email": "ANNA@example.org"},
        {"telefon": "0511 1234567"},
        {"mobil": "0049 511 1234567"},
        {"geburtsdatum": "1980-04-02T00:00:00"},
        {"plz": "30159", "strasse": "Lange Straße 1"},
    ],
)
def test_one_more_equal_thing_makes_a_namesake_the_same_party(world, shared):
    number = world.advoware.registry.create_party(name="Groß", vorname="Anna", **shared)
    record_id = world.anna(geburtsdatum="1980-04-02")
    world.work(record_id, "create")
    assert world.espocrm.get(ENTITY, record_id)["betnr"] == number


@pytest.mark.parametrize(("here", "there"), [("Mueller", "Müller"), ("Müller", "Mueller"), ("Gross", "Groß")])
def test_a_register_that_does_not_fold_umlauts_still_knows_the_party(world, here, there):
    number = world.advoware.registry.create_party(name=there, vorname="Anna", geburtsdatum="1980-04-02")
    record_id = world.anna(lastName=here, geburtsdatum="1980-04-02")
    world.work(record_id, "create")
    assert world.espocrm.get(ENTITY, record_id)["betnr"] == number
    assert len(world.parties()) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"name": "Groß", "vorname": "Anna"},
        {"name": "Groß", "vorname": "Anna", "plz": "30159"},
        {"name": "Groß", "vorname": "Anna", "strasse": "Lange Str. 1", "plz": "29221"},
        {"name": "Groß", "vorname": "Anne", "email": "anna@example.org"},
        {"name": "Klein", "vorname": "Anna", "email": "anna@example.org"},
    ],
)
def test_a_namesake_with_nothing_else_in_common_is_never_linked(world, other):
    number = world.advoware.registry.create_party(**other)
    record_id = world.anna()
    world.work(record_id, "create")
    assert world.espocrm.get(ENTITY, record_id)["betnr"] != number
    assert len(world.parties()) == 2


def test_several_matches_are_put_before_a_person_and_the_choice_is_linked(world):
    first = world.advoware.registry.create_party(name="Groß", vorname="Anna", email="anna@example.org")
    second = world.advoware.registry.create_party(name="Groß", vorname="Anna", telefon="05111234567")
    record_id = world.anna()
    outcome = world.work(record_id, "create")
    assert (outcome.kind, outcome.error) == ("dead", "party-ambiguous")
    assert world.links.candidates(record_id) == [first, second]
    assert len(world.parties()) == 2
    assert world.espocrm.get(ENTITY, record_id)["betnr"] is None
    world.links.choose(record_id, second)
    assert world.queue.redrive(world.queue.dead(count=9)[0].id)
    assert world.run(record_id).kind == "done"
    assert world.espocrm.get(ENTITY, record_id)["betnr"] == second
    assert world.links.candidates(record_id) == []


def test_an_ambiguous_party_has_one_dead_letter_however_often_it_is_announced(world):
    for _ in range(2):
        world.advoware.registry.create_party(name="Groß", vorname="Anna", email="anna@example.org")
    record_id = world.anna()
    for _ in range(3):
        world.work(record_id)
    assert len(world.queue.dead(count=9)) == 1


def test_a_stale_row_id_is_read_again_and_nothing_of_the_other_is_lost(world):
    record_id = world.anna()
    world.work(record_id, "create")
    number = world.party(record_id)["betNr"]
    world.espocrm.edit(ENTITY, record_id, addressCity="Celle")
    original = world.deps.sync.parties.replace
    edits = iter([{"titel": "Dr."}, {"land": "AT"}])

    def somebody_is_faster(bet_nr, whole):
        edit = next(edits, None)
        if edit:
            world.advoware.registry.edit_party(bet_nr, **edit)
        return original(bet_nr, whole)

    object.__setattr__(world.deps.sync.parties, "replace", somebody_is_faster)
    assert world.work(record_id).kind == "done"
    party = world.advoware.registry.party(number)
    assert (party["ort"], party["titel"], party["land"]) == ("Celle", "Dr.", "AT")


def test_a_number_known_to_the_record_is_used_without_a_search(world):
    number = world.advoware.registry.create_party(name="Ganz", vorname="Anders")
    record_id = world.anna(betnr=number)
    world.work(record_id)
    assert world.party(record_id)["name"] == "Groß"
    assert len(world.parties()) == 1


def test_a_number_that_advoware_does_not_know_waits_for_a_person(world):
    record_id = world.anna(betnr=4711)
    outcome = world.work(record_id)
    assert (outcome.kind, outcome.error) == ("dead", "advoware-party-missing")
    assert world.parties() == []


def test_a_lost_number_comes_back_from_our_memory(world):
    record_id = world.anna()
    world.work(record_id, "create")
    number = world.party(record_id)["betNr"]
    world.espocrm.edit(ENTITY, record_id, betnr=None)
    world.work(record_id)
    assert world.espocrm.get(ENTITY, record_id)["betnr"] == number
    assert len(world.parties()) == 1


def test_a_text_field_for_the_number_is_filled_too(world):
    def only_text(request):
        body = request.get_json(silent=True) or {}
        if request.method == "PUT" and isinstance(body.get("betnr"), int):
            from sandbox.espocrm.answers import Refused

            return Refused.invalid(ENTITY, "betnr", "valid").answer()
        return original(request)

    original, world.espocrm.handle = world.espocrm.handle, only_text
    record_id = world.anna()
    assert world.work(record_id, "create").kind == "done"
    assert world.espocrm.get(ENTITY, record_id)["betnr"] == str(world.parties()[0]["betNr"])
    world.forget_calls()
    world.work(record_id)
    assert world.writes() == 0


def test_with_writing_to_advoware_off_nothing_is_created_or_changed(make_world):
    world = make_world(ADVOWARE_WRITE_ENABLED="false")
    number = world.advoware.registry.create_party(name="Groß", vorname="Anna", email="anna@example.org")
    linked, new = world.anna(), world.espocrm.add(ENTITY, lastName="Neu")
    for record_id in (linked, new):
        assert world.work(record_id, "create").kind == "done"
    assert world.espocrm.get(ENTITY, linked)["betnr"] == number
    assert len(world.parties()) == 1
    assert world.advoware.registry.party(number)["ort"] == ""


def test_own_field_names_are_used(make_world):
    world = make_world(ESPOCRM_BETEILIGTE_FIELDS="title=description")
    record_id = world.anna(description="Prof. Dr.")
    world.work(record_id, "create")
    assert world.party(record_id)["titel"] == "Prof. Dr."


def test_an_answer_of_espocrm_about_the_entity_is_no_answer_about_the_record(world):
    record_id = world.anna()
    world.work(record_id, "create")
    body = {"status": 404, "headers": {"X-Status-Reason": "Controller 'CBeteiligte' does not exist."}}
    world.espocrm.board.add(Fault("status", method="GET", times=None, **body))
    assert world.work(record_id, "delete").kind == "delayed"
    assert world.parties()[0]["aktiv"] is True


def test_names_of_two_records_of_one_person_at_the_same_moment_become_one_party(world):
    first, second = world.anna(), world.anna()
    world.queue.add("create", [first, second])
    original = world.deps.sync.parties.create

    def meanwhile(body):
        assert world.run(second).kind == "postponed"
        return original(body)

    object.__setattr__(world.deps.sync.parties, "create", meanwhile)
    assert world.run(first).kind == "done"
    assert world.run(second).kind == "done"
    assert len(world.parties()) == 1
    assert world.espocrm.get(ENTITY, second)["betnr"] == world.espocrm.get(ENTITY, first)["betnr"]


def test_no_personal_data_is_kept_in_redis(world):
    for number in range(2):
        world.advoware.registry.create_party(name="Klein", vorname="Käthe", email="k@example.org", telefon=str(number))
    record_id = world.anna()
    world.work(record_id, "create")
    world.advoware.board.add(Fault("drop_before", method="POST", path="beteiligte", times=None))
    world.work(world.anna(lastName="Neu"), "create")
    world.work(world.anna(lastName="Klein", firstName="Käthe", emailAddress="k@example.org"), "create")
    everything = str(contents(world.client))
    assert "vmh:beteiligte:intents" in everything
    assert "vmh:beteiligte:candidates" in everything
    for secret in (*ANNA.values(), "Gro", "Klein", "Neu", "k@example.org"):
        assert secret not in everything


def contents(client):
    readers = {
        "hash": client.hgetall,
        "set": client.smembers,
        "string": client.get,
        "stream": client.xrange,
        "zset": lambda key: client.zrange(key, 0, -1),
    }
    return {key: readers[client.type(key)](key) for key in client.scan_iter() if key != "advoware_access_token"}
