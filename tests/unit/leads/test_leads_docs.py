"""The page about leads names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_each_test_that_the_page_names_is_there():
    page = (ROOT / "docs" / "leads.md").read_text()
    files = {each.name: each.read_text() for each in (ROOT / "tests").rglob("test_*.py")}
    defined = set(re.findall(r"^def (test_\w+)", "\n".join(files.values()), re.MULTILINE))
    named = set(re.findall(r"`(test_\w+)`", page))
    assert len(named) > 25
    assert named - defined == set()
    assert set(re.findall(r"(test_\w+\.py)`", page)) - files.keys() == set()
