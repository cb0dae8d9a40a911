"""What somebody agreed to: the newsletter's box in another form, proofs that are only ever added to, their end."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from leads_world import FORM, KEY, World, lines_of
from mail_box import MailBox, mail_box

from shared.errors import InvalidRequestError

MAIL = "anna@example.org"
BOX = FORM | {"newsletter": "Ich möchte den Newsletter erhalten", "_post_title": "Anfrage"}
YEAR = 366 * 86400


@pytest.fixture
def box() -> Iterator[MailBox]:
    with mail_box() as made:
        yield made


@pytest.fixture
def world(make_world, box) -> World:
    more = {"LEAD_AUTO_REPLY": "off", "NEWSLETTER_TARGET_LIST_ID": "list-1"}
    made = make_world(SMTP_URL=box.url, PUBLIC_BASE_URL="https://api.example", **more)
    made.espocrm.add("TargetList", id="list-1", name="Newsletter")
    return made


def press(world, box) -> int:
    found = re.search(r"https://api\.example(/\S+\?token=[0-9a-f]{64})", box.text())
    status = world.client.post(found.group(1)).status_code
    world.work()
    return status


def members(world) -> set[str]:
    return world.espocrm.related.get(("TargetList", "list-1", "contacts"), set())


def proofs(world, **who) -> list[dict]:
    return world.main.deps().consents.listed(**{"email": None, "phone": None} | who)


def test_a_newsletter_box_in_another_form_begins_the_double_opt_in(world, box):
    lead_id = world.post(BOX).json["id"]
    world.work()
    assert [mail["To"] for mail in box.mails] == [MAIL]
    assert "payload" not in world.record(lead_id)
    assert (len(world.rows("Lead")), world.rows("Contact"), world.record(lead_id)["state"]) == (1, [], "bestaetigt")
    assert press(world, box) == 200
    assert members(world) == {world.rows("Contact")[0]["id"]}
    assert (len(world.rows("Lead")), len(world.rows("Task")), world.record(lead_id)["state"]) == (1, 1, "bestaetigt")
    (proof,) = [each for each in proofs(world, email=MAIL) if each["zweck"] == "newsletter"]
    assert (proof["text"], proof["formular"]) == ("Ich möchte den Newsletter erhalten", "Anfrage")
    assert {"angefordert", "bestaetigt_bestaetigung", "ip_bestaetigung"} <= proof.keys()


@pytest.mark.parametrize("value", ["0", "nein", ""])
def test_an_unticked_box_asks_for_nothing(world, box, value):
    world.post(BOX | {"newsletter": value})
    world.work()
    assert box.mails == []
    assert list(world.redis[0].scan_iter("lead:optin:*")) == []


def test_spam_gets_no_mail_for_its_box(world, box):
    world.post(BOX | {"honeypot": "x"})
    world.work()
    assert box.mails == []


def test_a_mail_server_that_is_away_keeps_the_wish_and_not_the_lead(world, box):
    box.refusing = True
    world.post(BOX)
    assert world.work(1) == ["delayed"]
    assert (len(world.rows("Lead")), len(world.rows("Task"))) == (1, 1)
    box.refusing = False
    assert world.work(1) == ["done"]
    assert (len(box.mails), len(world.rows("Lead")), len(world.rows("Task"))) == (1, 1, 1)


def test_a_link_that_is_mailed_after_a_change_of_keys_works(make_world, world, box):
    box.refusing = True
    world.post(BOX)
    assert world.work(1) == ["delayed"]
    more = {"LEAD_AUTO_REPLY": "off", "NEWSLETTER_TARGET_LIST_ID": "list-1", "SMTP_URL": box.url}
    keys = "TmV1TmV1TmV1TmV1TmV1TmV1TmV1TmV1TmV1TmV1TmU=," + KEY
    later = make_world(redis=world.redis, PUBLIC_BASE_URL="https://api.example", LEAD_ENCRYPTION_KEY=keys, **more)
    later.espocrm.records, later.espocrm.related = world.espocrm.records, world.espocrm.related
    box.refusing = False
    assert later.work(1) == ["done"]
    assert press(later, box) == 200
    assert len(members(later)) == 1


@pytest.mark.parametrize(("old_one_too", "found"), [(True, 1), (False, 0)])
def test_a_proof_is_found_after_a_change_of_keys_as_long_as_its_own_is_kept(make_world, world, old_one_too, found):
    world.post(FORM | {"telefon": "0511 1234567", "werbung_telefon": "ja"})
    world.work()
    assert [each["zweck"] for each in proofs(world, phone="0511 1234567")].count("werbung_telefon") == 1
    keys = "TmV1TmV1TmV1TmV1TmV1TmV1TmV1TmV1TmV1TmV1TmU=" + (f",{KEY}" if old_one_too else "")
    later = make_world(redis=world.redis, LEAD_ENCRYPTION_KEY=keys)
    assert [each["zweck"] for each in proofs(later, phone="0511 1234567")].count("werbung_telefon") == found


def test_without_a_mail_server_a_box_holds_nothing_up(make_world):
    world = make_world()
    world.post(BOX)
    assert world.work() == ["done"]
    assert len(world.rows("Lead")) == 1


def test_a_note_and_a_box_do_not_take_each_other_s_place(world, box):
    world.post(FORM)
    world.work()
    world.post(BOX | {"nachricht": "Noch etwas"})
    world.work()
    assert press(world, box) == 200
    assert sorted(row["parentType"] for row in world.rows("Note")) == ["Contact", "Lead"]


def test_every_consent_of_a_form_is_proven_word_for_word(world):
    said = {"zweck": "werbung_telefon", "erteilt": True, "text": "Rufen Sie mich an", "text_version": "v3"}
    refused = {"zweck": "weitergabe_kanzlei", "erteilt": False, "text": "Nein"}
    lead_id = world.post(FORM | {"einwilligungen": [said, refused], "ip": "203.0.113.9"}).json["id"]
    world.work()
    found = {each["zweck"]: each for each in proofs(world, email=MAIL)}
    assert set(found) == {"datenschutzhinweis", "werbung_telefon"}
    phone = found["werbung_telefon"]
    assert (phone["text"], phone["text_version"], phone["ip"]) == ("Rufen Sie mich an", "v3", "203.0.113.9")
    assert (phone["lead_id"], phone["erteilt"], bool(phone["zeitpunkt"])) == (lead_id, True, True)
    assert "Rufen Sie" not in world.everything_in_redis()
    ends = {key.rpartition(":")[2]: world.redis[0].ttl(key) for key in world.redis[0].scan_iter("lead:consent:*")}
    assert 4.9 * YEAR < ends["werbung_telefon"] <= 5 * YEAR
    assert 2.9 * YEAR < ends["datenschutzhinweis"] <= 3 * YEAR


def test_a_consent_to_calls_is_found_by_the_number_too(world):
    said = {"zweck": "werbung_telefon", "erteilt": True, "text": "Rufen Sie mich an"}
    world.post(FORM | {"telefon": "0511 1234567, 0171 2345678", "einwilligungen": [said]})
    world.work()
    for who in ({"email": MAIL}, {"phone": "0511/1234567"}, {"phone": "+49 171 2345678"}):
        assert [each["text"] for each in proofs(world, **who) if each["zweck"] == "werbung_telefon"] == [said["text"]]
    both = proofs(world, email=MAIL, phone="0511 1234567")
    assert len([each for each in both if each["zweck"] == "werbung_telefon"]) == 1


def test_a_withdrawal_is_one_more_record_and_ends_the_newsletter(world, box):
    world.post(BOX)
    world.work()
    press(world, box)
    (key,) = [each for each in world.redis[0].scan_iter("lead:consent:*") if each.endswith("newsletter")]
    assert world.redis[0].ttl(key) == -1  # proven for as long as it is sent
    world.main.deps().admin.withdraw("newsletter", email=MAIL)
    assert [each["erteilt"] for each in proofs(world, email=MAIL) if each["zweck"] == "newsletter"] == [True, False]
    assert members(world) == set()
    assert 2.9 * YEAR < world.redis[0].ttl(key) <= 3 * YEAR
    with pytest.raises(InvalidRequestError):
        world.main.deps().admin.withdraw("newsletter")


def test_erasure_ends_the_newsletter_and_takes_our_mails_and_keeps_the_proof(world, box):
    from sandbox.espocrm.entities import Entity

    world.espocrm.records.entities.setdefault("Email", Entity("name subject body to status parentType parentId"))
    world.espocrm.add("Contact", id="client", lastName="Groß", emailAddress=MAIL)
    world.espocrm.related["TargetList", "list-1", "contacts"] = {"client", "other"}
    subject = "Ihre Anfrage bei den Vermieterhelden"
    world.espocrm.add("Email", name=subject, to=MAIL, parentType="Contact", parentId="client")
    world.espocrm.add("Email", name="Termin", to=MAIL, parentType="Contact", parentId="client")
    world.post(BOX)
    world.work()
    press(world, box)
    report = world.main.deps().admin.erase(email=MAIL)
    assert members(world) == {"other"}
    assert [row["name"] for row in world.rows("Email")] == ["Termin"]
    (told,) = report["Contact"]
    assert (told["mails"], told["newsletter"]) == (1, "von der Liste genommen")
    assert [each["erteilt"] for each in proofs(world, email=MAIL) if each["zweck"] == "newsletter"] == [True, False]
    assert "3 Jahre" in report["einwilligungsnachweise"]


def test_the_way_of_a_lead_is_told_without_its_content(world, box):
    lead_id = world.post(FORM | {"vorname": "Kanarie"}).json["id"]
    world.work()
    world.main.deps().admin.release(lead_id)
    world.work()
    told = world.main.deps().admin.show(lead_id)
    steps = [each["was"] for each in told["verlauf"]]
    assert steps[0] == "eingegangen"
    assert set(steps) >= {"geprüft", "in EspoCRM", "Kollision geprüft", "freigegeben"}
    assert [each["wann"] for each in told["verlauf"]] == sorted(each["wann"] for each in told["verlauf"])
    assert (told["stand"], told["inhalt"], told["espocrm"]) == ("bestaetigt", "gelöscht", world.rows("Lead")[0]["id"])
    assert "Kanarie" not in str(told)
    assert lines_of(world.rows("Lead")[0]["description"])["Vorgang"] == told["id"]
