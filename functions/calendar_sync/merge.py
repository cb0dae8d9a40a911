"""Pure: rows 1–6, what of one linked pair goes which way, field by field."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from functions.calendar_sync.plan import Merge, Ours, Theirs
from shared.domain.appointment import FIELDS, TEXT_FIELDS, TIME_FIELDS, Appointment
from shared.mapping.berlin import wall_later
from shared.mapping.google_event import anonymised
from shared.mapping.recurrence import last_occurrence
from shared.mapping.termin import DEFAULT_LENGTH
from shared.mapping.text import is_placeholder

if TYPE_CHECKING:
    from functions.calendar_sync.planner import Rules


def merge(ours: Ours, theirs: Theirs, rules: Rules) -> Merge | None:
    """Compare both sides with their bases; None when nothing is to be written.

    A field flows to Advoware only when Google's value differs from Google's base; a field changed on both sides
    follows the conflict policy; without a readable base Advoware wins what differs.
    """
    if theirs.appointment is None:
        return None
    base_a = rules.bases.changed(theirs.link.base_a, ours.canonical)
    base_g = rules.bases.changed(theirs.link.base_g, theirs.canonical)
    rebasing = base_a is None or base_g is None
    in_a = frozenset(FIELDS) if base_a is None else base_a
    in_g = frozenset[str]() if base_a is None or base_g is None else base_g
    flowing = _flowing(in_g, ours, theirs, rules)
    flowing, conflict = _settle(in_a, flowing, ours, theirs, rules)
    target_a = _lasting(blend(ours.appointment, theirs.appointment, flowing))
    shown = target_a if rules.mode == "f" else anonymised(target_a, rules.placeholders[0])
    wanted = shown.canonical()
    switching = theirs.link.mode != rules.mode
    loose = frozenset(FIELDS) if rebasing or switching else in_a | in_g
    loose |= TIME_FIELDS if loose & TIME_FIELDS else frozenset()  # half of the times may not fit the other half
    loose |= TEXT_FIELDS if rules.mode == "a" else frozenset()  # whatever a base says, no text stays
    to_google = frozenset(name for name in loose if wanted[name] != theirs.canonical[name])
    target_g = blend(theirs.appointment, shown, to_google)
    step = Merge(ours, theirs, flowing, to_google, target_a, target_g, conflict)
    return step if flowing or to_google or _stale(step, rules) else None


def _flowing(in_g: Set[str], ours: Ours, theirs: Theirs, rules: Rules) -> frozenset[str]:
    """Say which of Google's changes may reach Advoware at all."""
    appointment = theirs.appointment
    if appointment is None or ours.one_way or not rules.write_enabled:
        return frozenset()
    flowing = {name for name in in_g if theirs.canonical[name] != ours.canonical[name]}
    if theirs.link.mode != "f":
        flowing -= TEXT_FIELDS
    if is_placeholder(appointment.text, rules.placeholders):
        flowing -= {"text"}
    if not appointment.expressible:
        flowing -= TIME_FIELDS
    return frozenset(flowing)


def _settle(
    in_a: frozenset[str], flowing: frozenset[str], ours: Ours, theirs: Theirs, rules: Rules
) -> tuple[frozenset[str], bool]:
    """Decide fields that changed on both sides (row 6); says which flow, and whether there was a conflict.

    Times of both sides are mixed where the mixture makes sense; otherwise they are contested as a whole.
    """
    google_wins = _google_wins(ours, theirs, rules)
    contested = in_a & flowing
    chosen = flowing if google_wins else flowing - contested
    if _times_clash(in_a, flowing, chosen, ours, theirs):
        contested |= flowing & TIME_FIELDS
        chosen = flowing | TIME_FIELDS if google_wins else flowing - TIME_FIELDS
    return chosen, bool(contested)


def _times_clash(
    in_a: frozenset[str], flowing: frozenset[str], chosen: frozenset[str], ours: Ours, theirs: Theirs
) -> bool:
    """Tell whether times changed on both sides in a way that does not fit together."""
    if not (in_a & TIME_FIELDS and flowing & TIME_FIELDS) or theirs.appointment is None:
        return False
    if ours.appointment.all_day != theirs.appointment.all_day:
        return True
    both = blend(ours.appointment, theirs.appointment, chosen)
    return both.end <= both.start or not both.expressible or _ends_elsewhere(both)


def _ends_elsewhere(appointment: Appointment) -> bool:
    """Tell whether a series ends on a day on which it does not fall."""
    rule, first = appointment.recurrence, appointment.start.date()
    if rule is None or rule.until is None:
        return False
    return last_occurrence(first, rule.frequency, rule.interval, rule.until) != rule.until


def _lasting(appointment: Appointment) -> Appointment:
    """Give an appointment without length the one that Advoware's reading gives it."""
    if appointment.end > appointment.start:
        return appointment
    if appointment.all_day:
        return replace(appointment, end=wall_later(appointment.start, timedelta(days=1)))
    return replace(appointment, end=wall_later(appointment.start, DEFAULT_LENGTH))


def _google_wins(ours: Ours, theirs: Theirs, rules: Rules) -> bool:
    if rules.conflict_policy == "newest_wins":
        try:
            updated = datetime.fromisoformat(str(theirs.event.get("updated", "")))
        except ValueError:
            return False
        return ours.changed_at is not None and updated.tzinfo is not None and updated > ours.changed_at
    return rules.conflict_policy == "google_wins"


def blend(base: Appointment, other: Appointment, fields: Set[str]) -> Appointment:
    """Take the named fields from the other appointment."""
    sources = {
        "start": "start",
        "end": "end",
        "allday": "all_day",
        "rrule": "recurrence",
        "text": "text",
        "ort": "place",
        "notiz": "notes",
    }
    return replace(base, **{sources[name]: getattr(other, sources[name]) for name in fields})


def _stale(step: Merge, rules: Rules) -> bool:
    """Tell whether the event's properties or its visibility do not say what is true now."""
    link = step.theirs.link
    if link.deleted or link.intent or link.mode != rules.mode or not link.fr_nr:
        return True
    if rules.mode == "a" and step.theirs.event.get("visibility") != "private":
        return True
    return link.base_a != rules.bases.seal(step.target_a.canonical()) or link.base_g != rules.bases.seal(
        step.target_g.canonical()
    )
