"""No target loads what it does not need: not at its start, and not for its first answer."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from first_calls import CALLS, House, house

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
    "holidays.countries",
    "functions.app",
    "functions.worker",
    "functions.cli",
)
HTTP_CLIENT = ("requests", "urllib3", "charset_normalizer")
GOOGLE_API = ("googleapiclient", "google.auth", "google.oauth2", "httplib2")
GOOGLE = (*GOOGLE_API, "shared.google")
CIPHERS = ("cryptography.hazmat", "shared.crypto")
FORMS = ("email_validator", "disposable_email_domains", "smtplib", "xml")
OTHERS = ("phonenumbers", "holidays", "shared.threecx", "shared.espocrm", *CIPHERS, *FORMS)
FORBIDDEN = {
    "vmh_webhooks": {"pydantic", "shared.advoware", "shared.mapping", "shared.domain", "phonenumbers", "holidays"}
    | {"shared.threecx", *CIPHERS, *FORMS, *GOOGLE, *HTTP_CLIENT},
    "beteiligte_sync": {"pydantic", "holidays", "shared.threecx", *CIPHERS, *FORMS, *GOOGLE},
    "advoware_proxy": {"pydantic", "shared.mapping", "shared.domain", *OTHERS, *GOOGLE},
    "leads": {"pydantic", "holidays", "xml", "smtplib", "shared.advoware", "shared.espocrm", "shared.threecx"}
    | {*GOOGLE, *HTTP_CLIENT},
    "lead_intake": {"pydantic", "xml", "shared.threecx", *GOOGLE},
    "leads_maintenance": {"pydantic", "phonenumbers", "holidays", "xml", "email_validator", "disposable_email_domains"}
    | {"shared.threecx", "shared.advoware", "cryptography.hazmat", *GOOGLE},
    "threecx": {"pydantic", "phonenumbers", "holidays", "shared.mapping", "functions.threecx.journal"}
    | {*CIPHERS, *FORMS, *GOOGLE},
    "call_journal": {"phonenumbers", "holidays", "shared.mapping", *FORMS, *GOOGLE},
    "calendar_sync_api": {*OTHERS, *GOOGLE_API},
    "calendar_sync_cron": {*OTHERS, *GOOGLE_API},
    "calendar_push": {*OTHERS, *GOOGLE_API},
    "calendar_sync_all": {*OTHERS, *GOOGLE_API},
    "calendar_sync_employee": {"phonenumbers", "holidays", "shared.threecx", "shared.espocrm", *FORMS},
    "ops": {"shared.advoware", "shared.mapping", *OTHERS, *GOOGLE, *HTTP_CLIENT},
}


def under(name: str, packages: set[str]) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in packages)


@pytest.fixture(scope="module")
def around(tmp_path_factory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("house")) as found:
        yield found


def test_every_target_has_its_list():
    decorated = r"^@functions_framework\.\w+\ndef (\w+)"
    texts = [path.read_text() for path in ROOT.glob("functions/*/main.py")]
    assert (
        {name for text in texts for name in re.findall(decorated, text, re.MULTILINE)} == set(FORBIDDEN) == set(CALLS)
    )


@pytest.mark.parametrize("target", FORBIDDEN)
def test_a_target_imports_only_what_it_needs(target, around):
    folder, loaded = CALLS[target].folder, around.first(target)
    assert loaded.status in {200, 204}
    assert f"functions.{folder}" in loaded.at_start
    others = {f"functions.{each}" for each in FOLDERS if each != folder}
    assert [name for name in loaded.in_all if under(name, {*NOWHERE, *others, *FORBIDDEN[target]})] == []


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
