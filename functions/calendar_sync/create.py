"""From Google to Advoware, exactly once (calendar-sync 4.4): intent, POST with a marker, link.

What can happen in between: a crash or a lost answer leaves the intent in the event and perhaps a marked
appointment in Advoware. The next run finds the marker and links; without one it waits for the grace to end,
searches once more with a fresh query, and only then announces and posts again.
"""

from __future__ import annotations

from datetime import timedelta

from functions.calendar_sync.link import Intent, Link
from functions.calendar_sync.pairing import could_be_made_by
from functions.calendar_sync.plan import Adopt, Create, Ours, Theirs
from functions.calendar_sync.run import Row, Run
from functions.calendar_sync.writes import post_row, put_event, shown
from shared.advoware.errors import NoTokenError
from shared.errors import UpstreamAuthenticationError, UpstreamError, UpstreamMalformedError, UpstreamRejectedError
from shared.log import get_log
from shared.mapping import termin

log = get_log(__name__)
WIDE = timedelta(days=10 * 365)


def create(step: Create, run: Run) -> None:
    """Create the appointment of an event born in Google."""
    if step.search_first:
        made = _search(step.theirs, run)
        if made is not None:
            adopt(Adopt(made, step.theirs), run)
            return
    announced = _announce(step.theirs, run)
    intent = announced.link.intent
    if intent is not None and run.now() - intent.at > run.rules.grace_s / 2:
        announced = _announce(announced, run)
    row = _post(announced, run)
    if row is not None:
        run.report.created += 1
        _link_created(announced, row, run)


def _search(theirs: Theirs, run: Run) -> Ours | None:
    """Look once more for what an earlier POST may have made; of copies the lowest number is the one."""
    for kuerzel in (run.kuerzel, *run.colleagues()):  # it may have been given to a colleague, or to another day
        found = [ours for ours in _wide(kuerzel, run) if _could_be(ours, theirs, run, own=kuerzel == run.kuerzel)]
        if found:
            return min(found, key=lambda ours: ours.number)
    return None


def _wide(kuerzel: str, run: Run) -> list[Ours]:
    start, end = run.rules.window
    usable = []
    for row in run.advoware.appointments(kuerzel, start - WIDE, end + WIDE):
        try:
            usable.append(run.reader.ours(row))
        except termin.UnusableTerminError:
            continue
    return usable


def _could_be(ours: Ours, theirs: Theirs, run: Run, *, own: bool) -> bool:
    intent = theirs.link.intent
    if intent is None:
        return False
    if ours.marker == intent.token:
        return True
    return own and intent.is_known_by_content(run.markers) and could_be_made_by(theirs, ours, run.rules.bases)


def _announce(theirs: Theirs, run: Run) -> Theirs:
    """Write the intent; only one worker can, because the write names the version it read."""
    intent = Intent(run.new_token(), run.now(), run.max_fr, run.seal(theirs.canonical), bare=not run.markers)
    link = Link(own_id=theirs.id, intent=intent)
    return run.reader.theirs(put_event(run, theirs, None, link))


def _post(theirs: Theirs, run: Run) -> Row | None:
    """Post once; None when it was refused, or when nobody knows whether it was done."""
    intent, appointment = theirs.link.intent, theirs.appointment
    if intent is None or appointment is None:
        raise UpstreamMalformedError("google", "the intent did not come back")
    marker = intent.token if run.markers else None
    try:
        return post_row(run, termin.new_row(appointment, run.kuerzel, marker, run.reader.all_day_field))
    except UpstreamRejectedError:
        put_event(run, theirs, None, theirs.link.with_(intent=Intent(**{**vars(intent), "refused": True})))
        log.warning("creation_refused")
        run.report.fail()
    except (UpstreamAuthenticationError, NoTokenError):
        raise  # nothing was sent to the appointments; the intent waits for the next run
    except UpstreamError:
        log.warning("creation_with_unknown_outcome")
        run.report.skip()
    return None


def _link_created(theirs: Theirs, answered: Row, run: Run) -> None:
    """Link the event to what was created from exactly this content; in privacy mode the same write hides it.

    Where Advoware cut a text short, its base is the shorter one: that never looks like a person's edit.
    """
    intent, appointment = theirs.link.intent, theirs.appointment
    if intent is None or appointment is None:
        return
    target = shown(run, appointment) if run.rules.mode == "a" else None
    base_g = run.seal(target.canonical()) if target else intent.sealed
    held = termin.as_kept(appointment, intent.token if run.markers else None, answered)
    link = Link(theirs.id, str(answered["frNr"]), run.seal(held.canonical()), base_g, run.rules.mode, "g")
    put_event(run, theirs, target, link)


def adopt(step: Adopt, run: Run) -> None:
    """Link an appointment that already exists: one that an open creation made, or an exact twin."""
    ours, theirs = step.ours, step.theirs
    sealed = run.seal(ours.canonical) if theirs.link.intent is None else theirs.link.intent.sealed
    edited = run.rules.bases.changed(sealed, theirs.canonical) != frozenset()
    origin = "a" if step.twin else "g"
    if run.rules.mode == "a" and not edited and theirs.appointment is not None:
        target = shown(run, theirs.appointment)
        put_event(run, theirs, target, Link(theirs.id, ours.fr_nr, sealed, run.seal(target.canonical()), "a", origin))
        return
    # the event was edited since the POST: its texts have to reach Advoware before they may be hidden
    run.report.clean = run.report.clean and not edited
    put_event(run, theirs, None, Link(theirs.id, ours.fr_nr, sealed, sealed, "f", origin))
