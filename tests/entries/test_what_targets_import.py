"""No target loads what it does not need: not at its start, and not for its first answer."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from first_calls import Call, House, house

ROOT = Path(__file__).parents[2]
FOLDERS = ("advoware_proxy", "calendar_sync", "vmh_webhooks", "leads", "threecx", "ops")
NOWHERE = (
    "sandbox",
    "tests",
    "boto3",
    "botocore",
    "moto",
    "fakeredis",
    "rich",
    "websockets",
    "yaml",
    "shared.openapi",
    "functions.app",
    "functions.worker",
    "functions.cli",
)
HTTP_CLIENT = ("requests", "urllib3", "charset_normalizer")
GOOGLE = ("googleapiclient", "google.auth", "google.oauth2", "httplib2", "shared.google")
CIPHERS = ("cryptography.hazmat", "shared.crypto")
FORMS = ("email_validator", "disposable_email_domains", "smtplib", "xml")
OTHERS = ("phonenumbers", "holidays", "shared.threecx", "shared.espocrm", *CIPHERS, *FORMS)
STARTED = (
    '{"event":"%s","call_id":"c-1","direction":"inbound","caller":"+49511123456","callee":"12",'
    '"timestamp":"2026-11-24T08:00:00Z","answered":true,"duration_s":12}'
)
FORM = (
    '{"typ":"vermieter","vorname":"Änne","nachname":"Groß","email":"anna@example.org","telefon":"0511 1234567",'
    '"nachricht":"Mein Mieter hat gekündigt.","datenschutz":"1"}'
)


def event(topic: str, **data: object) -> str:
    return json.dumps({"specversion": "1.0", "id": "e1", "type": topic, "source": "/tests", "data": data})


TELLING = {
    "vmh_webhooks": Call("vmh_webhooks", path="/vmh/webhook/beteiligte/update", body='[{"id":"RECORD"}]'),
    "leads": Call("leads", path="/api/leads/vermieterhelden", body=FORM),
    "threecx": Call("threecx", path="/threecx/webhook", body=STARTED % "call.ended"),
}
TARGETS = {
    "vmh_webhooks": (
        TELLING["vmh_webhooks"],
        (
            "pydantic",
            "shared.advoware",
            "shared.mapping",
            "shared.domain",
            *OTHERS[:3],
            *CIPHERS,
            *FORMS,
            *GOOGLE,
            *HTTP_CLIENT,
        ),
    ),
    "beteiligte_sync": (
        Call("vmh_webhooks", told_by="vmh_webhooks"),
        ("pydantic", "holidays", "shared.threecx", *CIPHERS, *FORMS, *GOOGLE),
    ),
    "advoware_proxy": (
        Call("advoware_proxy", "GET", "/advoware/employees"),
        ("pydantic", "shared.mapping", "shared.domain", *OTHERS, *GOOGLE),
    ),
    "leads": (
        TELLING["leads"],
        (
            "pydantic",
            "holidays",
            "xml",
            "smtplib",
            "shared.advoware",
            "shared.espocrm",
            "shared.threecx",
            *GOOGLE,
            *HTTP_CLIENT,
        ),
    ),
    "lead_intake": (Call("leads", told_by="leads"), ("pydantic", "xml", "shared.threecx", *GOOGLE)),
    "leads_maintenance": (
        Call("leads", path="/leads/maintenance"),
        (
            "pydantic",
            "phonenumbers",
            "holidays",
            "xml",
            "email_validator",
            "disposable_email_domains",
            "shared.threecx",
            "shared.advoware",
            "cryptography.hazmat",
            *GOOGLE,
        ),
    ),
    "threecx": (
        Call("threecx", "GET", "/threecx/lookup?number=0511123456"),
        (
            "pydantic",
            "phonenumbers",
            "holidays",
            "shared.mapping",
            "functions.threecx.journal",
            *CIPHERS,
            *FORMS,
            *GOOGLE,
        ),
    ),
    "call_journal": (
        Call("threecx", told_by="threecx"),
        ("phonenumbers", "holidays", "shared.mapping", *FORMS, *GOOGLE),
    ),
    "calendar_sync_api": (Call("calendar_sync", "GET", "/calendar/status"), (*OTHERS, *GOOGLE[:4])),
    "calendar_sync_cron": (Call("calendar_sync", path="/calendar/cron"), (*OTHERS, *GOOGLE[:4])),
    "calendar_push": (Call("calendar_sync", path="/calendar/push"), (*OTHERS, *GOOGLE[:4])),
    "calendar_sync_all": (Call("calendar_sync", body=event("calendar_sync_all")), (*OTHERS, *GOOGLE[:4])),
    "calendar_sync_employee": (
        Call("calendar_sync", body=event("calendar_sync_employee", kuerzel="SB")),
        ("phonenumbers", "holidays", "shared.threecx", "shared.espocrm", *FORMS),
    ),
    "ops": (
        Call("ops", path="/ops/relay"),
        ("shared.advoware", "shared.mapping", *OTHERS, *GOOGLE, *HTTP_CLIENT),
    ),
}


def under(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in packages)


@pytest.fixture(scope="module")
def around(tmp_path_factory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("house")) as found:
        yield found


def test_every_target_has_its_list():
    decorated = r"^@functions_framework\.\w+\ndef (\w+)"
    texts = [path.read_text() for path in ROOT.glob("functions/*/main.py")]
    assert {name for text in texts for name in re.findall(decorated, text, re.MULTILINE)} == set(TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_imports_only_what_it_needs(target, around):
    call, forbidden = TARGETS[target]
    others = tuple(f"functions.{each}" for each in FOLDERS if each != call.folder)
    loaded = around.first(target, call, TELLING)
    assert loaded.status in {200, 204}
    assert f"functions.{call.folder}" in loaded.at_start
    assert [name for name in loaded.in_all if under(name, NOWHERE + others + forbidden)] == []


@pytest.mark.parametrize("event", ["call.started", "call.ended"])
def test_the_event_of_a_german_number_needs_no_models_and_no_numbering_plan(event, around):
    loaded = around.first("threecx", Call("threecx", path="/threecx/webhook", body=STARTED % event), TELLING)
    assert loaded.status == 200
    needless = ("pydantic", "phonenumbers", "holidays", "shared.mapping", "functions.threecx.journal", *FORMS)
    assert [name for name in loaded.in_all if under(name, needless)] == []


@pytest.mark.parametrize("target", ["vmh_webhooks", "advoware_proxy", "leads"])
def test_the_store_is_loaded_with_the_first_call_that_needs_it(target):
    code = f"import sys; import functions.{target}.main; print('redis' in sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.stdout == "False\n", ran.stderr
