"""The text of a plan: who can make it, and its lines as the page colours them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from functions.ops.words import reason
from shared.errors import IntegrationError

KINDS: Final = {"+": "add", "~": "change", "-": "remove", "!": "held", "=": "quiet"}


@dataclass
class Plans:
    """Only the calendar sync can make plans; the composition root says who does, alone nobody does."""

    source: Callable[[str], str] | None = None

    def text_of(self, kuerzel: str) -> tuple[str, str]:
        """Plan now and give the text; where that does not work, an empty one and why."""
        if self.source is None:
            return "", "Diese Funktion läuft allein und kann selbst nicht planen."
        try:
            return self.source(kuerzel), ""
        except IntegrationError as error:
            return "", reason(error.slug) or f"{error.title} [{error.slug}]"


def lines_of(text: str) -> Iterator[tuple[str, str]]:
    """Give each line with its kind; a line that goes on keeps the kind of the one before."""
    kind = "title"
    for line in text.splitlines():
        if not line.startswith("    "):
            kind = KINDS.get(line.strip()[:1], "title" if kind == "title" else "note")
        yield kind, line
