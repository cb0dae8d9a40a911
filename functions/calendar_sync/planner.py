"""Pure: the decision table (calendar-sync 4.3), row by row.

Promises: a second plan after applying the first is empty; the order of what was read does not matter; nobody
else's entries are touched; nothing is deleted because it is absent from a list; the placeholder title and the
texts of an anonymous event never become a change of Advoware; an edit in Advoware beats a deletion in Google,
a deletion in Advoware beats an edit in Google.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from functions.calendar_sync.bases import Bases
from functions.calendar_sync.link import Mode
from functions.calendar_sync.merge import merge
from functions.calendar_sync.plan import (
    Absence,
    Adopt,
    Anonymise,
    Cancel,
    Create,
    Delete,
    Insert,
    Leave,
    Ours,
    Pair,
    Restore,
    Step,
    Theirs,
)
from shared.mapping.text import is_placeholder


@dataclass(frozen=True)
class Rules:
    """What a decision may depend on besides the pair itself; `read_at` is when Advoware was read."""

    bases: Bases
    mode: Mode
    placeholders: tuple[str, ...]
    window: tuple[datetime, datetime]
    read_at: float
    grace_s: float = 900
    write_enabled: bool = True
    conflict_policy: str = "advoware_wins"
    delete_policy: str = "propagate"
    suspects: frozenset[str] = frozenset()
    settled: frozenset[str] = frozenset()


def decide(pair: Pair, rules: Rules) -> list[Step]:
    """Say what one pair needs."""
    unsure = pair.absence in {Absence.NOT_LISTED, Absence.UNUSABLE}
    return [Cancel(other, "d") for other in pair.twice if not unsure] + _main(pair, rules)


def _main(pair: Pair, rules: Rules) -> list[Step]:
    match pair.ours, pair.theirs:
        case Ours() as ours, None:
            return _new_in_advoware(ours, pair, rules)
        case Ours() as ours, Theirs() as theirs if pair.twin:
            return [] if ours.appointment.lies_outside(rules.window) else [Adopt(ours, theirs, twin=True)]
        case Ours() as ours, Theirs() as theirs if theirs.link.intent is not None and not theirs.fr_nr:
            return _made(ours, theirs, rules)
        case Ours() as ours, Theirs() as theirs if theirs.cancelled:
            return _deleted_in_google(ours, theirs, rules)
        case Ours() as ours, Theirs() as theirs if pair.absence is Absence.MOVED:
            return _moved(ours, theirs, rules)
        case Ours() as ours, Theirs() as theirs:
            return _both(ours, theirs, rules)
        case None, Theirs() as theirs:
            return _without_ours(theirs, pair.absence, rules)
    return []


def _new_in_advoware(ours: Ours, pair: Pair, rules: Rules) -> list[Step]:
    """Decide row 7; Advoware's list may show what touches the window without lying in it."""
    if pair.reserved:
        return [Leave("reserved", clean=False)]
    return [] if ours.appointment.lies_outside(rules.window) else [Insert(ours)]


def _both(ours: Ours, theirs: Theirs, rules: Rules) -> list[Step]:
    """Decide rows 1–6; one that Advoware has but did not list leaves the run unclean (row 16)."""
    if theirs.appointment is None:
        return [Leave("unreadable event")]
    steps: list[Step] = []
    if not ours.listed and theirs.appointment.start < rules.window[1]:
        steps.append(Leave("not listed", clean=False, count=False))
    step = merge(ours, theirs, rules)
    return [*steps, step] if step else steps


def _moved(ours: Ours, theirs: Theirs, rules: Rules) -> list[Step]:
    """Decide row 16 for another employee's appointment: what was edited here reaches Advoware before it goes."""
    leave = Leave("moved", clean=False, count=False)
    step = merge(ours, theirs, rules)
    return [leave, step if step and step.to_advoware else Cancel(theirs, "m")]


def _without_ours(theirs: Theirs, absence: Absence, rules: Rules) -> list[Step]:
    if theirs.link.intent is not None and not theirs.fr_nr:
        return _open_intent(theirs, rules)
    if theirs.cancelled:
        return []  # row 15
    if theirs.fr_nr:
        return _linked_without_ours(theirs, absence, rules)
    return _born_in_google(theirs, rules)


def _linked_without_ours(theirs: Theirs, absence: Absence, rules: Rules) -> list[Step]:
    match absence:
        case Absence.GONE:
            changed = theirs.appointment and rules.bases.changed(theirs.link.base_g, theirs.canonical)
            return [Cancel(theirs, "a", conflict=bool(changed))]  # rows 13 and 14
        case Absence.MOVED:
            return [Leave("moved", clean=False, count=False), Cancel(theirs, "m")]  # row 16
        case Absence.UNUSABLE:
            return [Leave("unusable row"), *_hidden(theirs, rules)]
    return _hidden(theirs, rules)


def _hidden(theirs: Theirs, rules: Rules) -> list[Step]:
    """Hide the texts of an event that is not compared with its appointment in this run (4.7)."""
    if rules.mode != "a" or theirs.link.mode != "f" or theirs.appointment is None:
        return []
    edited = rules.bases.changed(theirs.link.base_g, theirs.canonical)  # not known to Advoware yet, so not hidden yet
    return [Anonymise(theirs)] if _is_outside(theirs, rules) or edited == frozenset() else []


def _is_outside(theirs: Theirs, rules: Rules) -> bool:
    """Tell whether an event lies before or beyond the window."""
    return theirs.appointment is not None and theirs.appointment.lies_outside(rules.window)


def _born_in_google(theirs: Theirs, rules: Rules) -> list[Step]:
    """Decide row 17; what cannot or must not be written to Advoware stays in Google only."""
    if theirs.appointment is None:
        return [Leave("unreadable event")]
    if _is_outside(theirs, rules) or not rules.write_enabled:
        return []
    if is_placeholder(theirs.appointment.text, rules.placeholders):
        return [Leave("placeholder without link")]
    if not theirs.appointment.expressible:
        return [Leave("series that Advoware cannot hold")]
    return [Create(theirs)]


def _open_intent(theirs: Theirs, rules: Rules) -> list[Step]:
    """Decide rows 19–21 where no appointment carries the marker."""
    intent = theirs.link.intent
    if intent is None:
        return []
    young = rules.read_at - intent.at <= rules.grace_s
    if theirs.cancelled:
        return [Leave("deleted with an open creation", clean=False, count=False)] if young else []
    if intent.refused:
        edited = theirs.appointment and rules.bases.changed(intent.sealed, theirs.canonical)
        return [Leave("refused by Advoware")] if young and not edited else _born_in_google(theirs, rules)
    if young:
        return [Leave("creation with unknown outcome", clean=False)]
    again = _born_in_google(theirs, rules)
    return [replace(step, search_first=True) if isinstance(step, Create) else step for step in again]


def _made(ours: Ours, theirs: Theirs, rules: Rules) -> list[Step]:
    """Decide what to do with an appointment that an open creation made: link it, or undo it (rows 20, 21)."""
    intent = theirs.link.intent
    if not theirs.cancelled:
        return [Adopt(ours, theirs)]
    if intent is not None and rules.read_at - intent.at <= rules.grace_s:
        return [Leave("deleted with an open creation", clean=False, count=False)]
    as_posted = intent is not None and rules.bases.changed(intent.sealed, ours.canonical) == frozenset()
    if as_posted and rules.write_enabled:
        return [Delete(ours, theirs, orphan=True)]
    return [Insert(ours)]  # edited since, or a copy that took the marker along: somebody wants it


def _deleted_in_google(ours: Ours, theirs: Theirs, rules: Rules) -> list[Step]:
    """Decide rows 9–12 and 24."""
    if theirs.link.deleted:
        return [Restore(ours, theirs)]  # row 12
    if ours.one_way:
        return []  # row 24: it stays deleted
    if theirs.id in rules.settled or not rules.write_enabled:
        return [Restore(ours, theirs)]  # dealt with before: the appointment came back since
    changed = rules.bases.changed(theirs.link.base_a, ours.canonical)
    if changed:  # what equals the deleted event came from there, and its base was not written any more
        changed = frozenset(name for name in changed if theirs.canonical.get(name) != ours.canonical[name])
    restoring = rules.delete_policy == "restore" and theirs.link.origin != "g"
    if restoring or changed:
        return [Restore(ours, theirs)]  # row 11
    if changed is None and theirs.id not in rules.suspects:
        return [Leave("tombstone without properties", clean=False, suspect=theirs.id)]  # row 10, first sight
    return [Delete(ours, theirs)]  # row 9
