"""Pure: which appointment and which event belong together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from functions.calendar_sync.bases import Bases
from functions.calendar_sync.identity import OwnIds, is_derived
from functions.calendar_sync.link import Link
from functions.calendar_sync.plan import Absence, Ours, Pair, Theirs
from shared.domain.appointment import Canonical
from shared.mapping import google_event, termin


@dataclass(frozen=True)
class Reader:
    """Reads rows and events into what the planner compares."""

    ids: OwnIds
    all_day_field: str = "dauertermin"

    def ours(self, row: Mapping[str, Any], *, listed: bool = True) -> Ours:
        """Read a row; raises UnusableTerminError."""
        appointment = termin.to_appointment(row, self.all_day_field)
        fr_nr = str(row.get("frNr") or "0")
        return Ours(
            fr_nr,
            row,
            appointment,
            appointment.canonical(),
            termin.marker_of(str(row.get("notiz") or "")),
            is_derived(fr_nr) or termin.is_for_everybody(row),
            termin.changed_at(row),
            listed,
        )

    def theirs(self, event: Mapping[str, Any]) -> Theirs:
        """Read an event; a tombstone or an unreadable event has no appointment."""
        link = Link.of(event)
        own = self.ids.read(str(event["id"]))
        fr_nr, generation = own if own else (link.fr_nr, None)
        try:
            appointment = google_event.to_appointment(event)
        except google_event.UnusableEventError:
            return Theirs(event, link, fr_nr, generation)
        return Theirs(event, link, fr_nr, generation, appointment, appointment.canonical())


@dataclass(frozen=True)
class Sides:
    """What a run has read: usable appointments, numbers of unusable ones, events."""

    ours: Sequence[Ours]
    theirs: Sequence[Theirs]
    unusable: frozenset[str] = frozenset()


def is_exception(event: Mapping[str, Any]) -> bool:
    """Tell whether an event is a single changed occurrence of a series; those are left alone."""
    return "recurringEventId" in event


def pair_up(sides: Sides, bases: Bases, *, complete: bool, markers: bool) -> list[Pair]:
    """Pair what was read; with a complete list of events also name appointments that have none.

    Promises: every living linked event is in exactly one pair; an appointment stands in at most one pair; an
    appointment that an open creation may have made is never taken for a new one.
    """
    by_number = {ours.fr_nr: ours for ours in sides.ours}
    linked: dict[str, list[Theirs]] = defaultdict(list)
    intents: list[Theirs] = []
    fresh: list[Theirs] = []
    for theirs in sides.theirs:
        if theirs.fr_nr:
            if complete or theirs.link.deleted != "d":  # a delta may show our clean-up without the event we kept
                linked[theirs.fr_nr].append(theirs)
        elif theirs.link.intent is not None:
            intents.append(theirs)
        elif not theirs.cancelled:
            fresh.append(theirs)
    pairs = [_linked_pair(fr_nr, group, by_number, sides.unusable) for fr_nr, group in linked.items()]
    free = {fr_nr: ours for fr_nr, ours in by_number.items() if fr_nr not in linked}
    pairs += _intent_pairs(intents, free, bases, markers)
    if not complete:
        return pairs + [Pair(None, theirs) for theirs in fresh]
    return pairs + _free_pairs(free, fresh, intents, bases)


def _linked_pair(fr_nr: str, group: Sequence[Theirs], by_number: Mapping[str, Ours], unusable: frozenset[str]) -> Pair:
    main, *rest = sorted(group, key=_precedence)
    ours = by_number.get(fr_nr)
    absence = Absence.UNUSABLE if fr_nr in unusable else Absence.NOT_LISTED
    twice = tuple(other for other in rest if not other.cancelled)
    return Pair(ours, main, Absence.NEVER if ours else absence, twice)


def _precedence(theirs: Theirs) -> tuple[bool, bool, bool, int, str]:
    """Order events of one number: living before dead, not our own clean-up, born in Google, lowest generation.

    Among the dead the newest generation tells what happened last.
    """
    generation = -1 if theirs.generation is None else theirs.generation
    return (
        theirs.cancelled,
        theirs.link.deleted == "d",
        False if theirs.cancelled else theirs.generation is not None,
        -generation if theirs.cancelled else generation,
        theirs.id,
    )


def _intent_pairs(intents: Iterable[Theirs], free: dict[str, Ours], bases: Bases, markers: bool) -> list[Pair]:
    """Give each open intent the appointment that its POST made; several copies: the lowest number."""
    by_marker: dict[str, list[Ours]] = defaultdict(list)
    for ours in free.values():
        if ours.marker:
            by_marker[ours.marker].append(ours)
    pairs = []
    for theirs in sorted(intents, key=lambda theirs: theirs.id):
        intent = theirs.link.intent
        found = by_marker.get(intent.token, []) if intent else []
        if not found and intent and intent.is_known_by_content(markers):
            found = [ours for ours in free.values() if could_be_made_by(theirs, ours, bases)]
        made = min((ours for ours in found if ours.fr_nr in free), key=lambda ours: ours.number, default=None)
        if made is not None:
            del free[made.fr_nr]
        pairs.append(Pair(made, theirs))
    return pairs


def could_be_made_by(theirs: Theirs, ours: Ours, bases: Bases) -> bool:
    """Tell whether an unmarked appointment has the content of an open intent and came after it.

    A refused creation made nothing, and what was deleted meanwhile is undone by its marker only.
    """
    intent = theirs.link.intent
    return (
        intent is not None
        and not intent.refused
        and not theirs.cancelled
        and not ours.marker
        and ours.number > intent.max_fr
        and bases.changed(intent.sealed, ours.canonical) == frozenset()
    )


def _free_pairs(
    free: Mapping[str, Ours], fresh: Sequence[Theirs], intents: Sequence[Theirs], bases: Bases
) -> list[Pair]:
    """Pair exact twins where there is exactly one on each side (row 18); everything else stands alone."""
    ours_by: dict[tuple[str, ...], list[Ours]] = defaultdict(list)
    theirs_by: dict[tuple[str, ...], list[Theirs]] = defaultdict(list)
    reserved = {ours.fr_nr for ours in free.values() for theirs in intents if could_be_made_by(theirs, ours, bases)}
    for ours in free.values():
        ours_by[_key(ours.canonical)].append(ours)
    for theirs in fresh:
        if theirs.canonical:
            theirs_by[_key(theirs.canonical)].append(theirs)
    twins = {
        ours_by[key][0].fr_nr: group[0]
        for key, group in theirs_by.items()
        if len(group) == 1 and len(ours_by.get(key, ())) == 1
    }
    taken = {theirs.id for number, theirs in twins.items() if number not in reserved}
    pairs = [
        Pair(ours, None, reserved=True) if fr_nr in reserved else Pair(ours, twins.get(fr_nr), twin=fr_nr in twins)
        for fr_nr, ours in free.items()
    ]
    return pairs + [Pair(None, theirs) for theirs in fresh if theirs.id not in taken]


def _key(canonical: Canonical) -> tuple[str, ...]:
    return tuple(canonical.values())


def needs_confirmation(pair: Pair, bases: Bases, window: tuple[datetime, datetime]) -> bool:
    """Tell whether Advoware must be asked for this one number before anything is concluded from its absence.

    A tombstone without an appointment needs nothing. Beyond the window absence says nothing, so only an
    event that changed there is asked for; before the window events are frozen.
    """
    theirs = pair.theirs
    if pair.absence is not Absence.NOT_LISTED or theirs is None or theirs.cancelled or theirs.appointment is None:
        return False
    if theirs.appointment.is_over(window[0]):
        return False
    if theirs.appointment.start < window[1]:
        return True
    return bool(bases.changed(theirs.link.base_g, theirs.canonical))


def is_fresh_deletion(pair: Pair, settled: Collection[str], window: tuple[datetime, datetime]) -> bool:
    """Tell whether a person deleted an event since the last clean run, and the list does not show its appointment.

    The list may be too short; what counts as dealt with must not rest on it.
    """
    theirs = pair.theirs
    if pair.absence is not Absence.NOT_LISTED or theirs is None or not theirs.cancelled or not theirs.fr_nr:
        return False
    done = theirs.link.deleted or theirs.id in settled or is_derived(theirs.fr_nr)
    return not done and not (theirs.appointment and theirs.appointment.is_over(window[0]))
