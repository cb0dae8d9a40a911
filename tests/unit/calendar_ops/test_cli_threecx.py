"""`bitbylaw threecx register`: the webhook where there are webhooks, the steps by hand where there are none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def register(**env: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [sys.executable, "-m", "functions.cli", "threecx", "register"]
    return subprocess.run(command, cwd=ROOT, env=kept | env, capture_output=True, text=True, timeout=60, check=False)


def test_a_v20_gets_its_steps_by_hand():
    told = register(THREECX_PROVIDER="v20", PUBLIC_BASE_URL="https://api.example")
    assert told.returncode == 0, told.stderr
    assert "https://api.example" in told.stdout
    assert "bitbylaw-crm.xml" in told.stdout


def test_without_a_public_address_it_says_what_is_missing_in_one_line():
    told = register(THREECX_PROVIDER="v20")
    assert told.returncode != 0
    assert "PUBLIC_BASE_URL" in told.stderr
    assert "Traceback" not in told.stderr
