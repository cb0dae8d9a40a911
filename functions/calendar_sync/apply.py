"""Carry out steps: every write conditional, every crash between two of them repaired by the next run (4.5)."""

from __future__ import annotations

from typing import Any

from functions.calendar_sync.create import adopt, create
from functions.calendar_sync.link import with_link
from functions.calendar_sync.pairing import is_exception
from functions.calendar_sync.plan import (
    Adopt,
    Anonymise,
    Cancel,
    Create,
    Delete,
    Insert,
    Leave,
    Merge,
    Ours,
    Pair,
    Restore,
    Step,
    Theirs,
)
from functions.calendar_sync.planner import decide
from functions.calendar_sync.run import Run
from functions.calendar_sync.writes import link_of, new_event, put_event, put_row, restored, settle, write_event
from shared.domain.appointment import Appointment
from shared.google.errors import EventExistsError, EventGoneError, EventRefusedError
from shared.log import get_log
from shared.mapping import termin
from shared.mapping.google_event import anonymised, with_content

log = get_log(__name__)
MAX_GENERATIONS = 50


def carry_out(step: Step, run: Run) -> list[Step]:
    """Carry out one step; returns steps that follow from what was found (an id that is in use, row 8)."""
    match step:
        case Insert():
            return _insert(step.ours, run)
        case Restore():
            return _restore(step, run)
        case Create():
            create(step, run)
        case Adopt():
            adopt(step, run)
        case Merge():
            _merge(step, run)
        case Anonymise():
            _anonymise(step.theirs, run)
        case Cancel():
            _cancel(step, run)
        case Delete():
            _delete(step, run)
        case Leave():
            _leave(step, run)
    return []


def _leave(step: Leave, run: Run) -> None:
    run.report.skipped += int(step.count)
    run.report.clean = run.report.clean and step.clean
    if step.suspect:
        run.report.suspects.add(step.suspect)
    log.info("pair_left", reason=step.reason)


def _insert(ours: Ours, run: Run, generation: int = 0, origin: str = "a") -> list[Step]:
    """Insert under the deterministic id; one in use is looked at, one that Google has forgotten is passed over."""
    known = _linked_elsewhere(ours, run) if ours.marker and not generation else None
    if known is not None:
        return decide(Pair(ours, known), run.rules)
    while generation < MAX_GENERATIONS:
        event = new_event(run, ours, run.reader.ids.make(ours.fr_nr, generation), origin)
        run.check()
        try:
            written = run.google.insert_event(run.calendar_id, event)
        except EventExistsError:
            found = _newest(ours.fr_nr, generation, run)
            if found is not None:
                return decide(Pair(ours, found), run.rules)
            log.warning("event_id_reserved", generation=generation)
            generation += 1
            continue
        settle(run, written, link_of(run, ours, event["id"], origin))
        run.report.created += 1
        return []
    raise EventExistsError("google", "no free event id")


def _linked_elsewhere(ours: Ours, run: Run) -> Theirs | None:
    """Find the event of an appointment that was born in Google; the list shows none that was moved far away."""
    for event in run.google.events_with(run.calendar_id, "adv_fr", ours.fr_nr):
        found = run.reader.theirs(event)
        if found.fr_nr == ours.fr_nr and not found.cancelled and not is_exception(event):
            return found
    log.warning("appointment_without_its_event", fr_nr=ours.fr_nr)
    return None


def _newest(fr_nr: str, generation: int, run: Run) -> Theirs | None:
    """Read the event under an id that is in use, or a later generation of it where there is one."""
    found = None
    while generation < MAX_GENERATIONS:
        event = run.google.get_event(run.calendar_id, run.reader.ids.make(fr_nr, generation))
        if event is None:
            break
        found = run.reader.theirs(event)
        if not found.cancelled:
            break
        generation += 1
    return found


def _restore(step: Restore, run: Run) -> list[Step]:
    """Set a deleted event to confirmed again; where Google refuses, the next generation takes its place."""
    theirs, ours = step.theirs, step.ours
    origin = theirs.link.origin or ("g" if theirs.generation is None else "a")
    link = link_of(run, ours, theirs.id, origin)
    body = with_link(restored(run, ours, theirs), link)
    run.check()
    try:
        if not theirs.etag:
            raise EventRefusedError("google", "a tombstone without version")
        written = write_event(run, theirs.event, body)
    except (EventRefusedError, EventGoneError, EventExistsError):
        generation = 0 if theirs.generation is None else theirs.generation + 1
        log.warning("restore_refused", generation=generation)
        run.report.replaced.add(ours.fr_nr)
        return _insert(ours, run, generation, "a")
    run.report.restored.add(theirs.id)
    settle(run, written, link)
    run.report.created += 1
    return []


def _merge(step: Merge, run: Run) -> None:
    """Write to Advoware first, from a fresh reading; then content and bases to Google in one write."""
    held = _to_advoware(step, run) if step.to_advoware else step.target_a
    if held is None:
        run.report.skip()
        return
    link = step.theirs.link
    merged = link.with_(
        own_id=step.theirs.id,
        fr_nr=step.ours.fr_nr,
        base_a=run.seal(held.canonical()),
        base_g=run.seal(step.target_g.canonical()),
        mode=run.rules.mode,
        origin=link.origin or ("g" if step.theirs.generation is None else "a"),
        intent=None,
        deleted="",
    )
    put_event(run, step.theirs, step.target_g, merged)
    if link.deleted:
        run.report.restored.add(step.theirs.id)  # a person took it out of the bin
    run.report.updated += int(bool(step.to_google))
    if step.conflict:
        run.report.conflicts += 1
        log.warning("conflict", row=6)


def _to_advoware(step: Merge, run: Run) -> Appointment | None:
    """Write what a person changed in Google; gives what Advoware holds now, None when it was not as planned."""
    fresh = _fresh(step.ours, run)
    if fresh is None:
        return None
    row = termin.with_fields(fresh, step.target_a, step.to_advoware, run.reader.all_day_field)
    answered = put_row(run, step.ours.fr_nr, row, fresh)
    return termin.as_kept(step.target_a, termin.marker_of(str(row.get("notiz") or "")), answered)


def _fresh(ours: Ours, run: Run) -> Any | None:
    """Read an appointment again before changing it; None when it is gone or not what the plan was made for."""
    row = run.advoware.appointment(ours.row["frNr"])
    if row is None or row.get("zuletztGeaendertAm") != ours.row.get("zuletztGeaendertAm"):
        return None
    try:
        return row if run.reader.ours(row).canonical == ours.canonical else None
    except termin.UnusableTerminError:
        return None


def _anonymise(theirs: Theirs, run: Run) -> None:
    if theirs.appointment is None:
        return
    hidden = anonymised(theirs.appointment, run.rules.placeholders[0])
    if is_exception(theirs.event):  # it has no link of its own
        run.check()
        write_event(run, theirs.event, {**with_content(theirs.event, hidden), "visibility": "private"})
        run.report.updated += 1
        return
    put_event(run, theirs, hidden, theirs.link.with_(mode="a", base_g=run.seal(hidden.canonical())))
    run.report.updated += 1


def _cancel(step: Cancel, run: Run) -> None:
    """Cancel and say why in one write; where Google refuses that, say why first and delete then."""
    theirs = step.theirs
    link = theirs.link.with_(own_id=theirs.id, fr_nr=theirs.fr_nr, deleted=step.reason)
    body = with_link(theirs.event, link)
    if run.rules.mode == "a" and theirs.appointment is not None and not step.conflict:
        body = with_content(body, anonymised(theirs.appointment, run.rules.placeholders[0]))  # the bin shows it too
    run.check()
    try:
        write_event(run, theirs.event, {**body, "status": "cancelled"})
    except EventRefusedError:
        run.check()
        marked = write_event(run, theirs.event, body)
        run.check()
        run.google.delete_event(run.calendar_id, theirs.id, str(marked["etag"]))
    except EventGoneError:
        return
    run.report.deleted += 1
    if step.conflict:
        run.report.conflicts += 1
        log.warning("conflict", row=14)


def _delete(step: Delete, run: Run) -> None:
    """Delete in Advoware what a person deleted in Google, if both still are as the plan saw them."""
    if step.theirs.bare and not step.orphan:
        event = run.google.get_event(run.calendar_id, step.theirs.id)
        if event is not None and event.get("status") != "cancelled":
            run.report.skip()
            return
    fresh = run.advoware.appointment(step.ours.row["frNr"])
    if fresh is None:
        return
    try:
        unchanged = run.reader.ours(fresh).canonical == step.ours.canonical
    except termin.UnusableTerminError:
        unchanged = False
    if not unchanged:
        run.report.skip()
        return
    run.report.deleted += int(run.advoware.delete_appointment(step.ours.row["frNr"]))
