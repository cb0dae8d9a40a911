"""Newsletter by double opt-in, and replies that promise nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from leads_world import FORM, KEY, World
from mail_box import MailBox, mail_box

SIGN_UP = {"typ": "newsletter", "email": "anna@example.org", "einwilligung": "Ich möchte den Newsletter erhalten"}


@pytest.fixture
def box() -> Iterator[MailBox]:
    with mail_box() as made:
        yield made


@pytest.fixture
def world(make_world, box) -> World:
    made = make_world(SMTP_URL=box.url, PUBLIC_BASE_URL="https://api.example", NEWSLETTER_TARGET_LIST_ID="list-1")
    made.espocrm.add("TargetList", id="list-1", name="Newsletter")
    return made


def link_of(box: MailBox) -> str:
    found = re.search(r"https://api\.example(/api/leads/newsletter/confirm\?token=[0-9a-f]{64})", box.text())
    assert found
    return found.group(1)


def test_a_sign_up_is_a_mail_with_a_link_and_nothing_in_espocrm(world, box):
    lead_id = world.post(SIGN_UP).json["id"]
    world.work()
    assert [mail["To"] for mail in box.mails] == ["anna@example.org"]
    assert (world.rows("Lead"), world.rows("Contact")) == ([], [])
    assert "payload" not in world.record(lead_id)
    assert 6 * 86400 < world.redis[0].ttl("lead:optin:" + world.record(lead_id)["optin"]) <= 7 * 86400


def test_nobody_is_answered_twice_a_day_across_a_change_of_keys(make_world, world, box):
    world.post(FORM)
    world.work()
    keys = "TmV1TmV1TmV1TmV1TmV1TmV1TmV1TmV1TmV1TmV1TmU=," + KEY
    later = make_world(redis=world.redis, SMTP_URL=box.url, LEAD_ENCRYPTION_KEY=keys)
    later.espocrm.records = world.espocrm.records
    later.post(FORM | {"nachricht": "Und noch etwas"})
    assert later.work() == ["done"]
    assert (len(later.rows("Note")), len(box.mails)) == (1, 1)


def test_looking_at_the_page_confirms_nothing(world, box):
    world.post(SIGN_UP)
    world.work()
    page = world.client.get(link_of(box))
    assert (page.status_code, page.content_type) == (200, "text/html; charset=utf-8")
    assert '<form method="post">' in page.text
    assert "Anmeldung bestätigen" in page.text
    assert 'lang="de"' in page.text
    assert world.work() == []


def test_the_button_puts_the_address_on_the_list_with_its_proof_and_works_once(world, box):
    world.post(SIGN_UP)
    world.work()
    answer = world.client.post(link_of(box))
    assert (answer.status_code, "bestätigt" in answer.text) == (200, True)
    world.work()
    contact = world.rows("Contact")[0]
    assert world.espocrm.related[("TargetList", "list-1", "contacts")] == {contact["id"]}
    assert world.rows("Lead") == []
    proof = world.rows("Note")[0]["post"]
    assert "Ich möchte den Newsletter erhalten" in proof
    assert "bestaetigt" in proof
    assert len(list(world.redis[0].scan_iter("lead:consent:*"))) == 1
    assert world.client.post(link_of(box)).status_code == 404
    assert len(box.mails) == 1


def test_the_link_ends_after_two_days(world, box):
    lead_id = world.post(SIGN_UP).json["id"]
    world.work()
    key = "lead:optin:" + world.record(lead_id)["optin"]
    world.redis[0].hincrby(key, "at", -48 * 3600 * 1000 - 1)
    assert world.client.post(link_of(box)).status_code == 404
    assert world.rows("Contact") == []


def test_a_made_up_token_is_nobody_s(world):
    for token in ("x", "0" * 64, "<script>"):
        answer = world.client.post("/api/leads/newsletter/confirm", data={"token": token})
        assert (answer.status_code, "script" in answer.text) == (404, False)


def test_a_subscriber_is_no_client(world, box):
    world.post(SIGN_UP)
    world.work()
    world.client.post(link_of(box))
    world.work()
    world.post(FORM)
    world.work()
    assert len(world.rows("Lead")) == 1


def test_a_mail_server_that_is_away_delays_the_mail(world, box):
    box.refusing = True
    world.post(SIGN_UP)
    assert world.work(1) == ["delayed"]
    box.refusing = False
    assert world.work(1) == ["done"]
    assert len(box.mails) == 1


def test_a_lead_is_answered_at_most_once_an_address_and_day(world, box):
    world.post(FORM)
    world.work()
    world.post(FORM | {"nachricht": "Noch etwas anderes"})
    world.work()
    assert len(box.mails) == 1
    mail = box.mails[0]
    assert mail["Auto-Submitted"] == "auto-replied"
    assert "kein Mandat" in box.text()
    assert "Fristen laufen weiter" in box.text()
    assert "gekündigt" not in box.text()
    assert "Groß" not in box.text()


def test_a_tenant_gets_a_neutral_answer_and_a_machine_none(world, box):
    world.post(FORM | {"typ": "mieter"})
    world.work()
    assert "Wir melden uns" not in box.text()
    world.post(FORM | {"email": "b@example.org", "nachricht": "<b>x</b>"})
    world.work()
    assert len(box.mails) == 1


def test_a_reply_that_cannot_be_sent_holds_nothing_up(world, box):
    box.refusing = True
    world.post(FORM)
    assert world.work() == ["done"]
    assert len(world.rows("Lead")) == 1


def test_replies_can_go_through_espocrm(make_world):
    world = make_world(LEAD_AUTO_REPLY="espocrm")
    from sandbox.espocrm.entities import Entity

    world.espocrm.records.entities.setdefault(
        "Email", Entity("name subject body isHtml to status parentType parentId description")
    )
    for number in range(3):
        world.post(FORM | {"nachricht": f"Frage {number}"})
        world.work()
    (mail,) = world.rows("Email")  # one an address and day
    assert (mail["to"], mail["status"], mail["parentId"]) == (
        "anna@example.org",
        "Sending",
        world.rows("Lead")[0]["id"],
    )
