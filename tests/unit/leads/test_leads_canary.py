"""Planted personal data is found nowhere but in EspoCRM and under encryption."""

from __future__ import annotations

import io
import logging

from leads_world import FORM
from mail_box import mail_box

from sandbox.faults import Fault
from shared import log as logs
from shared import metrics

CANARIES = {
    "vorname": "Kanarienvorname",
    "nachname": "Kanariennachname",
    "firma": "Kanarienfirma",
    "email": "kanarien.mail@example.org",
    "telefon": "0511 8877665",
    "nachricht": "Kanariennachricht mit Räumung",
    "strasse": "Kanarienstrasse 7",
    "objekt_adresse": "Kanarienobjekt 3, 30159 Hannover",
    "mieter_name": "Kanarienmieter",
    "ip": "203.0.113.77",
    "user_agent": "Kanarienagent",
    "unbekannt": "Kanarienrest",
}
TRACES = (*CANARIES.values(), "anarien", "8877665", "203.0.113.77")


def captured() -> io.StringIO:
    stream = io.StringIO()
    logs.set_up("DEBUG", stream)
    return stream


def clean(text: str) -> None:
    found = [trace for trace in TRACES if trace.lower() in text.lower()]
    assert found == []


def test_nothing_personal_is_in_redis_logs_metrics_topics_or_refusals(make_world):
    with mail_box() as box:
        world = make_world(
            advoware=True,
            SMTP_URL=box.url,
            PUBLIC_BASE_URL="https://api.example",
            NEWSLETTER_TARGET_LIST_ID="list-1",
        )
        stream = captured()
        try:
            _live(world)
        finally:
            handlers = logging.getLogger().handlers[:]
            logging.getLogger().handlers[:] = []
        assert handlers
        clean(stream.getvalue())
        clean(world.everything_in_redis())
        clean(metrics.page().decode())
        assert "lead_accepted" in stream.getvalue()
        assert "Kanariennachname" in str(world.rows("Lead"))


def _live(world) -> None:
    form = FORM | CANARIES
    answers = [world.post(form), world.post(form), world.post(form, Idempotency_Key="kanarien.mail@example.org")]
    clean(world.everything_in_redis())
    answers += [
        world.post(form | {"nachricht": "Kanarientext"}, Idempotency_Key="kanarien.mail@example.org"),
        world.post(form | {"typ": "Kanarientyp"}),
        world.post({"email": "kanarien.mail@web,de", "name": "Kanarienname"}),
        world.post({"name": "Kanarienname", "nachricht": "Kanariennachricht"}),
        world.post(form, secret="Kanariengeheimnis"),
        world.post(b"<kanarien/>", Content_Type="application/xml"),
        world.post(b'{"email":"kanarien.mail@example.org","nachricht":"Kanarien"zitat""}'),
        world.post(form | {"honeypot": "Kanarienfalle", "nachricht": "Kanarienspam"}),
        world.post({"typ": "newsletter", "email": "kanarien.mail@example.org", "newsletter": "1"}),
        world.client.get("/api/leads/newsletter/confirm?token=kanarien.mail@example.org"),
        world.client.get("/api/leads/Kanarienpfad?email=kanarien.mail@example.org"),
    ]
    for fault in (
        Fault("drop_after", method="POST", path="/Lead$", times=1),
        Fault("status", method="POST", path="/Task$", status=500, times=1),
        Fault("html", method="GET", path="/Lead$", times=1),
    ):
        world.espocrm.board.add(fault)
    import time

    for _ in range(40):
        if not world.work(1):
            break
        time.sleep(0.1)
    answers.append(world.client.post("/leads/maintenance"))
    lead_id = answers[0].json["id"]
    world.main.deps().admin.release(lead_id)
    world.work()
    for answer in answers:
        headers = {name: value for name, value in answer.headers.items() if name != "Content-Length"}
        text = answer.text.replace("/api/leads/Kanarienpfad", "")
        clean(text + str(headers))
