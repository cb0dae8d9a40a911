"""Every answer of the receiver, row by row, and every recorded request."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "leads"))

import redis
from leads_world import FORM, PATH, SECRET, World

RECORDED = json.loads((Path(__file__).parents[1] / "recorded" / "wordpress-requests.json").read_text())["requests"]
GRAVITY = {"3": {"typ": "vermieter", "felder": {"2": "email", "3": "telefon", "5": "nachricht", "6.1": "datenschutz"}}}


@pytest.fixture
def world(monkeypatch) -> Iterator[World]:
    made = World(monkeypatch, LEAD_FORM_MAPS=json.dumps(GRAVITY), VERMIETERHELDEN_QUERY_TOKEN="adress-token")
    yield made
    made.close()


def refused(answer, status: int, code: str) -> dict:
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.json["code"] == code
    assert answer.json["id"]
    assert answer.json["type"].endswith(code.replace("_", "-"))
    return answer.json


def test_accepted(world):
    answer = world.post(FORM)
    assert answer.status_code == 200
    assert answer.json == {"status": "angenommen", "id": answer.json["id"], "hinweise": []}


def test_accepted_with_remarks(world):
    answer = world.signed(FORM | {"telefon": "12"})
    assert answer.status_code == 200
    assert answer.json["hinweise"] == [{"feld": "person.telefon", "code": "telefon_ungueltig"}]


@pytest.mark.parametrize("proof", [{}, {"secret": None, "path": f"{PATH}?token=adress-token"}])
def test_remarks_are_for_our_own_sender_only(world, proof):
    answer = world.post(FORM | {"telefon": "12"}, **proof)
    assert (answer.status_code, answer.json["hinweise"]) == (200, [])
    world.work()
    assert "person.telefon telefon_ungueltig" in world.rows("Lead")[0]["description"]


def test_spam_gets_no_remark(world):
    answer = world.signed(FORM | {"honeypot": "buy now", "telefon": "12", "plz": "x"})
    assert (answer.status_code, answer.json["status"], answer.json["hinweise"]) == (200, "angenommen", [])


@pytest.mark.parametrize(
    "body", [b'{"nachricht":"er sagt "nein""}', b"{", b'{"a":NaN}', b'{"a":1,"a":2}', b"\xff{", b"[1,2]"]
)
def test_an_unreadable_body_is_kept_for_a_person(world, body):
    answer = world.post(body)
    assert (answer.status_code, answer.json["status"]) == (200, "angenommen")
    assert world.post(body).headers["Idempotent-Replayed"] == "true"


def test_the_same_key_and_body_gets_the_stored_answer(world):
    first = world.post(FORM, Idempotency_Key="schluessel-1")
    again = world.post(FORM, Idempotency_Key="schluessel-1")
    assert first.headers.get("Idempotent-Replayed") is None
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")
    assert again.json == first.json


@pytest.mark.parametrize("other", [FORM | {"nachricht": "anders"}, {"typ": "vermieter"}])
def test_the_same_key_and_another_body_is_a_conflict(world, other):
    world.post(FORM, Idempotency_Key="schluessel-1")
    refused(world.post(other, Idempotency_Key="schluessel-1"), 409, "idempotenz_konflikt")


def test_keys_that_begin_alike_are_different_keys(world):
    first = world.post(FORM, Idempotency_Key="k" * 300 + "1")
    other = world.post(FORM | {"nachricht": "anders"}, Idempotency_Key="k" * 300 + "2")
    assert (other.status_code, other.json["id"] == first.json["id"]) == (200, False)


def test_the_body_s_id_is_a_key_too(world):
    world.post(FORM | {"id": "vorgang-0001"})
    assert world.post(FORM | {"id": "vorgang-0001"}).headers["Idempotent-Replayed"] == "true"
    refused(world.post(FORM | {"id": "vorgang-0001", "ort": "x"}), 409, "idempotenz_konflikt")


def test_without_a_key_the_same_words_within_half_an_hour_are_a_replay(world):
    first = world.post(FORM | {"_serial_number": "1"})
    again = world.post(FORM | {"_serial_number": "2", "telefon": "+49 511 1234567"})
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json["id"] == first.json["id"]


@pytest.mark.parametrize("body", [b"", b"  \n", b"\xef\xbb\xbf "])
def test_an_empty_body(world, body):
    refused(world.post(body), 400, "koerper_leer")


def test_no_proof_at_all(world):
    body = refused(world.post(FORM, secret=None), 401, "nicht_berechtigt")
    assert world.post(FORM, secret="falsch").json["detail"] == body["detail"]
    assert world.signed(FORM, secret="falsch").json["detail"] == body["detail"]
    assert "WWW-Authenticate" in world.post(FORM, secret=None).headers
    refused(world.post(FORM, secret=None, path=f"{PATH}?token=falsch"), 401, "nicht_berechtigt")
    refused(world.post(FORM, secret=None, X_VH_Signature="sha256=é", X_VH_Timestamp="é"), 401, "nicht_berechtigt")


def test_a_right_signature_with_a_wrong_clock(world):
    import time

    now = int(time.time())
    world.set_clock(now)
    assert world.signed(FORM, at=now - 300).status_code == 200
    assert world.signed(FORM, at=now + 300).status_code == 200
    refused(world.signed(FORM, at=now - 301), 401, "zeit_abweichung")
    refused(world.signed(FORM, at=now - 301, secret="falsch"), 401, "nicht_berechtigt")


def test_two_secrets_hold_while_one_replaces_the_other(monkeypatch):
    world = World(monkeypatch, VERMIETERHELDEN_WEBHOOK_SECRET="neu, alt")
    assert [world.post(FORM, secret=each).status_code for each in ("neu", "alt", "neu, alt", "")] == [
        200,
        200,
        401,
        401,
    ]
    assert world.signed(FORM, secret="alt").status_code == 200
    world.close()


def test_a_token_in_the_address(world):
    assert world.post(FORM, secret=None, path=f"{PATH}?token=adress-token").status_code == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD"])
def test_other_methods(world, method):
    answer = world.client.open(PATH, method=method)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_a_body_that_is_too_large(world):
    refused(world.post(b'{"a":"' + b"x" * 256 * 1024 + b'"}'), 413, "zu_gross")
    assert world.post(json.dumps(FORM | {"nachricht": "x" * 250_000}).encode()).status_code == 200


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<lead/>", "application/xml"),
        (b"<?xml version='1.0'?><lead/>", "text/plain"),
        (b"query { lead }", "application/graphql"),
        (b"{ lead { id } }", "application/graphql"),
        (b'{"query":"mutation { create }","variables":{}}', "application/json"),
        (b"\x89PNG\r\n", "image/png"),
        (b"\x00\x01", "application/octet-stream"),
    ],
)
def test_kinds_of_bodies_that_are_no_form(world, body, kind):
    answer = world.post(body, Content_Type=kind)
    refused(answer, 415, "typ_nicht_unterstuetzt")
    assert "application/json" in answer.headers["Accept-Post"]


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        (FORM | {"typ": "makler"}, "typ", "typ_unbekannt"),
        ({"typ": "vermieter", "nachname": "Groß", "nachricht": "Hilfe"}, "person", "kontakt_fehlt"),
        ({"email": "anna@web,de", "nachricht": "Hilfe"}, "person.email", "email_ungueltig"),
        ({"typ": "newsletter", "email": "a@example.org"}, "einwilligungen", "einwilligung_fehlt"),
        ({"typ": "newsletter", "email": "a@example.org", "newsletter": "0"}, "einwilligungen", "einwilligung_fehlt"),
        ({"typ": "newsletter", "telefon": "0511 1234567", "newsletter": "1"}, "person.email", "kontakt_fehlt"),
    ],
)
def test_what_nobody_could_work_with(world, body, field, code):
    document = refused(world.post(body), 422, code)
    assert [(each["feld"], each["code"]) for each in document["fehler"]] == [(field, code)]
    assert document["fehler"][0]["meldung"]


def test_the_words_of_the_refusals(world):
    assert world.post(FORM | {"typ": "x"}).json["fehler"] == [
        {"feld": "typ", "code": "typ_unbekannt", "meldung": "Unbekannter Formulartyp."}
    ]
    assert world.post({"nachricht": "x"}).json["fehler"][0]["meldung"] == "Bitte E-Mail oder Telefonnummer angeben."


def test_a_near_domain_is_suggested_without_repeating_the_address(world):
    answer = world.post({"email": "geheimer.name@gmial,com", "nachricht": "x"})
    assert answer.json["fehler"][0]["vorschlag"] == "gmail.com"
    assert "geheimer.name" not in answer.text


def test_beyond_the_sender_s_rate_leads_are_kept_for_later(monkeypatch):
    world = World(monkeypatch, LEAD_RATE_PER_MINUTE="5")
    answers = [world.post(FORM, Idempotency_Key=f"schluessel-{n}") for n in range(12)]
    assert {answer.status_code for answer in answers} == {200}
    assert world.redis[0].xlen("lead:queue") == 5
    assert world.redis[0].zcard("lead:delayed") == 7
    assert world.redis[0].scard("lead:intake_pending") == 12
    world.close()


class Down:
    """A client that reaches no server."""

    def __getattr__(self, name):
        def refuse(*_, **__):
            raise redis.ConnectionError("refused")

        return refuse


def without_store(monkeypatch, **environ) -> World:
    down = Down()
    return World(monkeypatch, redis={0: down, 1: down, 2: down}, **environ)


def test_without_a_store_espocrm_gets_the_lead_at_once_and_the_repeat_is_harmless(monkeypatch):
    world = without_store(monkeypatch)
    first, again = world.post(FORM, Idempotency_Key="k-1"), world.post(FORM, Idempotency_Key="k-1")
    assert (first.status_code, again.status_code) == (200, 200)
    assert [first.json["id"] in row["description"] for row in world.rows("Lead")] == [True]
    world.close()


def test_without_store_and_espocrm_the_sender_keeps_the_lead(monkeypatch):
    world = without_store(monkeypatch, ESPOCRM_API_BASE_URL="http://127.0.0.1:9/api/v1/")
    answer = world.post(FORM)
    refused(answer, 503, "nicht_gespeichert")
    assert answer.headers["Retry-After"] == "60"
    assert world.post({"typ": "newsletter", "email": "a@example.org", "newsletter": "1"}).status_code == 503
    world.close()


EXPECTED = {
    "shape-automator-form": (200, "kontaktformular", False),
    "cf7webhook-custombody-ok": (200, "vermieter_anfrage", False),
    "http-p-form": (422, "", False),
    "http-p-default": (422, "", False),
    "http-redirect302": (405, "", False),
    **{row["id"]: (200, "kontaktformular", False) for row in RECORDED if row["id"].startswith("bridge-retry")},
    "bridge-form-wp61": (200, "vermieter_anfrage", True),
    "bridge-json-post-wp71": (200, "vermieter_anfrage", True),
    "shape-gravity-json": (200, "vermieter_anfrage", True),
}


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda each: each["id"])
def test_every_recorded_request_gets_its_answer_and_its_lead(world, recorded):
    import jsonschema_rs

    from functions.leads.envelope import Envelope

    asked, headers = recorded["request"], dict(recorded["request"]["headers"])
    status, kind, complete = EXPECTED.get(recorded["id"], (200, "kontaktformular", True))
    if "X-VH-Timestamp" in headers:
        world.set_clock(int(headers["X-VH-Timestamp"]))
    else:
        headers.setdefault("X-Webhook-Secret", SECRET)
    for name in ("Content-Length", "Connection", "Host"):
        headers.pop(name, None)
    answer = world.client.open(PATH, method=asked["method"], data=asked["body"].encode(), headers=headers)
    assert answer.status_code == status, answer.text
    if status != 200:
        return
    store = world.main.deps().store
    record = store.load(answer.json["id"])
    submission = world.main.deps().reader.read(Envelope.from_bytes(record.payload))
    schema = json.loads((Path(__file__).parents[2] / "functions/leads/lead.schema.json").read_text())
    document = submission.lead.to_json()
    assert jsonschema_rs.Draft202012Validator(schema).is_valid(document) is complete
    assert document["typ"] == kind
    assert document["person"]["email"] in {"anna.gross@example.org", "retry@example.org"}
    assert bool(submission.grounds) is not complete
    world.work()
    (row,) = world.rows("Lead")
    person = document["person"]
    assert f"Vorgang: {answer.json['id']}" in row["description"].splitlines()
    assert (row["emailAddress"], row.get("phoneNumber")) == (person["email"], next(iter(submission.phones), None))
    assert row.get("lastName", "(ohne Namen)") == person.get("nachname", "(ohne Namen)")
    assert row["description"].endswith(document.get("anliegen", {}).get("beschreibung", ""))
    assert ("Prüfung: ja" in row["description"]) is not complete
    assert len(world.rows("Task")) == 1
    if complete:
        assert document["person"]["nachname"] == "Groß-Müller"
        assert document["person"]["telefon"] in {"+495111234567", "+49511123456"}
        assert "\r" not in document["anliegen"]["beschreibung"]


def test_a_gravity_form_needs_its_numbers_named(world):
    gravity = next(row for row in RECORDED if row["id"] == "shape-gravity-json")["request"]["body"]
    lead_id = world.post(gravity.encode()).json["id"]
    world.work()
    row = world.rows("Lead")[0]
    assert lead_id in row["description"]
    assert (row["firstName"], row["lastName"], row["phoneNumber"]) == ("Änne", "Groß-Müller", "+495111234567")
    assert row["description"].endswith("Zeile 1\nZeile 2")


def test_what_another_plugin_s_configuration_leaked_is_not_kept_in_the_lead(world):
    hook = next(row for row in RECORDED if row["id"] == "wpwebhooks-json")["request"]["body"]
    world.post(hook.encode())
    world.work()
    assert "cut" not in world.rows("Lead")[0]["description"]


def test_a_process_that_is_ending_takes_nothing_more(world, monkeypatch):
    import threading

    from functions.leads import handler

    ending = threading.Event()
    ending.set()
    monkeypatch.setattr(handler, "STOPPING", ending)
    answer = world.post(FORM)
    refused(answer, 503, "nicht_gespeichert")
    assert answer.headers["Retry-After"] == "60"
    assert world.redis[0].keys() == []
    refused(world.post(FORM, secret=None), 401, "nicht_berechtigt")
