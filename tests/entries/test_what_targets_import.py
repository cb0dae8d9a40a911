"""No target loads what it does not need: not at its start, and not for its first answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FIRST = """
import json, sys
import functions_framework
import flask.testing, werkzeug.test
hello = set(sys.modules)
target, source, method, path, body = sys.argv[1:]
client = functions_framework.create_app(target, source).test_client()
started = set(sys.modules)
status = client.open(path, method=method, data=body or None, content_type="application/json").status_code
print(json.dumps([status, sorted(started - hello), sorted(set(sys.modules) - hello)]))
"""
NOWHERE = (
    "sandbox",
    "tests",
    "boto3",
    "botocore",
    "moto",
    "fakeredis",
    "googleapiclient",
    "google.auth",
    "cryptography.hazmat",
    "rich",
    "websockets",
    "yaml",
    "disposable_email_domains",
    "shared.openapi",
    "functions.app",
    "functions.worker",
    "functions.cli",
)
FOLDERS = ("advoware_proxy", "calendar_sync", "vmh_webhooks", "leads", "threecx", "ops")
HTTP_CLIENT = ("requests", "urllib3", "charset_normalizer")
RECORD = '[{"id":"6b04f6cb7536b613d"}]'
TARGETS = {
    "vmh_webhooks": (
        ("vmh_webhooks", "POST", "/vmh/webhook/beteiligte/update", RECORD),
        ("pydantic", "phonenumbers", "holidays", "smtplib", "xml", "shared.google", "shared.advoware", *HTTP_CLIENT),
    ),
    "advoware_proxy": (
        ("advoware_proxy", "GET", "/advoware/employees", ""),
        ("pydantic", "phonenumbers", "holidays", "smtplib", "xml", "shared.google", "shared.espocrm", "shared.mapping"),
    ),
    "leads": (
        ("leads", "POST", "/api/leads/vermieterhelden", "{}"),
        ("pydantic", "holidays", "xml", "shared.google", "shared.threecx", *HTTP_CLIENT),
    ),
    "threecx": (
        ("threecx", "GET", "/threecx/lookup?number=0511123456", ""),
        ("pydantic", "holidays", "smtplib", "xml", "shared.google", "functions.threecx.journal"),
    ),
    "calendar_sync_api": (
        ("calendar_sync", "GET", "/calendar/status", ""),
        ("phonenumbers", "holidays", "smtplib", "xml", "shared.threecx", "shared.espocrm"),
    ),
    "ops": (
        ("ops", "POST", "/ops/relay", ""),
        ("phonenumbers", "holidays", "smtplib", "xml", "shared.google", "shared.threecx"),
    ),
}


def under(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in packages)


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_imports_only_what_it_needs(target):
    (folder, *call), forbidden = TARGETS[target]
    others = tuple(f"functions.{each}" for each in FOLDERS if each != folder)
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "REDIS_URL": "redis://127.0.0.1:1"}
    arguments = [target, f"functions/{folder}/main.py", *call]
    ran = subprocess.run(
        [sys.executable, "-c", FIRST, *arguments],
        cwd=ROOT,
        env=env,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    status, at_start, in_all = json.loads(ran.stdout)
    assert status in {200, 422, 502, 503}
    assert f"functions.{folder}" in at_start
    assert [name for name in in_all if under(name, NOWHERE + others + forbidden)] == []


@pytest.mark.parametrize("target", ["vmh_webhooks", "advoware_proxy", "leads"])
def test_the_store_is_loaded_with_the_first_call_that_needs_it(target):
    folder = TARGETS[target][0][0]
    code = f"import sys; import functions.{folder}.main; print('redis' in sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.stdout == "False\n", ran.stderr
