"""The only functions that write to either calendar, each with its barrier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from functions.calendar_sync.link import Link, Mode, with_link
from functions.calendar_sync.plan import Ours, Theirs
from functions.calendar_sync.run import Row, Run
from shared.domain.appointment import Appointment
from shared.errors import InvalidRequestError
from shared.mapping.google_event import UnusableEventError, anonymised, to_appointment, to_body, with_content
from shared.mapping.text import is_placeholder

Event = dict[str, Any]
CONTENT_KEYS = frozenset({"summary", "location", "description", "recurrence"})


class PlaceholderError(InvalidRequestError):
    """A placeholder title was about to be written to Advoware."""

    slug, title = "placeholder", "A placeholder is not a title"


def _refuse_placeholder(run: Run, row: Row, before: Row | None) -> None:
    """Be the second barrier of 4.7: no placeholder title reaches Advoware, whatever the rules said."""
    text = str(row.get("text") or "")
    if is_placeholder(text, run.rules.placeholders) and (before is None or text != before.get("text")):
        raise PlaceholderError


def put_row(run: Run, fr_nr: str, row: Row, before: Row) -> Row:
    """Replace an appointment in Advoware; gives what it answered, which may be nothing."""
    _refuse_placeholder(run, row, before)
    answered = run.advoware.update_appointment(fr_nr, row)
    run.report.updated += 1
    return answered or {}


def post_row(run: Run, row: Row) -> Row:
    """Create an appointment in Advoware; never repeated."""
    _refuse_placeholder(run, row, None)
    return run.advoware.create_appointment(row)


def shown(run: Run, appointment: Appointment) -> Appointment:
    """Give the form in which Google shows an appointment in this run's mode."""
    return appointment if run.rules.mode == "f" else anonymised(appointment, run.rules.placeholders[0])


def link_of(run: Run, ours: Ours, event_id: str, origin: str) -> Link:
    """Make the link of an event that shows exactly what Advoware holds."""
    bases = run.seal(ours.canonical), run.seal(shown(run, ours.appointment).canonical())
    return Link(event_id, ours.fr_nr, *bases, run.rules.mode, origin)


def new_event(run: Run, ours: Ours, event_id: str, origin: str) -> Event:
    """Write the whole event of an appointment, content and properties in one."""
    body = to_body(shown(run, ours.appointment), private=run.rules.mode == "a")
    return with_link({"id": event_id, **body}, link_of(run, ours, event_id, origin))


def restored(run: Run, ours: Ours, theirs: Theirs) -> Event:
    """Write a deleted event with the appointment's content; what is not content stays as a person had it."""
    content = to_body(shown(run, ours.appointment), private=False)
    kept = {key: value for key, value in theirs.event.items() if key not in CONTENT_KEYS}
    return with_visibility({**kept, **content, "status": "confirmed"}, run.rules.mode, theirs.link.mode)


def put_event(run: Run, theirs: Theirs, target: Appointment | None, link: Link) -> Event:
    """Replace an event that was read, if nobody changed it since; a base write follows what Google made of it."""
    body = with_link(theirs.event, link)
    if target is not None:
        body = with_visibility(with_content(body, target), link.mode, theirs.link.mode)
    run.check()
    written = write_event(run, theirs.event, body)
    return written if target is None else settle(run, written, link)


def write_event(run: Run, before: Mapping[str, Any], body: Event) -> Event:
    """Put the whole event in the place of the version that was read; patch where it was not read whole."""
    event_id, etag = str(before["id"]), str(before.get("etag", ""))
    if before.get("attendeesOmitted"):
        return run.google.patch_event(run.calendar_id, event_id, _difference(before, body), etag)
    return run.google.update_event(run.calendar_id, event_id, body, etag)


def _difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> Event:
    """Say how to patch; Google merges maps, so what is no longer in one has to be named as null."""
    changed: Event = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            inner = _difference(old, value)
            changed |= {key: inner} if inner else {}
        elif value != old:
            changed[key] = value
    return changed


def with_visibility(body: Event, mode: Mode | str, before: str) -> Event:
    """Make an anonymous event private; one that is no longer anonymous loses that again."""
    if mode == "a":
        return {**body, "visibility": "private"}
    if before == "a":
        return {key: value for key, value in body.items() if key != "visibility"}
    return body


def settle(run: Run, written: Event, link: Link) -> Event:
    """Follow Google where it stored something else than was sent, so that it never looks like a person's edit."""
    if not link.base_g or link.deleted:
        return written
    try:
        stored = run.seal(to_appointment(written).canonical())
    except UnusableEventError:
        return written
    if stored == link.base_g:
        return written
    differing = run.rules.bases.changed(link.base_g, to_appointment(written).canonical())
    if differing == frozenset():
        return written
    run.check()
    body = with_link(written, replace(link, base_g=stored))
    return write_event(run, written, body)
