"""What the composition root lends the console, and the text of a plan as the page shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from functions.ops.words import reason
from shared.errors import IntegrationError

KINDS: Final = {"+": "add", "~": "change", "-": "remove", "!": "held", "=": "quiet"}


@dataclass
class Lent:
    """What only the whole process knows: the calendar sync, which can plan, and every part's settings."""

    plan_text: Callable[[str], str] | None = None
    missing: Callable[[], list[str]] = list

    def plan_of(self, kuerzel: str) -> tuple[str, str]:
        """Plan now and give the text; where that does not work, an empty one and why."""
        if self.plan_text is None:
            return "", "Diese Funktion läuft allein und kann selbst nicht planen."
        try:
            return self.plan_text(kuerzel), ""
        except IntegrationError as error:
            return "", reason(error.slug) or f"{error.title} [{error.slug}]"


def lines_of(text: str) -> Iterator[tuple[str, str]]:
    """Give each line with its kind; a line that goes on keeps the kind of the one before."""
    kind = "title"
    for line in text.splitlines():
        if not line.startswith("    "):
            kind = KINDS.get(line.strip()[:1], "title" if kind == "title" else "note")
        yield kind, line


def shows_deletions(text: str, mark: str) -> bool:
    """Tell whether a plan lists what the hold of this hash would delete; of a list too short to believe it cannot."""
    listed = False
    for kind, line in lines_of(text):
        if kind == "held":
            listed = False
        elif kind == "remove" and line.startswith("  "):
            listed = True
        elif line.endswith(f" {mark}"):
            return listed
    return False
