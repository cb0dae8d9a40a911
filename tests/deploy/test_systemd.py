"""The units are what systemd understands, and every way of scheduling calls the same paths at the same times."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from conftest_tools import tool
from sam import events, functions

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "deploy" / "systemd"
sys.path.insert(0, str(ROOT / "deploy" / "image"))

import scheduler  # noqa: E402

BERLIN = ZoneInfo("Europe/Berlin")
WANTED = sorted((call.path, call.at or str(call.minutes)) for call in scheduler.CALLS)
CALENDAR = {"hourly": "60", "minutely": "1", "*:0/15": "15", "*:0/10": "10"}
CRON = {"*/15 * * * *": "15", "*/10 * * * *": "10", "0 * * * *": "60", "* * * * *": "1"}
RATE = {"rate(1 minute)": "1", "rate(10 minutes)": "10", "rate(15 minutes)": "15", "rate(1 hour)": "60"}


def values(path: Path, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)


def path_of(unit: str) -> str:
    escaped = re.fullmatch(r"bitbylaw-call@(.*)\.service", unit)[1]
    return "/" + re.sub(r"\\x(..)", lambda found: chr(int(found[1], 16)), escaped.replace("-", "/"))


def test_systemd_finds_nothing_to_complain_about(tmp_path):
    analyze = tool("systemd-analyze")
    shutil.copytree(UNITS, tmp_path, dirs_exist_ok=True)
    for unit in tmp_path.glob("*.service"):
        unit.write_text(re.sub(r"/opt/bitbylaw/(\.venv/bin/\w+|deploy/systemd/call)", "/bin/true", unit.read_text()))
    units = [str(each) for pattern in ("*.service", "*.timer") for each in tmp_path.glob(pattern)]
    found = subprocess.run([analyze, "verify", "--man=no", *units], capture_output=True, text=True, check=False)
    lines = [line for line in found.stderr.splitlines() if "bitbylaw" in line]
    assert (found.returncode, lines) == (0, [])


@pytest.mark.parametrize("unit", sorted(UNITS.glob("*.timer")), ids=lambda unit: unit.name)
def test_every_time_of_a_timer_has_a_next_one(unit):
    for expression in values(unit, "OnCalendar"):
        subprocess.run([tool("systemd-analyze"), "calendar", expression], check=True, capture_output=True)


def test_timers_cron_scheduler_and_aws_agree_on_paths_and_times():
    timers = []
    for unit in UNITS.glob("*.timer"):
        (expression,), (called,) = values(unit, "OnCalendar"), values(unit, "Unit")
        daily = re.fullmatch(r"\*-\*-\* (\d\d:\d\d):00 Europe/Berlin", expression)
        timers.append((path_of(called), daily[1] if daily else CALENDAR[expression]))
    assert sorted(timers) == WANTED
    cron = []
    for line in (UNITS / "bitbylaw.cron").read_text().splitlines():
        if found := re.match(r"(\S+ \S+ \S+ \S+ \S+) +bitbylaw +\S+/call \"?([^\"]+)\"?$", line):
            minute, hour = found[1].split()[:2]
            daily = f"{int(hour):02}:{int(minute):02}" if hour.isdigit() else ""
            cron.append((found[2], daily or CRON[found[1]]))
    assert sorted(cron) == WANTED
    aws = []
    for each in functions().values():
        for event in events(each):
            if event["Type"] == "ScheduleV2":
                expression = event["Properties"]["ScheduleExpression"]
                daily = re.fullmatch(r"cron\((\d+) (\d+) \* \* \? \*\)", expression)
                time = f"{int(daily[2]):02}:{int(daily[1]):02}" if daily else RATE[expression]
                aws.append((json.loads(event["Properties"]["Input"])["path"], time))
    assert sorted(aws) == WANTED


@pytest.mark.parametrize("unit", ["bitbylaw-app", "bitbylaw-worker"])
def test_the_long_running_units_are_confined_and_get_thirty_seconds_to_end(unit):
    text = (UNITS / f"{unit}.service.d" / "10-hardening.conf").read_text()
    for line in (
        "User=bitbylaw", "TimeoutStopSec=30", "NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=",
        "Restart=on-failure", "PrivateTmp=yes",
    ):  # fmt: skip
        assert line in text.splitlines()


@pytest.mark.parametrize("unit", ["bitbylaw-app", "bitbylaw-worker"])
def test_the_long_running_units_keep_one_arena_as_the_image_does(unit):
    assert "MALLOC_ARENA_MAX=1" in " ".join(values(UNITS / f"{unit}.service", "Environment"))
    assert re.search(r"^ENV .*MALLOC_ARENA_MAX=1", (ROOT / "Dockerfile").read_text(), re.MULTILINE)


def test_no_secret_stands_on_a_command_line():
    for path in [*UNITS.glob("*.service"), UNITS / "bitbylaw.cron"]:
        for line in path.read_text().splitlines():
            if line.startswith("ExecStart") or "/call " in line:
                assert not re.search(r"secret|token|password", line, re.IGNORECASE), path.name


@pytest.mark.parametrize(
    ("call", "now", "due"),
    [
        (scheduler.Call("/x", minutes=15), "2026-03-01T10:07:30", "2026-03-01T10:15:00"),
        (scheduler.Call("/x", minutes=60), "2026-03-01T23:59:59", "2026-03-02T00:00:00"),
        (scheduler.Call("/x", minutes=1), "2026-03-01T10:07:00", "2026-03-01T10:08:00"),
        (scheduler.Call("/x", at="05:00"), "2026-03-01T04:59:59", "2026-03-01T05:00:00"),
        (scheduler.Call("/x", at="05:00"), "2026-03-01T05:00:00", "2026-03-02T05:00:00"),
        (scheduler.Call("/x", at="05:00"), "2026-03-28T12:00:00", "2026-03-29T05:00:00"),  # the clock moves at night
        (scheduler.Call("/x", at="02:30"), "2026-10-24T12:00:00", "2026-10-25T02:30:00"),
    ],
)
def test_a_call_is_due_by_berlins_clock(call, now, due):
    given = datetime.fromisoformat(now).replace(tzinfo=BERLIN)
    assert scheduler.due_after(call, given) == datetime.fromisoformat(due).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(("now", "hours"), [("2026-03-28T05:00:00", 23), ("2026-10-24T05:00:00", 25)])
def test_the_night_of_a_clock_change_is_waited_for_in_real_hours(now, hours):
    given = datetime.fromisoformat(now).replace(tzinfo=BERLIN)
    assert scheduler.wait_s(scheduler.Call("/x", at="05:00"), given) == hours * 3600
