"""Erasure with its report, retention, and what was taken while the store was away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from leads_world import FORM, KEY, lines_of
from mail_box import mail_box

from functions.leads.crm import gives_way
from functions.leads.render import DIRECT_LINE
from shared.errors import InvalidRequestError, NotFoundError


def test_erasure_says_what_was_erased_where(world):
    first = world.post(FORM).json["id"]
    world.work()
    world.post(FORM | {"nachricht": "Und noch ein Satz von mir"})
    world.work()
    waiting = world.post(FORM | {"nachricht": "Noch nicht bearbeitet"}).json["id"]
    report = world.main.deps().admin.erase(email="ANNA@example.org")
    assert set(report["redis"]["vorgaenge"]) >= {first, waiting}
    assert report["redis"]["inhalte"] == 1
    assert [each["ergebnis"] for each in report["Lead"]] == ["personenbezogene Angaben gelöscht"]
    assert report["Lead"][0]["notizen"] == 1
    assert "§ 50 BRAO" in report["advoware"]
    assert world.rows("Note") == []
    assert "Groß" not in str(world.rows("Lead"))
    assert world.work() == ["done"]
    assert "Noch nicht bearbeitet" not in str(world.rows("Lead"))


def test_erasure_finds_by_number_in_any_spelling(world):
    world.post(FORM)
    world.work()
    report = world.main.deps().admin.erase(phone="+49 (0)511 / 123 45 67")
    assert len(report["redis"]["vorgaenge"]) == len(report["Lead"]) == 1


TWO = FORM | {"email": "anna@example.org; a.gross@example.net", "telefon": "0511 1234567 oder 0171 2345678"}


@pytest.mark.parametrize(
    "who",
    [
        {"phone": "0511/1234567"},
        {"phone": "+49 171 2345678"},
        {"email": "Anna@example.org"},
        {"email": "A.Gross@example.net"},
    ],
)
@pytest.mark.parametrize("known_here", [True, False])
def test_erasure_finds_a_person_by_each_address_and_number(world, who, known_here):
    lead_id = world.post(TWO).json["id"]
    world.work()
    waiting = world.post(TWO | {"nachricht": "Noch nicht bearbeitet"}).json["id"]
    world.redis[0].hset("lead:candidates", waiting, "[815, 816]")
    if not known_here:
        world.redis[0].delete(*world.redis[0].scan_iter("lead:who:*"), f"lead:record:{lead_id}")
    stranger = world.espocrm.add("Lead", lastName="Fremd", description="Vorgang: x\n\nNachricht:\n+491712345678")
    report = world.main.deps().admin.erase(**who)
    assert report["redis"]["vorgaenge"] == (sorted([lead_id, waiting]) if known_here else [])
    assert [each["ergebnis"] for each in report["Lead"]] == ["personenbezogene Angaben gelöscht"]
    assert "Groß" not in str(world.rows("Lead"))
    assert stranger in str(world.rows("Lead"))
    if known_here:
        assert world.redis[0].exists("lead:candidates") == 0
        assert "payload" not in world.record(waiting)


def test_erasure_finds_a_contact_s_note_by_the_other_number(world):
    world.espocrm.add("Contact", lastName="Groß", emailAddress="anna@example.org")
    world.post(TWO)
    world.work()
    assert "2345678" in str(world.rows("Note"))
    report = world.main.deps().admin.erase(phone="0171 2345678")
    assert (len(report["Contact"]), world.rows("Note")) == (1, [])


def test_a_client_s_contact_is_not_erased_by_a_machine(world):
    world.espocrm.add("Contact", lastName="Groß", emailAddress="anna@example.org")
    world.post(FORM)
    world.work()
    report = world.main.deps().admin.erase(email="anna@example.org")
    assert "Person" in report["Contact"][0]["ergebnis"]
    assert (len(world.rows("Contact")), len(world.rows("Note"))) == (1, 0)


def test_erasure_reports_where_it_could_not_look(world):
    world.post(FORM)
    world.work()
    world.crm_server.close() if hasattr(world.crm_server, "close") else world.espocrm.logins.users.clear()
    report = world.main.deps().admin.erase(email="anna@example.org")
    assert {each["ort"] for each in report["fehler"]} == {"EspoCRM Lead", "EspoCRM Contact"}


def test_an_unconfirmed_sign_up_is_erased_too(make_world):
    with mail_box() as box:
        world = make_world(SMTP_URL=box.url, PUBLIC_BASE_URL="https://api.example", NEWSLETTER_TARGET_LIST_ID="x")
        world.post({"typ": "newsletter", "email": "anna@example.org", "newsletter": "1"})
        world.work()
        assert world.main.deps().admin.erase(email="anna@example.org")["redis"]["anmeldungen"] == 1
        assert list(world.redis[0].scan_iter("lead:optin:*")) == []


def test_erasure_needs_somebody_and_release_something(world):
    with pytest.raises(InvalidRequestError):
        world.main.deps().admin.erase(phone="12")
    with pytest.raises(NotFoundError):
        world.main.deps().admin.release("0" * 32)


def test_leads_that_came_to_nothing_end_after_half_a_year(world):
    world.post(FORM)
    world.work()
    world.post(FORM | {"nachricht": "Noch eine Frage"})
    world.post(FORM | {"email": "b@example.org", "telefon": "", "nachricht": "Kunde"})
    world.post(FORM | {"email": "c@example.org", "telefon": "", "nachricht": "Frisch"})
    world.work()
    other = world.espocrm.add("Lead", lastName="Fremd", description="Nicht von uns: Vorgang: x")
    rows = world.espocrm.records._rows["Lead"]
    old = (datetime.now(UTC) - timedelta(days=181)).strftime("%Y-%m-%d %H:%M:%S")
    for row in rows.values():
        if "Frisch" not in row["description"]:
            row["modifiedAt"] = old
        if "Kunde" in row["description"]:
            row["status"] = "Converted"
    assert world.client.post("/leads/maintenance").json["deleted"] == 1
    assert world.rows("Note") == []
    left = str(world.rows("Lead"))
    assert ("Kunde" in left, "Frisch" in left, other in left, "Was nun" in left) == (True, True, True, False)


def test_spam_is_kept_as_long_as_configured(make_world):
    world = make_world(RETENTION_SPAM_DAYS="5")
    lead_id = world.post(FORM | {"honeypot": "x"}).json["id"]
    world.work()
    assert 4 * 86400 < world.redis[0].ttl(f"lead:payload:{lead_id}") <= 5 * 86400
    assert world.redis[0].ttl(f"lead:record:{lead_id}") > 29 * 86400
    assert "payload" not in world.record(lead_id)
    assert world.main.deps().admin.show(lead_id)["inhalt"] == "aufbewahrt"
    world.main.deps().admin.release(lead_id)
    world.work()
    assert (len(world.rows("Lead")), world.redis[0].exists(f"lead:payload:{lead_id}")) == (1, 0)


def test_spam_whose_time_is_over_is_a_known_repeat_and_nothing_to_release(make_world):
    world = make_world(RETENTION_SPAM_DAYS="5")
    lead_id = world.post(FORM | {"honeypot": "x"}, Idempotency_Key="k-1").json["id"]
    world.work()
    world.redis[0].delete(f"lead:payload:{lead_id}")
    assert world.post(FORM | {"honeypot": "x"}, Idempotency_Key="k-1").headers["Idempotent-Replayed"] == "true"
    assert world.post(FORM, Idempotency_Key="k-1").status_code == 409
    with pytest.raises(NotFoundError):
        world.main.deps().admin.release(lead_id)


def test_spam_may_be_kept_longer_than_other_bodies(make_world):
    world = make_world(RETENTION_SPAM_DAYS="60")
    lead_id = world.post(FORM | {"honeypot": "x"}).json["id"]
    world.work()
    assert 59 * 86400 < world.redis[0].ttl(f"lead:record:{lead_id}") <= 60 * 86400
    assert "payload" in world.record(lead_id)


def test_a_lead_taken_without_the_store_gets_its_task_by_the_clock(world, monkeypatch):
    import redis as library

    store = world.main.deps().store
    with monkeypatch.context() as away:
        away.setattr(type(store), "accept", lambda *_: (_ for _ in ()).throw(library.ConnectionError("gone")))
        lead_id = world.post(FORM, Idempotency_Key="k-1").json["id"]
    assert (len(world.rows("Lead")), world.rows("Task")) == (1, [])
    assert world.client.post("/leads/maintenance").json["completed"] == 1
    assert world.rows("Task")[0]["parentId"] == world.rows("Lead")[0]["id"]
    lead = world.rows("Lead")[0]
    assert lines_of(lead["description"])["Vorgang"] == lead_id
    assert "Aufnahme" not in lead["description"]
    assert world.post(FORM, Idempotency_Key="k-1").status_code == 200
    world.work()
    assert (len(world.rows("Lead")), len(world.rows("Task"))) == (1, 1)


def test_a_lead_taken_without_the_store_is_known_after_a_change_of_keys(make_world, world, monkeypatch):
    import redis as library

    with monkeypatch.context() as away:
        gone = library.ConnectionError("gone")
        away.setattr(type(world.main.deps().store), "accept", lambda *_: (_ for _ in ()).throw(gone))
        world.post(FORM, Idempotency_Key="k-1")
    world.espocrm.records._rows["Lead"][world.rows("Lead")[0]["id"]]["createdAt"] = "2026-01-02 03:04:05"
    later = make_world(LEAD_ENCRYPTION_KEY="TmV1TmV1TmV1TmV1TmV1TmV1TmV1TmV1TmV1TmV1TmU=," + KEY)
    later.espocrm.records = world.espocrm.records
    later.post(FORM, Idempotency_Key="k-1")
    assert later.work() == ["done"]
    assert (len(later.rows("Lead")), len(later.rows("Task"))) == (1, 1)


def test_of_leads_that_came_past_the_store_at_once_exactly_one_stays():
    direct = [{"id": each, "description": f"Vorgang: 7\n{DIRECT_LINE}\n\nHallo"} for each in ("a1", "b2")]
    by_worker = {"id": "c3", "description": "Vorgang: 7\n\nHallo"}
    assert [gives_way(row["id"], direct) for row in direct] == [False, True]
    assert [gives_way(row["id"], [*direct, by_worker]) for row in direct] == [True, True]
    assert not gives_way("a1", direct[:1])


def test_what_a_visitor_writes_makes_no_lead_a_direct_one(world):
    line = "Aufnahme: direkt, Aufgabe folgt"
    world.espocrm.add("Lead", lastName="Fremd", description=f"Notiz\n\n{line}")
    world.post(FORM | {"nachricht": f"x\n{line}", "betreff": line})
    world.work()
    assert world.client.post("/leads/maintenance").json["completed"] == 0
    assert (len(world.rows("Lead")), len(world.rows("Task"))) == (2, 1)
    assert world.rows("Lead")[-1]["description"].endswith(line)


def test_maintenance_survives_an_outage_and_may_run_twice(world):
    world.espocrm.logins.users.clear()
    answer = world.client.post("/leads/maintenance")
    assert answer.status_code == 200
    assert answer.json["failed"]
    assert world.client.get("/leads/maintenance").status_code == 405
