"""Two calendars in memory, and what a plan does to them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from builders import READER, rules
from hypothesis import strategies as st

from functions.calendar_sync.link import Intent, Link, with_link
from functions.calendar_sync.pairing import Reader, Sides, needs_confirmation, pair_up
from functions.calendar_sync.plan import (
    Absence,
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
)
from functions.calendar_sync.planner import Rules, decide
from shared.domain.appointment import Appointment
from shared.mapping import termin
from shared.mapping.google_event import anonymised, with_content

Row = dict[str, Any]
ORDER = {Adopt: 0, Merge: 1}


@dataclass
class World:
    """What Advoware and Google hold; `unlisted` numbers exist without being listed."""

    rows: dict[str, Row] = field(default_factory=dict)
    events: dict[str, Row] = field(default_factory=dict)
    unlisted: set[str] = field(default_factory=set)
    moved: set[str] = field(default_factory=set)
    all_day_field: str = "dauertermin"
    last_number: int = 5000

    @property
    def reader(self) -> Reader:
        return replace(READER, all_day_field=self.all_day_field)

    def put_row(self, row: Row) -> str:
        """Store a row under a new number."""
        self.last_number += 1
        number = str(row.get("frNr") or self.last_number)
        self.rows[number] = row | {"frNr": int(number)}
        return number

    def pairs(self, rules: Rules, shuffle: Any = None) -> list[Pair]:
        """Read, pair and confirm what is missing, as a run does."""
        listed = [row for number, row in self.rows.items() if number not in self.unlisted | self.moved]
        events = list(self.events.values())
        if shuffle is not None:
            shuffle(listed)
            shuffle(events)
        sides = Sides([self.reader.ours(row) for row in listed], [self.reader.theirs(event) for event in events])
        pairs = pair_up(sides, rules.bases, complete=True, markers=True)
        return [self.confirmed(pair) if needs_confirmation(pair, rules.bases, rules.window) else pair for pair in pairs]

    def confirmed(self, pair: Pair) -> Pair:
        """Ask for one number."""
        assert pair.theirs is not None
        number = pair.theirs.fr_nr
        if number not in self.rows:
            return replace(pair, absence=Absence.GONE)
        absence = Absence.MOVED if number in self.moved else Absence.NEVER
        return replace(pair, ours=self.reader.ours(self.rows[number], listed=False), absence=absence)

    def plan(self, rules: Rules, shuffle: Any = None) -> list[Step]:
        """Decide everything."""
        steps = [step for pair in self.pairs(rules, shuffle) for step in decide(pair, rules)]
        return sorted(steps, key=lambda step: ORDER.get(type(step), 2))

    def apply(self, steps: list[Step], rules: Rules) -> None:
        """Do what a plan says."""
        for step in steps:
            self.applied(step, rules)

    def run(self, rules: Rules) -> None:
        """Plan and apply; once more where an edit of a moved appointment goes before its event."""
        steps = self.plan(rules)
        self.apply(steps, rules)
        if any(isinstance(step, Leave) and step.reason == "moved" for step in steps):
            self.apply(self.plan(rules), rules)

    def applied(self, step: Step, rules: Rules) -> None:
        """Do what one step says, without anything of the shell."""
        match step:
            case Insert():
                self._insert(step.ours, rules)
            case Merge():
                self._merge(step, rules)
            case Anonymise():
                assert step.theirs.appointment is not None
                hidden = anonymised(step.theirs.appointment, rules.placeholders[0])
                self._write(step.theirs.event, hidden, step.theirs.link, rules)
            case Cancel():
                dead = with_link(step.theirs.event, step.theirs.link.with_(deleted=step.reason))
                self.events[step.theirs.id] = {**dead, "status": "cancelled"}
            case Delete():
                del self.rows[step.ours.fr_nr]
            case Restore():
                self._show(step.ours, {"id": step.theirs.id, "status": "confirmed"}, step.theirs.link.origin, rules)
            case Create():
                self._create(step, rules)
            case Adopt():
                self._link(step.ours, step.theirs.event, step.theirs.appointment, "a" if step.twin else "g", rules)

    def _insert(self, ours: Ours, rules: Rules) -> None:
        own_id = self.reader.ids.make(ours.fr_nr)
        if own_id in self.events:
            self.apply(decide(Pair(ours, self.reader.theirs(self.events[own_id])), rules), rules)
        else:
            self._show(ours, {"id": own_id, "status": "confirmed"}, "a", rules)

    def _show(self, ours: Ours, head: Row, origin: str, rules: Rules) -> None:
        link = Link(head["id"], ours.fr_nr, rules.bases.seal(ours.canonical), origin=origin or "a")
        self._write(head, self._shown(ours.appointment, rules), link, rules)

    def _link(self, ours: Ours, event: Any, target: Appointment | None, origin: str, rules: Rules) -> None:
        assert target is not None
        link = Link(event["id"], ours.fr_nr, rules.bases.seal(ours.canonical), origin=origin)
        self._write(event, self._shown(target, rules), link, rules)

    def _shown(self, appointment: Appointment, rules: Rules) -> Appointment:
        return appointment if rules.mode == "f" else anonymised(appointment, rules.placeholders[0])

    def _write(self, event: Any, target: Appointment, link: Link, rules: Rules) -> None:
        body = with_content(event, target)
        body = {**body, "visibility": "private" if rules.mode == "a" else "default"}
        sealed = rules.bases.seal(target.canonical())
        self.events[event["id"]] = with_link(body, link.with_(mode=rules.mode, base_g=sealed, own_id=event["id"]))

    def _merge(self, step: Merge, rules: Rules) -> None:
        number, link = step.ours.fr_nr, step.theirs.link
        if step.to_advoware:
            row = termin.with_fields(self.rows[number], step.target_a, step.to_advoware, self.all_day_field)
            self.rows[number] = row
        sealed = rules.bases.seal(step.target_a.canonical())
        link = link.with_(base_a=sealed, fr_nr=number, deleted="", intent=None, origin=link.origin or "a")
        self._write(step.theirs.event, step.target_g, link, rules)

    def _create(self, step: Create, rules: Rules) -> None:
        theirs = step.theirs
        assert theirs.appointment is not None
        row = termin.new_row(theirs.appointment, "SB", "x" * 22, self.all_day_field)
        number = self.put_row(row)
        sealed = rules.bases.seal(theirs.appointment.canonical())
        link = Link(theirs.id, number, sealed, origin="g")
        self._write(theirs.event, self._shown(theirs.appointment, rules), link, rules)


rules_of_runs = st.builds(
    rules,
    mode=st.sampled_from(["f", "a"]),
    write_enabled=st.sampled_from([True, True, False]),
    conflict_policy=st.sampled_from(["advoware_wins", "google_wins", "newest_wins"]),
    delete_policy=st.sampled_from(["propagate", "restore"]),
)


def open_intent(token: str, at: float, sealed: str) -> Intent:
    """Announce a creation."""
    return Intent(token, at, 0, sealed)
