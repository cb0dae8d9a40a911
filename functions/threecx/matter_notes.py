"""Optional: note in EspoCRM beside whom a call belongs to which matters of Advoware are running (THREECX_MATTER_NOTES).

Advoware's own interface has no place for such a note, so it stands in the stream of the contact or firm, once for
each call that was taken, found again by the line that names the call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functions.threecx.call import Call, Group
from functions.threecx.description import ID_LINE
from functions.threecx.matching import Hit
from shared.espocrm.client import EspoCrmClient
from shared.office_hours import BERLIN

Matters = Callable[[Hit, Mapping[str, Any]], Sequence[Mapping[str, Any]]]
WITH_MATTERS = frozenset({"Contact", "Account"})


@dataclass(frozen=True)
class MatterNotes:
    """Writes notes."""

    espocrm: EspoCrmClient
    matters: Matters

    def write(self, group: Group, parent: Hit | None) -> None:
        """Note a call at whom it belongs to, unless it stands there or no matter is running."""
        if parent is None or parent.type not in WITH_MATTERS or not group.call.answered:
            return
        record = self.espocrm.read(parent.type, parent.id) or {}
        running = [row for row in self.matters(parent, record) if row.get("status") == "laufend"]
        if running and not self._is_there(group, parent):
            post = "\n".join([_when(group.call), *map(_matter, running), ID_LINE + group.keys[0]])
            self.espocrm.create(
                "Note", {"type": "Post", "parentType": parent.type, "parentId": parent.id, "post": post}
            )

    def _is_there(self, group: Group, parent: Hit) -> bool:
        named = [{"type": "contains", "attribute": "post", "value": ID_LINE + key} for key in group.keys]
        where: list[dict[str, Any]] = [
            {"type": "equals", "attribute": "parentType", "value": parent.type},
            {"type": "equals", "attribute": "parentId", "value": parent.id},
            {"type": "or", "value": named},
        ]
        return bool(self.espocrm.find("Note", where, select=("post",), limit=1))


def _when(call: Call) -> str:
    start, end = call.start.astimezone(BERLIN), (call.end or call.last).astimezone(BERLIN)
    word = "Eingehendes" if call.direction == "inbound" else "Ausgehendes"
    return f"{word} Telefonat am {start:%d.%m.%Y}, {start:%H:%M} bis {end:%H:%M} Uhr"


def _matter(row: Mapping[str, Any]) -> str:
    more = [str(row.get(name) or "") for name in ("kurzrubrum", "sachbearbeiter")]
    return f"Akte {row.get('aktenNr')}: {', '.join(filter(None, more))}"
