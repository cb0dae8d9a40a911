"""What becomes of a lead: Lead and Task, a note, a contact's note, nothing; and each exactly once."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from leads_world import FORM, lines_of

from functions.leads.duplicates import is_same_place
from functions.leads.office import BERLIN
from sandbox.faults import Fault


def only(rows):
    assert len(rows) == 1, rows
    return rows[0]


def test_a_landlord_becomes_one_lead_with_one_open_task(world):
    lead_id = world.post(FORM | {"rueckruf": "ja", "objekt_adresse": "Lange Str. 1, 30159 Hannover"}).json["id"]
    assert world.work() == ["done"]
    lead, task = only(world.rows("Lead")), only(world.rows("Task"))
    lines = lines_of(lead["description"])
    assert lines["Dringlichkeit"] == "normal (kein Hinweis auf Eile)"
    assert (lines["Kollision"], lines["Rückruf"], lines["Vorgang"]) == ("offen", "ja", lead_id)
    assert lines["Objekt"] == "Lange Str. 1, 30159 Hannover"
    assert "Prüfung" not in lines
    assert (lead["source"], lead["salutationName"], lead["phoneNumber"]) == ("Web Site", "Ms.", "+495111234567")
    assert (task["parentType"], task["parentId"], task["status"]) == ("Lead", lead["id"], "Not Started")
    assert (task["priority"], task["assignedUserId"]) == ("Normal", "1")
    assert "Groß" not in task["name"] + task["description"]


def test_the_payload_is_gone_once_espocrm_shows_the_lead(world):
    lead_id = world.post(FORM).json["id"]
    assert "payload" in world.record(lead_id)
    world.work()
    assert "payload" not in world.record(lead_id)
    assert world.record(lead_id)["body"]
    assert 29 * 86400 < world.redis[0].ttl(f"lead:record:{lead_id}") <= 30 * 86400


def test_a_tenant_becomes_a_lead_but_nothing_of_it_reaches_advoware(make_world):
    world = make_world(advoware=True)
    world.post(FORM | {"typ": "mieter"})
    world.work()
    assert lines_of(only(world.rows("Lead"))["description"])["Kollision"] == "offen"
    assert len(world.rows("Task")) == 1
    assert world.advoware.board.calls == []


def test_what_a_person_must_look_at_says_why(world):
    world.post({"email": "anna@example.org", "telefon": "12", "nachricht": "x"})
    world.work()
    lines = lines_of(only(world.rows("Lead"))["description"])
    assert lines["Prüfung"] == "ja (Telefonnummer ungültig; Name fehlt)"
    assert lines["Telefon wie angegeben"] == "12"
    assert len(world.rows("Task")) == 1


def test_an_unreadable_body_becomes_a_lead_with_all_that_could_be_rescued(world):
    world.post(
        b'{"typ":"vermieter","nachname":"Gro\xc3\x9f","email":"a@example.org","nachricht":"Er sagt "nein" dazu"}'
    )
    world.work()
    lead = only(world.rows("Lead"))
    assert (lead["lastName"], lead["emailAddress"]) == ("Groß", "a@example.org")
    assert lines_of(lead["description"])["Prüfung"].startswith("ja (Inhalt unlesbar")
    assert 'Er sagt "nein" dazu' in lead["description"]


def test_spam_becomes_no_lead_and_stays_releasable(world):
    lead_id = world.post(FORM | {"honeypot": "x"}).json["id"]
    world.work()
    assert world.rows("Lead") == world.rows("Task") == []
    assert (world.record(lead_id)["state"], "payload" in world.record(lead_id)) == ("spam", True)
    world.main.deps().admin.release(lead_id)
    world.work()
    assert lines_of(only(world.rows("Lead"))["description"])["Prüfung"].startswith("ja (Spamverdacht")
    assert len(world.rows("Task")) == 1


def test_a_known_contact_gets_a_note_and_a_task_and_no_lead(world):
    contact = world.espocrm.add("Contact", lastName="Groß", emailAddress="ANNA@example.org", assignedUserId="7")
    lead_id = world.post(FORM).json["id"]
    world.work()
    assert world.rows("Lead") == []
    note, task = only(world.rows("Note")), only(world.rows("Task"))
    assert (note["parentType"], note["parentId"]) == ("Contact", contact)
    assert "Mein Mieter hat gekündigt" in note["post"]
    assert lead_id in note["post"]
    assert (task["parentType"], task["parentId"], task["assignedUserId"]) == ("Contact", contact, "7")


def test_a_contact_is_known_by_the_second_number_too(world):
    contact = world.espocrm.add("Contact", lastName="Groß", phoneNumber="+491712345678")
    world.post(FORM | {"telefon": "0511 1234567, 0171 2345678"})
    world.work()
    assert (world.rows("Lead"), world.rows("Task")[0]["parentId"]) == ([], contact)


def test_a_contact_is_known_by_its_number_too(world):
    world.espocrm.add("Contact", lastName="Groß", phoneNumber="+495111234567")
    world.post(FORM)
    world.work()
    assert (len(world.rows("Lead")), len(world.rows("Note"))) == (0, 1)


def test_the_same_matter_gets_a_note_and_a_more_urgent_task(world):
    world.post(FORM)
    world.work()
    before = only(world.rows("Task"))
    second = world.post(FORM | {"nachricht": "Jetzt ist der Gerichtsvollzieher da."}).json["id"]
    world.work()
    lead, note, task = only(world.rows("Lead")), only(world.rows("Note")), only(world.rows("Task"))
    assert note["post"].startswith("Weitere Anfrage vom ")
    assert second in note["post"]
    assert (before["priority"], task["priority"]) == ("Normal", "Urgent")
    assert task["dateEnd"] < before["dateEnd"]
    assert lines_of(lead["description"])["Dringlichkeit"] == "sofort (Wort Gerichtsvollzieher)"
    assert "Was nun?" in lead["description"]


def test_a_note_never_makes_less_urgent_and_never_overwrites(world):
    world.post(FORM | {"nachricht": "Gerichtsvollzieher kommt"})
    world.work()
    world.post(FORM | {"nachricht": "Noch etwas", "vorname": "Anna", "plz": "30159", "ort": "Hannover"})
    world.work()
    lead = only(world.rows("Lead"))
    assert only(world.rows("Task"))["priority"] == "Urgent"
    assert (lead["firstName"], lead["addressPostalCode"]) == ("Änne", "30159")


def test_another_topic_or_object_is_another_lead(world):
    world.post(FORM | {"objekt_strasse": "Lange Str. 1"})
    world.work()
    world.post(FORM | {"thema": "kaution", "objekt_strasse": "Lange Str. 1", "nachricht": "Kaution?"})
    world.work()
    world.post(FORM | {"objekt_strasse": "Kurze Str. 2", "nachricht": "Anderes Haus"})
    world.work()
    assert (len(world.rows("Lead")), len(world.rows("Note")), len(world.rows("Task"))) == (3, 2, 3)
    assert "Frühere Anfragen" in world.rows("Lead")[-1]["description"]


@pytest.mark.parametrize(("status", "days"), [("Converted", 0), ("Dead", 0), ("New", 31)])
def test_what_is_closed_or_old_gets_a_new_lead(world, status, days):
    world.post(FORM)
    world.work()
    row = only(world.rows("Lead"))
    world.espocrm.edit("Lead", row["id"], status=status)
    created = (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S")
    world.espocrm.records._rows["Lead"][row["id"]]["createdAt"] = created
    world.post(FORM | {"nachricht": "Ich bin es wieder"})
    world.work()
    assert len(world.rows("Lead")) == 2


def test_the_same_text_within_the_hour_is_only_counted(world):
    world.post(FORM, Idempotency_Key="klick-1")
    second = world.post(FORM, Idempotency_Key="klick-2").json["id"]
    world.work()
    assert (len(world.rows("Lead")), len(world.rows("Note")), len(world.rows("Task"))) == (1, 0, 1)
    states = [world.record(key.rpartition(":")[2])["state"] for key in world.redis[0].scan_iter("lead:record:*")]
    assert sorted(states) == ["bestaetigt", "gezaehlt"]
    assert second


def test_a_switchboard_s_number_is_no_evidence(world):
    for n in range(21):
        world.espocrm.add("Contact", lastName=f"Nr {n}", phoneNumber="+495111234567")
    world.post(FORM)
    world.work()
    assert len(world.rows("Lead")) == 1


def test_a_shared_number_with_another_name_is_no_reason_to_merge(world):
    world.post(FORM)
    world.work()
    world.post(FORM | {"nachname": "Klein", "email": "karl@example.org", "nachricht": "Anderer"})
    world.work()
    assert (len(world.rows("Lead")), len(world.rows("Note"))) == (2, 0)


def test_somebody_s_lines_in_the_message_change_nothing(world):
    evil = "Kollision: frei\nVorgang: 0\nTyp: mieter_anfrage\n\nVorgang: x"
    world.post(FORM | {"nachricht": evil, "betreff": "x\nKollision: frei"})
    world.work()
    text = only(world.rows("Lead"))["description"]
    head = text.partition("\n\n")[0]
    assert head.count("Kollision: ") == 2  # ours, and the subject's own words inside its line
    assert lines_of(text)["Kollision"] == "offen"
    assert evil in text


@pytest.mark.parametrize(
    "fault",
    [
        Fault("drop_after", method="POST", path="/Lead$", times=1),
        Fault("status", method="POST", path="/Lead$", status=503, processed=True, times=1),
        Fault("status", method="POST", path="/Lead$", status=500, times=2),
        Fault("html", method="POST", path="/Lead$", times=1),
        Fault("cut", method="POST", path="/Lead$", times=1),
        Fault("drop_before", method="POST", path="/Lead$", times=1),
        Fault("late", method="POST", path="/Lead$", times=1, seconds=0.7),
        Fault("drop_after", method="POST", path="/Task$", times=1),
        Fault("status", method="POST", path="/Task$", status=504, processed=True, times=1),
        Fault("drop_after", method="GET", path="/Lead/", times=1),
    ],
    ids=lambda each: f"{each.kind} {each.method} {each.path}",
)
def test_whatever_goes_wrong_there_is_one_lead_and_one_task(world, fault):
    world.espocrm.board.add(fault)
    world.post(FORM)
    deadline = datetime.now(UTC) + timedelta(seconds=12)
    while world.work(1) and datetime.now(UTC) < deadline:
        import time

        time.sleep(0.15)
    world.espocrm.settle()
    assert (len(world.rows("Lead")), len(world.rows("Task"))) == (1, 1)


def test_a_field_that_espocrm_refuses_becomes_a_line(world):
    world.espocrm.records.entities["Lead"].enums["source"] = ("", "Call")
    world.post(FORM)
    world.work()
    assert lines_of(only(world.rows("Lead"))["description"])["Nicht angenommen source"] == "Web Site"


def test_own_fields_are_filled_where_the_installation_has_them(world, monkeypatch):
    crm = world.main.deps().crm
    crm._fields = (float("inf"), frozenset({"cVorgang", "cThema"}))
    entity = world.espocrm.records.entities["Lead"]
    object.__setattr__(entity, "attributes", entity.attributes + " cVorgang cThema")
    lead_id = world.post(FORM).json["id"]
    world.work()
    row = only(world.rows("Lead"))
    assert (row["cVorgang"], row["cThema"]) == (lead_id, "kuendigung")


def test_two_that_arrive_at_once_make_one_lead_and_one_note(world):
    from concurrent.futures import ThreadPoolExecutor

    ids = [world.post(FORM | {"nachricht": f"Text {n}"}).json["id"] for n in range(2)]
    runner = world.runner()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(runner.run, ids))
    for _ in range(40):
        if not world.work(1):
            break
    assert (len(world.rows("Lead")), len(world.rows("Note")), len(world.rows("Task"))) == (1, 1, 1)


def test_routing_takes_the_first_rule_that_fits(make_world):
    rules = '[{"typ":"mieter_anfrage","person":"9"},{"thema":["kuendigung"],"plz":"30","person":["4"],"team":"t1"}]'
    world = make_world(LEAD_ROUTES=rules)
    world.post(FORM | {"plz": "30159", "ort": "Hannover"})
    world.work()
    assert (only(world.rows("Lead"))["assignedUserId"], only(world.rows("Task"))["assignedUserId"]) == ("4", "4")


def test_the_task_is_due_in_office_hours(world):
    world.post(FORM)
    world.work()
    due = datetime.strptime(only(world.rows("Task"))["dateEnd"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    here = due.astimezone(BERLIN)
    assert here.weekday() < 5
    assert 9 <= here.hour <= 17


def test_an_event_for_a_lead_that_nobody_knows_is_done(world):
    world.runner().queue.add("intake", ["0" * 32])
    assert world.work() == ["done"]


def test_what_no_key_opens_waits_for_a_person(world):
    lead_id = world.post(FORM).json["id"]
    world.redis[0].hset(f"lead:record:{lead_id}", "payload", "AAAA")
    assert world.work() == ["dead"]


@pytest.mark.parametrize(
    "more",
    [
        {"telefon": "0511 7654321"},
        {"frist": "2031-01-02"},
        {"thema": "maengel"},
        {"rueckruf": "ja"},
        {"werbung_telefon": "1"},
        {"objekt_adresse": "Lange Str. 1, 30159 Hannover"},
    ],
)
def test_the_same_text_with_something_new_in_it_is_not_only_counted(world, more):
    world.post(FORM, Idempotency_Key="k-1")
    world.work()
    lead_id = world.post(FORM | more, Idempotency_Key="k-2").json["id"]
    world.work()
    assert lead_id in str(world.rows("Lead") + world.rows("Note"))


def test_the_same_words_under_another_key_are_counted(world):
    world.post(FORM, Idempotency_Key="k-1")
    world.work()
    lead_id = world.post(FORM | {"vorname": "Anne", "utm_source": "x"}, Idempotency_Key="k-2").json["id"]
    world.work()
    assert (len(world.rows("Lead")), world.rows("Note"), world.record(lead_id)["state"]) == (1, [], "gezaehlt")


def test_a_further_message_about_an_object_belongs_to_the_lead_that_names_it(world):
    first, other = "Lange Str. 1, 30159 Hannover", "Kurze Str. 2, 30159 Hannover"
    for number, place in enumerate(("", first, other, "Lange Straße 1", "Kurze Straße 2, 30159 Hannover")):
        world.post(FORM | {"nachricht": f"Nummer {number}", "objekt_adresse": place})
        world.work()
    places = [lines_of(row["description"])["Objekt"] for row in world.rows("Lead")]
    assert places == [first, other]
    told = {row["parentId"]: [] for row in world.rows("Note")}
    for row in world.rows("Note"):
        told[row["parentId"]] += re.findall(r"Nummer (\d)", row["post"])
    assert [told[row["id"]] for row in world.rows("Lead")] == [["1", "3"], ["4"]]


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("Lange Str. 1, 30159 Hannover", "Lange Straße 1, 30159 Hannover", True),
        ("Lange Str. 1, 30159 Hannover", "lange strasse 1", True),
        ("Lange Str. 1, 30159 Hannover", "Lange Str. 1, 10115 Berlin", False),
        ("Lange Str. 1, Hannover", "Lange Str. 1, 30159 Hannover", True),
        ("Lange Str. 1, Celle", "Lange Str. 1, 30159 Hannover", False),
        ("Lange Str. 1, 30159 Hannover", "Lange Str. 11, 30159 Hannover", False),
        ("30159 Hannover", "Lange Str. 1, 30159 Hannover", True),
        ("30159 Hannover", "30161 Hannover", False),
        ("", "Lange Str. 1", True),
    ],
)
def test_places_are_compared_as_far_as_both_tell(first, second, same):
    assert is_same_place(first, second) is is_same_place(second, first) is same


def test_what_a_further_message_tells_first_is_filled_in_and_nothing_is_overwritten(world):
    names = "cFrist cGegenseite cVorgang"
    world.main.deps().crm._fields = (float("inf"), frozenset(names.split()))
    entity = world.espocrm.records.entities["Lead"]
    object.__setattr__(entity, "attributes", f"{entity.attributes} {names}")
    world.post(FORM | {"mieter_name": "Max Meier"})
    world.work()
    world.post(FORM | {"nachricht": "Noch etwas", "mieter_name": "Moritz", "frist": "2031-01-02", "rechtsschutz": "ja"})
    world.work()
    row = only(world.rows("Lead"))
    lines = lines_of(row["description"])
    assert (lines["Gegenseite"], lines["Frist"], lines["Rechtsschutz"]) == ("Max Meier", "2031-01-02", "ja")
    assert row["description"].count("Gegenseite:") == 1
    assert (row["cGegenseite"], row["cFrist"], row["cVorgang"]) == ("Max Meier", "2031-01-02", lines["Vorgang"])
