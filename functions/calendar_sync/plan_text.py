"""A plan as a person reads it, like a diff: old and new values field by field, texts masked in anonymous mode."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence

from functions.calendar_sync.plan import (
    Adopt,
    Anonymise,
    Cancel,
    Create,
    Delete,
    Hold,
    Insert,
    Leave,
    Merge,
    Restore,
    Step,
)
from functions.calendar_sync.preview import Planned, filled, plan_row
from functions.calendar_sync.run import Run
from functions.calendar_sync.writes import shown
from shared.domain.appointment import FIELDS, TEXT_FIELDS, Canonical

MASK = "•••"
LONGEST = 100
WHY_CANCELLED = {"a": "gone in Advoware", "m": "moved to somebody else in Advoware", "d": "stands twice"}
SIDE_OF = {"to_google": "google", "to_advoware": "advoware"}


def as_text(plan: Planned) -> str:
    """Write the plan, a line or a block per write."""
    kuerzel = plan.run.kuerzel
    holds = plan.all_holds()
    row = plan_row(kuerzel, plan.steps, holds, plan.run)
    figures = ", ".join(f"{row[name]} {name}" for name in ("created", "updated", "deleted", "conflicts", "skipped"))
    mode = "in full" if plan.run.rules.mode == "f" else "anonymous"
    lines = [f"{kuerzel} ({mode}): {figures}"]
    for step in plan.steps:
        lines += _lines(step, plan.run)
    lines += _held(plan, holds)
    reasons = Counter(step.reason for step in plan.steps if isinstance(step, Leave))
    lines += [f"= {count} left alone: {reason}" for reason, count in sorted(reasons.items())]
    quiet = sum(isinstance(step, Adopt) or _is_quiet(step) for step in plan.steps)
    if quiet:
        lines.append(f"= {quiet} pairs only get their link or base written")
    return "\n".join(lines)


def _is_quiet(step: Step) -> bool:
    return isinstance(step, Merge) and not step.to_google and not step.to_advoware


def _lines(step: Step, run: Run) -> Iterator[str]:
    match step:
        case Insert(ours):
            new = shown(run, ours.appointment).canonical()
            yield from _created("google", ours.fr_nr, run.reader.ids.make(ours.fr_nr), new, run)
        case Restore(ours, theirs):
            yield from _created("google", ours.fr_nr, theirs.id, shown(run, ours.appointment).canonical(), run)
        case Create(theirs):
            yield from _created("advoware", "new", theirs.id, theirs.canonical, run)
        case Merge(ours, theirs):
            for side, fields, old, new in (
                ("advoware", step.to_advoware, ours.canonical, step.target_a.canonical()),
                ("google", step.to_google, theirs.canonical, step.target_g.canonical()),
            ):
                if fields:
                    yield _head("~", side, ours.fr_nr, theirs.id, "conflict" if step.conflict else "")
                    yield from _changed([name for name in FIELDS if name in fields], old, new, run)
        case Anonymise(theirs):
            yield _head("~", "google", theirs.fr_nr, theirs.id, "made anonymous")
        case Cancel() | Delete():
            yield _deleted(step, run)


def _created(side: str, number: str, google_id: str, new: Canonical, run: Run) -> Iterator[str]:
    yield _head("+", side, number, google_id)
    for name in filled(new):
        yield f"    {name:<7} {_value(name, new[name], run)}"


def _changed(names: Sequence[str], old: Canonical, new: Canonical, run: Run) -> Iterator[str]:
    for name in names:
        yield f"    {name:<7} {_value(name, old[name], run)}  →  {_value(name, new[name], run)}"


def _deleted(step: Cancel | Delete, run: Run) -> str:
    if isinstance(step, Cancel):
        side, number, content, why = "google", step.theirs.fr_nr, step.theirs.canonical, WHY_CANCELLED[step.reason]
    else:
        side, number, content = "advoware", step.ours.fr_nr, step.ours.canonical
        why = "its creation was given up" if step.orphan else "deleted in Google"
    what = " ".join(_value(name, content[name], run) for name in ("start", "text") if content.get(name))
    return _head("-", side, number, step.theirs.id, f"{what} ({why})")


def _head(sign: str, side: str, number: str, google_id: str, note: str = "") -> str:
    return f"{sign} {side:<8} {number:<7} {google_id}  {note}".rstrip()


def _held(plan: Planned, holds: Sequence[Hold]) -> Iterator[str]:
    for hold in holds:
        side = SIDE_OF[hold.direction]
        why = (
            f"Advoware's list is empty or below half of the {plan.linked} linked"
            if hold is plan.short
            else f"more than the guard lets pass of {plan.linked} linked"
        )
        yield f"! {hold.count} deletions in {side} are held: {why}"
        for step in plan.waiting if hold is not plan.short else ():
            if isinstance(step, Cancel) == (hold.direction == "to_google"):
                yield "  " + _deleted(step, plan.run)
        yield f"  let them pass once: bitbylaw sync {plan.run.kuerzel} --release {hold.hash}"


def _value(name: str, value: str, run: Run) -> str:
    if name == "rrule":
        return _series(value)
    if name not in TEXT_FIELDS:
        return value or "–"
    if run.rules.mode == "a" and value and value not in run.rules.placeholders:
        return MASK
    short = value if len(value) <= LONGEST else value[:LONGEST] + "…"
    return json.dumps(short, ensure_ascii=False)


def _series(value: str) -> str:
    if not value or value.startswith("!"):
        return value.removeprefix("!") or "–"
    frequency, interval, until = value.split(";")
    return f"{frequency.lower()}, every {interval}, until {until or 'for ever'}"
