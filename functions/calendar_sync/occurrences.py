"""Changed occurrences of a series are left alone, except that in anonymous mode they must not show texts (4.7, 4.8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from functions.calendar_sync.plan import Theirs
from shared.mapping.google_event import anonymised

if TYPE_CHECKING:
    from functions.calendar_sync.run import Run


def showing(exceptions: Sequence[Mapping[str, Any]], masters: Sequence[Theirs], run: Run) -> list[Theirs]:
    """Find the occurrences of our own series that show a text although the run is anonymous."""
    if run.rules.mode != "a":
        return []
    listed = frozenset(master.id for master in masters if master.fr_nr and not master.cancelled)
    living = [event for event in exceptions if event.get("status") != "cancelled" and _is_ours(event, listed, run)]
    found = [run.reader.theirs(event) for event in living]
    return [theirs for theirs in found if _shows_text(theirs, run.rules.placeholders[0])]


def _is_ours(event: Mapping[str, Any], listed: frozenset[str], run: Run) -> bool:
    """Tell whether the series is linked: listed as such, or by its id or the link that occurrences inherit."""
    master = str(event.get("recurringEventId", ""))
    private = (event.get("extendedProperties") or {}).get("private") or {}
    inherited = private.get("adv_id") == master and bool(private.get("adv_fr"))
    return master in listed or inherited or run.reader.ids.read(master) is not None


def _shows_text(theirs: Theirs, placeholder: str) -> bool:
    if theirs.appointment is None:
        return False
    hidden = anonymised(theirs.appointment, placeholder).canonical()
    return hidden != theirs.canonical or theirs.event.get("visibility") != "private"
