"""The Terraform for Google Cloud names every target, topic and schedule, and is formatted as Terraform reads it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from functions import aws
from shared.events import topics

ROOT = Path(__file__).parents[2]
MAIN = ROOT / "deploy" / "gcp" / "main.tf"
sys.path.insert(0, str(ROOT / "deploy" / "image"))

import scheduler  # noqa: E402

CRON = {"*/15 * * * *": "15", "*/10 * * * *": "10", "0 * * * *": "60", "* * * * *": "1"}


def block(name: str) -> str:
    return re.search(rf"^  {name}\s*= \{{\n(.*?)^  \}}", MAIN.read_text(), re.MULTILINE | re.DOTALL)[1]


def names(name: str) -> set[str]:
    return set(re.findall(r'^    "?([\w.-]+)"?\s*=', block(name), re.MULTILINE))


def test_terraform_reads_and_formats_it_the_same():
    terraform = shutil.which("terraform")
    if terraform is None:
        pytest.skip("terraform comes from no package index that CI has")
    subprocess.run([terraform, "fmt", "-check", str(MAIN.parent)], check=True, capture_output=True)


def test_every_target_and_topic_is_there():
    assert names("http") == set(aws.HTTP)
    assert names("subscribers") == set(aws.SUBSCRIBERS)
    assert names("topics") == set(topics.TOPICS)


def test_the_schedule_is_that_of_the_other_ways():
    rows = re.findall(r'path = "([^"]+)", when = "([^"]+)"', block("schedules"))
    found = []
    for path, when in rows:
        minute, hour = when.split()[:2]
        found.append((path, f"{int(hour):02}:{int(minute):02}" if hour.isdigit() else CRON[when]))
    assert sorted(found) == sorted((call.path, call.at or str(call.minutes)) for call in scheduler.CALLS)


def test_a_push_proves_itself_is_acknowledged_in_time_and_ends_somewhere():
    text = MAIN.read_text()
    assert "ack_deadline_seconds = 600" in text
    assert re.search(r'CALENDAR_RUN_LIMIT_SECONDS = "540"', text)
    assert text.count("oidc_token {") == 2
    assert "dead_letter_policy {" in text
