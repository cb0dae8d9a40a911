"""Read both sides: Advoware first, then Google, incrementally where nothing else can have changed (4.2)."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from functions.calendar_sync.guard import hold_all, is_short, linked_count
from functions.calendar_sync.memory import LastRead
from functions.calendar_sync.occurrences import showing
from functions.calendar_sync.pairing import Sides, is_exception, is_fresh_deletion, needs_confirmation, pair_up
from functions.calendar_sync.plan import Absence, Hold, Ours, Pair, Theirs
from functions.calendar_sync.run import Row, Run, numbers
from shared.errors import UpstreamError
from shared.google.errors import SyncTokenExpiredError
from shared.log import get_log
from shared.mapping import termin

log = get_log(__name__)
SLACK = timedelta(days=1)
MAX_FAILURES_IN_A_ROW = 3
MOST_ASKED = 20


@dataclass(frozen=True)
class Reading:
    """What a run has read and paired; `pairs` is empty when nothing changed since the last clean run."""

    pairs: Sequence[Pair]
    seen: LastRead
    mark: str = ""
    showing: Sequence[Theirs] = ()
    hold: Hold | None = None


@dataclass(frozen=True)
class Known:
    """What earlier runs left behind."""

    last: LastRead | None
    released: frozenset[str] = frozenset()
    sweep: bool = False
    mark: str = ""
    cancelled: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Listed:
    """Events as Google listed them; `fresh` names those that changed since the last clean run, if that is known."""

    items: Sequence[dict[str, Any]] = ()
    token: str | None = None
    fresh: frozenset[str] = frozenset()
    complete: bool = True


def read_both(run: Run, known: Known) -> Reading:
    """Read, pair and confirm; an appointment missing from the list is asked for singly before it counts as gone."""
    rows = run.advoware.appointments(run.kuerzel, *run.rules.window)
    run.max_fr = max(numbers(rows), default=0)
    ours, unusable = _usable(rows, run)
    digest = _digest(rows, ours, run)
    listed = _events(run, known, digest)
    theirs = [run.reader.theirs(event) for event in listed.items if not is_exception(event)]
    run.rules = replace(run.rules, settled=settled(theirs, listed.fresh, known))
    pairs = pair_up(Sides(ours, theirs, unusable), run.rules.bases, complete=listed.complete, markers=run.markers)
    linked = linked_count(pairs) if listed.complete or known.last is None else known.last.linked
    missing = [pair for pair in pairs if needs_confirmation(pair, run.rules.bases, run.rules.window)]
    hold, mark = None, newest(listed.items, known.mark)
    if missing and is_short(len(rows), linked):
        hold = hold_all(run.kuerzel, missing)
    if hold is None or hold.hash in known.released:
        binned = [pair for pair in pairs if is_fresh_deletion(pair, run.rules.settled, run.rules.window)]
        if len(binned) > MOST_ASKED and not known.mark:  # after a flush all of the bin looks fresh
            binned, mark = [], ""  # not asked for, so not dealt with either
        hold, pairs = None, _confirmed(pairs, [*missing, *binned], run)
    doubled = several(theirs) if listed.complete or known.last is None else {*several(theirs), *known.last.several}
    again = refused_until(theirs, run.rules.grace_s) or (0 if listed.complete or not known.last else known.last.again)
    seen = LastRead(listed.token or "", digest, linked, run.rules.mode, tuple(sorted(doubled)), again)
    exceptions = [event for event in listed.items if is_exception(event)]
    return Reading(pairs, seen, mark, showing(exceptions, theirs, run), hold)


def _usable(rows: Sequence[Row], run: Run) -> tuple[list[Ours], frozenset[str]]:
    usable, unusable = [], set()
    for row in rows:
        try:
            usable.append(run.reader.ours(row))
        except termin.UnusableTerminError:
            unusable.add(str(row["frNr"]))
            run.report.skipped += 1
            log.warning("appointment_unusable", fr_nr=str(row["frNr"]))
    return usable, frozenset(unusable)


def _digest(rows: Sequence[Row], ours: Sequence[Ours], run: Run) -> str:
    """Hash everything that a decision may rest on: content, marker and change stamp, mode, key, window, settings."""
    content = {item.fr_nr: run.seal(item.canonical) + (item.marker or "") + str(item.one_way) for item in ours}
    lines = sorted(
        f"{row['frNr']} {content.get(str(row['frNr']), '?')} {row.get('zuletztGeaendertAm')}" for row in rows
    )
    rules = run.rules
    head = [
        rules.mode,
        rules.bases.key_id,
        *(str(moment) for moment in rules.window),
        str(rules.write_enabled),
        rules.delete_policy,
        *rules.placeholders,
    ]
    return hashlib.sha256(json.dumps([head, lines]).encode()).hexdigest()


def _events(run: Run, known: Known, digest: str) -> Listed:
    """List what changed; everything, when Advoware changed as well or something new is among it."""
    if not run.calendar_id:
        return Listed()  # a preview for somebody who has no calendar yet
    last, fresh = known.last, frozenset[str]()
    due = last is not None and 0 < last.again <= run.rules.read_at
    if last is not None and last.token and not known.sweep and not due:
        try:
            delta = run.google.list_events(run.calendar_id, sync_token=last.token, before_page=run.check)
        except SyncTokenExpiredError:
            log.info("sync_token_expired")
        else:
            items = _once_each(delta.items)
            theirs = [run.reader.theirs(event) for event in items if not is_exception(event)]
            fresh = frozenset(item.id for item in theirs)
            alone = not any(_is_new(item) or item.fr_nr in last.several for item in theirs)
            if last.digest == digest and delta.next_sync_token and alone:
                return Listed(items, delta.next_sync_token, fresh, complete=False)
    time_min = None if known.sweep else run.rules.window[0] - SLACK
    full = run.google.list_events(run.calendar_id, time_min=time_min, before_page=run.check)
    return Listed(_once_each(full.items), full.next_sync_token, fresh)


def _once_each(items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keep the newest version of an event that changed while the pages were read and stands on two of them."""
    newest_of: dict[str, dict[str, Any]] = {}
    for item in items:
        known = newest_of.get(item["id"])
        if known is None or str(item.get("updated", "")) >= str(known.get("updated", "")):
            newest_of[item["id"]] = item
    return list(newest_of.values())


def _is_new(theirs: Theirs) -> bool:
    """Tell whether an event needs to be seen beside all others.

    That is one without link, one with an open creation, and a tombstone that does not tell whose it was.
    """
    if theirs.fr_nr:  # a person took one out of the bin that we had put there: does it stand twice now?
        return bool(theirs.link.deleted) and not theirs.cancelled
    return theirs.link.intent is not None or not theirs.cancelled or "start" not in theirs.event


def _confirmed(pairs: Sequence[Pair], missing: Sequence[Pair], run: Run) -> list[Pair]:
    """Ask Advoware for each missing number; one that cannot be answered stays as it is."""
    asked = {id(pair) for pair in missing}
    done: list[Pair] = []
    failures = 0
    for pair in pairs:
        if id(pair) not in asked or pair.theirs is None:
            done.append(pair)
            continue
        try:
            done.append(_ask(pair, pair.theirs, run))
            failures = 0
        except UpstreamError:
            failures += 1
            run.report.fail()
            done.append(pair)
            if failures >= MAX_FAILURES_IN_A_ROW:
                raise
    return done


def _ask(pair: Pair, theirs: Theirs, run: Run) -> Pair:
    row = run.advoware.appointment(theirs.fr_nr)
    if row is None:
        return replace(pair, absence=Absence.GONE)
    moved = not termin.is_for_everybody(row) and str(row.get("anwalt")) != run.kuerzel
    if moved and theirs.cancelled:
        return replace(pair, absence=Absence.MOVED)
    try:
        ours = run.reader.ours(row, listed=False)
    except termin.UnusableTerminError:
        return replace(pair, absence=Absence.MOVED if moved else Absence.UNUSABLE)
    return replace(pair, ours=ours, absence=Absence.MOVED if moved else Absence.NEVER)


def settled(theirs: Sequence[Theirs], fresh: frozenset[str], known: Known) -> frozenset[str]:
    """Name the tombstones that a clean run has dealt with; an appointment beside one of them came back since.

    Without this, somebody's own deletion of an event whose appointment had gone to a colleague would delete the
    appointment when the colleague gives it back.
    """
    return frozenset(
        item.id
        for item in theirs
        if item.cancelled
        and (
            (item.bare and item.id in known.cancelled)
            or (item.id not in fresh and "" < str(item.event.get("updated", "")) <= known.mark)
        )
    )


def newest(events: Sequence[dict[str, Any]], mark: str) -> str:
    """Give Google's own time of the latest change that was read."""
    return max([mark, *(str(event.get("updated", "")) for event in events)])


def several(theirs: Sequence[Theirs]) -> set[str]:
    """Name the appointments that have more than one event, deleted ones included; a delta shows only one of them."""
    counted = Counter(item.fr_nr for item in theirs if item.fr_nr)
    return {fr_nr for fr_nr, count in counted.items() if count > 1}


def refused_until(theirs: Sequence[Theirs], grace_s: float) -> float:
    """Tell when the first refused creation may be tried again; 0 when there is none."""
    refused = [item.link.intent for item in theirs if item.link.intent and not item.fr_nr and not item.cancelled]
    return min((intent.at + grace_s + 1 for intent in refused if intent.refused), default=0)
