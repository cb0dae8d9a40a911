"""A lead is erased while a worker has it in hand: nothing of it is left in EspoCRM, on the list or in the mail."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from leads_world import FORM
from mail_box import mail_box

from functions.leads.crm import LeadCrm
from functions.leads.newsletter import Newsletter
from shared.errors import UpstreamTimeoutError


def erased_at(world, monkeypatch, name, *, after, owner=LeadCrm):
    """Erase the person before or after the first call of one method, as seen from the worker."""
    real, reports = getattr(owner, name), []

    def call(self, *args, **more):
        if after:
            result = real(self, *args, **more)
        if not reports:
            reports.append(None)
            reports[0] = elsewhere(lambda: world.main.deps().admin.erase(email="anna@example.org"))
        return result if after else real(self, *args, **more)

    monkeypatch.setattr(owner, name, call)
    return reports


def elsewhere(what):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(what).result()


def let_time_pass(monkeypatch):
    """Come to a time when nothing that was sent can still arrive."""
    monkeypatch.setattr("functions.leads.journey._now_ms", lambda: int((time.time() + 60) * 1000))


WAYS = {
    "nobody": ("persons", "create_lead", "create"),
    "contact": ("persons", "read", "add_note", "create"),
    "lead": ("persons", "read", "add_note", "create"),
}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("before", "name"), [(way, name) for way, names in WAYS.items() for name in names])
def test_nothing_stays_of_a_lead_that_is_erased_in_hand(world, monkeypatch, before, name, after):
    if before == "contact":
        world.espocrm.add("Contact", lastName="Groß", emailAddress="anna@example.org")
    if before == "lead":
        world.post(FORM)
        world.work()
    text = "Bitte rufen Sie mich an, Geheimnis"
    lead_id = world.post(FORM | {"nachricht": text}).json["id"]
    reports = erased_at(world, monkeypatch, name, after=after)
    world.work(1)
    assert reports, (before, name)
    assert lead_id in reports[0]["redis"]["vorgaenge"]
    let_time_pass(monkeypatch)
    world.work()
    left = str([world.rows(entity) for entity in ("Lead", "Note", "Email")])
    assert ("Geheimnis" in left, "anna@example.org" in left) == (False, False)
    assert world.record(lead_id)["state"] == "geloescht"
    assert "payload" not in world.record(lead_id)
    assert not world.redis[0].smembers("lead:intake_pending")


def test_a_lead_that_arrives_after_its_erasure_is_erased_as_well(world, monkeypatch):
    """EspoCRM is slow: it shows the Lead only when the worker has given up and the erasure is over."""
    lead_id, kept = world.post(FORM).json["id"], []

    def lost(_self, fields):
        kept.append(fields)
        elsewhere(lambda: world.main.deps().admin.erase(email="anna@example.org"))
        raise UpstreamTimeoutError("espocrm", "no answer")

    monkeypatch.setattr(LeadCrm, "create_lead", lost)
    assert world.work(1) == ["postponed"]
    world.espocrm.add("Lead", **kept[0])
    let_time_pass(monkeypatch)
    assert world.work(1) == ["done"]
    assert "anna" not in str(world.rows("Lead"))
    assert world.record(lead_id)["state"] == "geloescht"


def test_a_sign_up_that_is_erased_in_hand_gets_no_mail(make_world, monkeypatch):
    with mail_box() as box:
        world = make_world(SMTP_URL=box.url, PUBLIC_BASE_URL="https://api.example", NEWSLETTER_TARGET_LIST_ID="x")
        world.espocrm.add("TargetList", id="x", name="Newsletter")
        world.post({"typ": "newsletter", "email": "anna@example.org", "newsletter": "1"})
        erased_at(world, monkeypatch, "keep", after=False, owner=Newsletter)
        world.work()
        assert box.mails == []
        assert list(world.redis[0].scan_iter("lead:optin:*")) == []


def test_a_confirmed_sign_up_that_is_erased_in_hand_is_no_contact(make_world, monkeypatch):
    with mail_box() as box:
        world = make_world(SMTP_URL=box.url, PUBLIC_BASE_URL="https://api.example", NEWSLETTER_TARGET_LIST_ID="x")
        world.espocrm.add("TargetList", id="x", name="Newsletter")
        world.post({"typ": "newsletter", "email": "anna@example.org", "newsletter": "1"})
        world.work()
        token = re.search(r"[0-9a-f]{64}", str(box.mails[0]).replace("=\n", ""))
        world.client.post(f"/api/leads/newsletter/confirm?token={token[0]}")
        erased_at(world, monkeypatch, "create", after=True)
        world.work()
        let_time_pass(monkeypatch)
        world.work()
        assert "anna" not in str(world.rows("Contact"))


def test_spam_that_is_erased_while_it_is_put_aside_is_not_kept(world, monkeypatch):
    lead_id = world.post(FORM | {"nachricht": "http://a.x http://b.x http://c.x http://d.x [url=x]"}).json["id"]
    store = world.main.deps().store
    real = store.keep_payload_for

    def keep(item, days):
        store.erase(item)
        real(item, days)

    monkeypatch.setattr(store, "keep_payload_for", keep)
    world.work()
    assert "payload" not in world.record(lead_id)
    assert not world.redis[0].exists(f"lead:payload:{lead_id}")
