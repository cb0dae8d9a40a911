"""What other functions hear of a lead: an id on the topic, and a wish for a call."""

from __future__ import annotations

import json
from typing import Any

import pytest
from leads_world import FORM
from werkzeug.wrappers import Request, Response

from functions.leads.office import Office
from sandbox.double import Double
from sandbox.server import serve
from shared import metrics


class Listener(Double):
    """Keeps what it is sent."""

    def __init__(self, status: int = 200) -> None:
        super().__init__()
        self.status, self.heard = status, []

    def handle(self, request: Request) -> Response:
        self.heard.append((request.path, dict(request.headers), json.loads(request.get_data())))
        return Response(status=self.status)


@pytest.fixture
def always_open(monkeypatch) -> None:
    monkeypatch.setattr(Office, "is_open", lambda *_: True)


def listening(make_world, listener: Listener, **more: Any):
    server = serve(listener)
    url = server.__enter__().url
    world = make_world(
        **{name: value.format(url=url) if isinstance(value, str) else value for name, value in more.items()}
    )
    world.stack.push(server)
    return world


def test_the_topic_carries_nothing_but_the_id(make_world):
    listener = Listener(204)
    world = listening(make_world, listener, EVENT_TRANSPORT="http", EVENT_BASE_URL="{url}/events")
    lead_id = world.post(FORM).json["id"]
    path, _, event = listener.heard[0]
    assert (path, event["type"], event["subject"]) == ("/events/lead.received", "lead.received", lead_id)
    assert event["data"] == {"lead_id": lead_id}
    assert world.redis[0].zcard("lead:unsent") == 0
    world.post(FORM)
    assert len(listener.heard) == 1


def test_what_no_subscriber_takes_stays_for_the_relay(make_world):
    world = listening(make_world, Listener(503), EVENT_TRANSPORT="http", EVENT_BASE_URL="{url}/events")
    assert world.post(FORM).status_code == 200
    assert world.redis[0].zcard("lead:unsent") == 1


def test_a_wish_for_a_call_is_passed_on_once(make_world, always_open):
    listener = Listener(403)
    world = listening(make_world, listener, PUBLIC_BASE_URL="{url}", LEAD_AUTO_CALL="true")
    lead_id = world.post(FORM | {"rueckruf": "ja"}).json["id"]
    world.work()
    world.runner().queue.add("intake", [lead_id])
    world.work()
    assert [(path, body) for path, _, body in listener.heard] == [
        ("/threecx/calls", {"lead_id": world.rows("Lead")[0]["id"], "mode": "automatic"})
    ]


@pytest.mark.parametrize(
    "form",
    [FORM, FORM | {"rueckruf": "ja", "typ": "mieter"}, FORM | {"rueckruf": "ja", "telefon": "0900 1234567"}],
)
def test_no_call_without_a_wish_to_a_tenant_or_to_a_costly_number(make_world, always_open, form):
    listener = Listener()
    world = listening(make_world, listener, PUBLIC_BASE_URL="{url}", LEAD_AUTO_CALL="true")
    world.post(form)
    world.work()
    assert listener.heard == []


@pytest.mark.parametrize(("title", "calls"), [("Schulz ./. Gross", 0), ("Schulz ./. Klein", 1)])
def test_no_call_where_the_firm_could_be_on_the_other_side(make_world, always_open, title, calls):
    listener = Listener()
    world = listening(make_world, listener, PUBLIC_BASE_URL="{url}", LEAD_AUTO_CALL="true", advoware=True)
    world.advoware.registry.create_matter("1/26", kurzrubrum=title, rolle="mandant", betNr=900)
    world.post(FORM | {"rueckruf": "ja"})
    world.work()
    assert len(listener.heard) == calls


def test_leads_are_counted_by_step_and_outcome(make_world):
    def counted() -> dict[str, float]:
        rows = (line for line in metrics.page().decode().splitlines() if line.startswith("bitbylaw_leads_total"))
        return {name: float(value) for name, _, value in (row.rpartition(" ") for row in rows)}

    world, before = make_world(), counted()
    world.post(FORM)
    world.post(FORM)
    world.post({"nachricht": "x"})
    world.post(FORM | {"honeypot": "x", "nachricht": "Spam"})
    world.work()
    after = counted()
    grown = {name: value - before.get(name, 0) for name, value in after.items() if value != before.get(name, 0)}
    assert {name.partition("{")[2]: value for name, value in grown.items()} == {
        'outcome="new",step="received"}': 2,
        'outcome="replay",step="received"}': 1,
        'outcome="kontakt_fehlt",step="received"}': 1,
        'outcome="crm",step="judged"}': 1,
        'outcome="spam",step="judged"}': 1,
        'outcome="lead",step="filed"}': 1,
        'outcome="offen",step="conflict"}': 1,
    }


def test_calls_are_off_by_default(make_world, always_open):
    listener = Listener()
    world = listening(make_world, listener, PUBLIC_BASE_URL="{url}")
    world.post(FORM | {"rueckruf": "ja"})
    world.work()
    assert listener.heard == []
