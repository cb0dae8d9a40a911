"""Pure: the brake on mass deletions (contract section 4, calendar-sync 4.6)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from functions.calendar_sync.plan import Absence, Cancel, Delete, Hold, Pair

Deletion = Cancel | Delete
Direction = Literal["to_google", "to_advoware"]
FEW = 5
_KINDS: dict[Direction, type[Cancel] | type[Delete]] = {"to_google": Cancel, "to_advoware": Delete}


@dataclass(frozen=True)
class Limits:
    """How many deletions of one direction need no person."""

    share: float = 0.1
    number: int = 20

    def allow(self, count: int, linked: int) -> bool:
        """Tell whether so many deletions among so many linked pairs may go on."""
        return count <= max(self.share * linked, self.number)


def linked_count(pairs: Sequence[Pair]) -> int:
    """Count the pairs that were linked before this run, those with a fresh deletion included."""
    return sum(
        1
        for pair in pairs
        if pair.theirs is not None
        and pair.theirs.fr_nr
        and (not pair.theirs.cancelled or (pair.ours is not None and not pair.theirs.link.deleted))
    )


def is_short(listed: int, linked: int) -> bool:
    """Tell whether Advoware's list is too short to believe: empty, or below half of what is linked."""
    return linked >= FEW and listed * 2 < linked


def hold_all(kuerzel: str, missing: Sequence[Pair]) -> Hold:
    """Hold everything that a list too short to believe does not show."""
    names = [pair.theirs.fr_nr + "/" + pair.theirs.id for pair in missing if pair.theirs]
    return Hold("to_google", len(names), _hash(kuerzel, "to_google", names))


def guard(
    deletions: Sequence[Deletion], linked: int, limits: Limits, kuerzel: str, released: frozenset[str]
) -> tuple[list[Deletion], list[Hold]]:
    """Split deletions into those that may be done and the holds of the others, direction by direction."""
    allowed: list[Deletion] = []
    holds: list[Hold] = []
    for direction, some, mark in _by_direction(deletions, kuerzel):
        if limits.allow(len(some), linked) or mark in released:
            allowed += some
        else:
            holds.append(Hold(direction, len(some), mark))
    return allowed, holds


def marks(deletions: Sequence[Deletion], kuerzel: str) -> list[str]:
    """Give the hashes under which exactly these deletions would be held, one for each direction that has some."""
    return [mark for _, some, mark in _by_direction(deletions, kuerzel) if some]


def _by_direction(deletions: Sequence[Deletion], kuerzel: str) -> Iterator[tuple[Direction, list[Deletion], str]]:
    for direction, kind in _KINDS.items():
        some = [deletion for deletion in deletions if isinstance(deletion, kind)]
        yield direction, some, _hash(kuerzel, direction, [_name(deletion) for deletion in some])


def _name(deletion: Deletion) -> str:
    number = deletion.ours.fr_nr if isinstance(deletion, Delete) else deletion.theirs.fr_nr
    return f"{number}/{deletion.theirs.id}"


def _hash(kuerzel: str, direction: str, names: Sequence[str]) -> str:
    text = "\n".join([kuerzel, direction, *sorted(names)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def unlisted(pairs: Sequence[Pair]) -> list[Pair]:
    """Name the linked pairs whose appointment the list does not show."""
    return [pair for pair in pairs if pair.absence is Absence.NOT_LISTED]
