"""What a run would do, without doing it: the plan as the contract shows it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from functions.calendar_sync.deps import Deps
from functions.calendar_sync.guard import Deletion, guard
from functions.calendar_sync.handler import Order, make_run
from functions.calendar_sync.plan import (
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
from functions.calendar_sync.reading import read_both
from functions.calendar_sync.report import Report, held_rows
from functions.calendar_sync.run import Limit, Run
from functions.calendar_sync.sync import recall, steps_of
from functions.calendar_sync.writes import shown
from shared.domain.appointment import FIELDS, Canonical


@dataclass(frozen=True)
class Planned:
    """Everything that a run would do now, and what would wait for a person."""

    run: Run
    steps: Sequence[Step]
    waiting: Sequence[Deletion]
    holds: Sequence[Hold]
    short: Hold | None
    linked: int

    def all_holds(self) -> list[Hold]:
        """Give every hold, that of a list too short to believe included."""
        return [*([self.short] if self.short else []), *self.holds]


def make_plan(order: Order, deps: Deps) -> Planned:
    """Plan from fresh readings of both sides; writes nothing and creates no calendar."""
    deps.employees.known(order.kuerzel)
    limit = Limit(deps.settings.run_limit_s)
    name = deps.settings.calendar.name_template.replace("{kuerzel}", order.kuerzel)
    calendar = deps.calendars.known(order.kuerzel) or deps.google.until(limit.deadline).find_calendar(name) or ""
    run = make_run(order, deps, Report(), limit, calendar_id=calendar)
    known = recall(run, deps.memory)
    reading = read_both(run, known)
    steps = steps_of(reading, run)
    deletions: list[Deletion] = [step for step in steps if isinstance(step, Cancel | Delete)]
    allowed, holds = guard(deletions, reading.seen.linked, deps.limits, order.kuerzel, known.released)
    waiting = [deletion for deletion in deletions if deletion not in allowed]
    done = [step for step in steps if step not in waiting]
    return Planned(run, done, waiting, holds, reading.hold, reading.seen.linked)


def preview(order: Order, deps: Deps) -> dict[str, Any]:
    """Give the plan of one employee's run as the contract shows it."""
    plan = make_plan(order, deps)
    return plan_row(order.kuerzel, plan.steps, plan.all_holds(), plan.run)


def plan_row(kuerzel: str, steps: Sequence[Step], holds: Sequence[Hold], run: Run) -> dict[str, Any]:
    """Write a plan: figures, what is held, and every write that a person would notice."""
    actions = [action for step in steps for action in actions_of(step, run)]
    skipped = run.report.skipped + sum(step.count for step in steps if isinstance(step, Leave))
    return {
        "kuerzel": kuerzel,
        "created": _count(actions, "create"),
        "updated": _count(actions, "update"),
        "deleted": _count(actions, "delete"),
        "conflicts": sum(1 for step in steps if isinstance(step, Merge | Cancel) and step.conflict),
        "skipped": skipped,
        "failed": run.report.failed,
        "held": held_rows(holds),
        "actions": actions,
    }


def actions_of(step: Step, run: Run) -> list[dict[str, Any]]:
    """Name the writes of a step, field names only; links and bases are no actions."""
    match step:
        case Insert(ours):
            fields = filled(shown(run, ours.appointment).canonical())
            return [_action("google", "create", ours.fr_nr, run.reader.ids.make(ours.fr_nr), fields)]
        case Restore(ours, theirs):
            fields = filled(shown(run, ours.appointment).canonical())
            return [_action("google", "create", ours.fr_nr, theirs.id, fields)]
        case Create(theirs):
            return [_action("advoware", "create", "", theirs.id, filled(theirs.canonical))]
        case Merge(ours, theirs):
            return [
                _action(side, "update", ours.fr_nr, theirs.id, [name for name in FIELDS if name in fields])
                for side, fields in (("advoware", step.to_advoware), ("google", step.to_google))
                if fields
            ]
        case Anonymise(theirs):
            return [_action("google", "update", theirs.fr_nr, theirs.id, ["text", "ort", "notiz"])]
        case Cancel(theirs):
            return [_action("google", "delete", theirs.fr_nr, theirs.id, [])]
        case Delete(ours, theirs):
            return [_action("advoware", "delete", ours.fr_nr, theirs.id, [])]
        case _:
            return []


def filled(canonical: Canonical) -> list[str]:
    """Name the fields that a new entry fills."""
    return [name for name in FIELDS if canonical.get(name) and (name, canonical[name]) != ("allday", "0")]


def _action(side: str, action: str, fr_nr: str, google_id: str, fields: Iterable[str]) -> dict[str, Any]:
    number: int | str | None = int(fr_nr) if fr_nr.lstrip("-").isdigit() else fr_nr or None
    return {"side": side, "action": action, "frNr": number, "google_id": google_id, "fields": list(fields)}


def _count(actions: Sequence[dict[str, Any]], kind: str) -> int:
    return sum(1 for action in actions if action["action"] == kind)
