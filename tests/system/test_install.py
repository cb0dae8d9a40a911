"""The environment is made from a lock file whose every hash is checked."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
METADATA = "Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
RECORD = "toy.py,,\ntoy-1.0.dist-info/METADATA,,\ntoy-1.0.dist-info/WHEEL,,\ntoy-1.0.dist-info/RECORD,,\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in miniature: the Makefile, and a lock file that names one package of a local index."""
    files = {"toy.py": "", "METADATA": METADATA, "WHEEL": WHEEL, "RECORD": RECORD}
    (tmp_path / "index").mkdir()
    with zipfile.ZipFile(tmp_path / "index" / "toy-1.0-py3-none-any.whl", "w") as wheel:
        for name, content in files.items():
            wheel.writestr(name if name == "toy.py" else f"toy-1.0.dist-info/{name}", content)
    digest = hashlib.sha256((tmp_path / "index" / "toy-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    (tmp_path / "requirements.lock").write_text(f"toy==1.0 \\\n    --hash=sha256:{digest}\n")
    (tmp_path / "pyproject.toml").write_text("")
    shutil.copy(ROOT / "Makefile", tmp_path)
    return tmp_path


def make(checkout: Path) -> subprocess.CompletedProcess[str]:
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(checkout),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(checkout / "index"),
    }
    command = ["make", ".venv/.base"]
    return subprocess.run(command, cwd=checkout, env=env, capture_output=True, text=True, timeout=100, check=False)


def installed(checkout: Path) -> bool:
    return any((checkout / ".venv").rglob("toy.py"))


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_the_right_hash_is_installed_and_a_tampered_one_is_not(checkout):
    lock = checkout / "requirements.lock"
    right = lock.read_text()
    lock.write_text(right.replace("sha256:" + right.partition("sha256:")[2][:4], "sha256:0000"))
    tampered = make(checkout)
    assert tampered.returncode != 0
    assert "DO NOT MATCH" in tampered.stdout + tampered.stderr
    assert not installed(checkout)
    lock.write_text(right)
    make(checkout)  # goes on to the project itself, which this checkout does not have
    assert installed(checkout)


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_every_line_of_a_lock_file_is_pinned_and_hashed(name):
    text = (ROOT / name).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert len(lines) > 50
    assert [line for line in lines if not re.match(r"\S+==\S+", line) or "--hash=sha256:" not in line] == []
    assert "://" not in text
