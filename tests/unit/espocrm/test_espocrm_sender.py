"""The double's webhooks behave as the recorded ones did."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandbox.espocrm import EspoCrm, signed

OUTCOMES = json.loads((Path(__file__).parents[2] / "recorded" / "espocrm-webhooks.json").read_text())["outcomes"]


class Receiver:
    def __init__(self, espocrm: EspoCrm, status: int = 200) -> None:
        self.status, self.got = status, []
        espocrm.sender.send = self

    def __call__(self, url, raw, headers, _timeout):
        self.got.append((url, raw, headers))
        return self.status


@pytest.fixture
def espocrm() -> EspoCrm:
    return EspoCrm()


def hook(espocrm, event="Lead.create", **more):
    return espocrm.webhooks.register({"event": event, "url": f"http://x/{event}", **more}, espocrm.integration)


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda each: each["receiver"])
def test_each_answer_has_its_recorded_consequence(espocrm, outcome):
    receiver = Receiver(espocrm, 0 if outcome["receiver"] == "refused" else int(outcome["receiver"]))
    hook(espocrm)
    espocrm.add("Lead", lastName="X")
    espocrm.sender.run()
    assert len(receiver.got) == 1
    assert bool(espocrm.webhooks.rows) is not outcome["webhook_deleted"]
    if not outcome["webhook_deleted"]:
        item = espocrm.webhooks.items[0]
        assert [item.status, str(item.attempts)] == outcome["status"]
        espocrm.sender.run()
        assert len(receiver.got) == 1
        espocrm.clock.advance(minutes=10, seconds=1)
        espocrm.sender.run()
        assert len(receiver.got) == 1 + outcome["retried_at"]


def test_after_four_attempts_a_delivery_is_given_up(espocrm):
    receiver = Receiver(espocrm, 503)
    hook(espocrm)
    espocrm.add("Lead", lastName="X")
    for _ in range(8):
        espocrm.sender.run()
        espocrm.clock.advance(minutes=10, seconds=1)
    assert len(receiver.got) == 4
    assert espocrm.webhooks.items[0].status == "Failed"


def test_version_ten_gives_a_refused_connection_up_at_once():
    espocrm = EspoCrm(version="10.0.0")
    Receiver(espocrm, 0)
    hook(espocrm)
    espocrm.add("Lead", lastName="X")
    espocrm.sender.run()
    assert espocrm.webhooks.items[0].status == "Failed"


def test_25_records_come_as_twenty_and_five(espocrm):
    receiver = Receiver(espocrm)
    hook(espocrm)
    for number in range(25):
        espocrm.add("Lead", lastName=f"Nr{number}")
    espocrm.sender.run_all()
    assert [len(json.loads(raw)) for _, raw, _ in receiver.got] == [20, 5]


def test_an_update_tells_what_changed_and_a_deletion_the_id_only(espocrm):
    receiver = Receiver(espocrm)
    for event in ("Lead.update", "Lead.delete", "Lead.fieldUpdate.status"):
        hook(espocrm, event)
    record_id = espocrm.add("Lead", lastName="Groß")
    espocrm.edit("Lead", record_id, lastName="Groß-Weiß", status="Assigned")
    espocrm.edit("Lead", record_id, lastName="Groß-Weiß")
    espocrm.remove("Lead", record_id)
    espocrm.sender.run_all()
    bodies = [json.loads(raw) for _, raw, _ in receiver.got]
    first = {"lastName": "Groß-Weiß", "name": "Groß-Weiß", "status": "Assigned", "id": record_id}
    assert bodies[0] == [{**first, "modifiedById": "6b04f5cecb18ccfd4", "modifiedByName": "Admin"}]
    assert bodies[1:] == [[{"id": record_id, "status": "Assigned"}], [{"id": record_id}]]
    assert b"Gro\\u00df" in receiver.got[0][1]


def test_requests_are_signed(espocrm):
    receiver = Receiver(espocrm)
    webhook = hook(espocrm)
    espocrm.add("Lead", lastName="X")
    espocrm.sender.run()
    _, raw, headers = receiver.got[0]
    assert headers == signed(raw, webhook)


def test_own_changes_and_silent_ones_are_not_told(espocrm):
    receiver = Receiver(espocrm)
    hook(espocrm, "Lead.update", skipOwn=True)
    record_id = espocrm.add("Lead", lastName="X")
    espocrm.records.update("Lead", record_id, {"status": "Dead"}, espocrm.integration)
    espocrm.edit("Lead", record_id, silent=True, status="New")
    espocrm.sender.run_all()
    assert receiver.got == []


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("Lead.status", "Not supported event."),
        ("Lead.fieldUpdate.gibtsNicht", "Field does not exist."),
        ("Beteiligte.create", "Entity type is not available for Webhooks."),
    ],
)
def test_a_wrong_registration_is_refused(espocrm, event, reason):
    with pytest.raises(Exception, match=reason):
        hook(espocrm, event)
