"""Read which survivors are known, and why: the lists of docs/mutations.md."""

from __future__ import annotations

import re
from pathlib import Path

_LINE = re.compile(r"- (?P<name>\S+ \S+: `[^`]*` → `[^`]*`)(?:: (?P<reason>.+))?")


def listed(document: str) -> dict[str, str]:
    """Give the reason of each known survivor by its name; one without a reason is not listed."""
    found = [match for line in document.splitlines() if (match := _LINE.fullmatch(line.strip()))]
    return {match["name"]: match["reason"] for match in found if match["reason"]}


def known(root: Path) -> dict[str, str]:
    """Read the document of a tree; without one nothing is known."""
    document = root / "docs" / "mutations.md"
    return listed(document.read_text("utf-8")) if document.exists() else {}
