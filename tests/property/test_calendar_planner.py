"""The promises of pairing and planner, kept in any two calendars."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from dataclasses import replace
from random import Random
from typing import Any

from builders import BASES, IDS, NOW, PLACEHOLDER, READER, rules
from calendar_strategies import in_window, words
from hypothesis import given, settings
from hypothesis import strategies as st
from planner_world import World, open_intent, rules_of_runs

from functions.calendar_sync.bases import Bases
from functions.calendar_sync.link import Link, with_link
from functions.calendar_sync.merge import blend, merge
from functions.calendar_sync.pairing import Sides, pair_up
from functions.calendar_sync.plan import Cancel, Create, Delete, Leave, Merge
from functions.calendar_sync.planner import decide
from shared.domain.appointment import FIELDS, TEXT_FIELDS, Appointment
from shared.mapping import termin
from shared.mapping.google_event import to_body, with_content
from shared.mapping.text import is_placeholder

promise = settings(max_examples=60, derandomize=True, deadline=None)
TEXTS = st.sampled_from(["text", "ort", "notiz"])
titles = words.filter(lambda title: not is_placeholder(title, (PLACEHOLDER,)))
safe = in_window.filter(lambda mine: not is_placeholder(mine.text, (PLACEHOLDER,)))
SECRET = "GEHEIM"  # stands in every text typed over an anonymous event


@st.composite
def edits(draw: st.DrawFn, mine: Appointment) -> Appointment:
    """Change some texts, the times, or both."""
    other = draw(safe)
    fields = set(draw(st.sets(TEXTS, max_size=2)))
    if draw(st.booleans()):
        fields |= {"start", "end", "allday", "rrule"}
    return blend(mine, other, fields)


@st.composite
def worlds(draw: st.DrawFn, size: int = 4) -> World:
    """Let two calendars agree, then let people work on both."""
    world = World(all_day_field=draw(st.sampled_from(["dauertermin", "abwesenheit"])))
    mode = draw(st.sampled_from(["f", "a"]))
    then = rules(mode=mode)
    for _ in range(draw(st.integers(0, size))):
        world.put_row(termin.new_row(draw(safe), "SB", None, world.all_day_field))
    for number in range(draw(st.integers(0, 2))):
        world.events[f"person{number}"] = a_person_s(draw(safe), f"person{number}")
    world.run(then)
    for number in sorted(world.rows):
        act_in_advoware(draw, world, number)
    for event_id in sorted(world.events):
        act_in_google(draw, world, event_id, mode)
    for number in range(draw(st.integers(0, 2))):
        world.events[f"new{number}"] = a_person_s(draw(safe), f"new{number}")
    if draw(st.booleans()):
        world.put_row(termin.new_row(draw(safe), draw(st.sampled_from(["SB", "ALLE"])), None, world.all_day_field))
    return world


def a_person_s(mine: Appointment, event_id: str) -> dict[str, Any]:
    return {"id": event_id, "status": "confirmed", **to_body(mine, private=False)}


def act_in_advoware(draw: st.DrawFn, world: World, number: str) -> None:
    match draw(st.sampled_from(["nothing", "edit", "edit", "delete", "unlist", "move"])):
        case "edit":
            row = world.rows[number]
            target = draw(edits(termin.to_appointment(row, world.all_day_field)))
            world.rows[number] = termin.with_fields(row, target, FIELDS, world.all_day_field)
        case "delete":
            del world.rows[number]
        case "unlist":
            world.unlisted.add(number)
        case "move":
            world.moved.add(number)


def act_in_google(draw: st.DrawFn, world: World, event_id: str, mode: str) -> None:
    event = world.events[event_id]
    mine = world.reader.theirs(event).appointment
    assert mine is not None
    match draw(st.sampled_from(["nothing", "edit", "edit", "delete", "forget", "copy", "placeholder", "foreign", "d"])):
        case "edit":
            target = draw(edits(mine))
            if mode == "a" and target.text != mine.text:
                target = replace(target, text=SECRET, notes=SECRET)
            world.events[event_id] = with_content(event, target)
        case "delete":
            world.events[event_id] = {**event, "status": "cancelled"}
        case "forget" if event_id.startswith("adv"):
            del event["extendedProperties"]
        case "copy":
            world.events["copy" + event_id] = {**event, "id": "copy" + event_id}
        case "placeholder":
            event["summary"] = f" {PLACEHOLDER.upper()}\xa0"
        case "foreign":
            event["recurrence"] = ["RRULE:FREQ=WEEKLY;BYDAY=MO,FR"]
        case "d":
            own = world.reader.theirs(event)
            twin_id = IDS.make(own.fr_nr, 3)
            world.events[twin_id] = with_link({**event, "id": twin_id}, own.link.with_(own_id=twin_id))


def living(world: World, run: Any) -> list[tuple[Any, Any]]:
    """Name the linked pairs whose two sides are there."""
    found = [world.reader.theirs(event) for event in world.events.values()]
    return [
        (world.reader.ours(world.rows[theirs.fr_nr]), theirs)
        for theirs in found
        if theirs.fr_nr in world.rows and not theirs.cancelled and theirs.fr_nr not in world.moved
    ]


def writes(steps: list[Any]) -> list[Any]:
    return [step for step in steps if not isinstance(step, Leave)]


@promise
@given(worlds(), rules_of_runs)
def test_a_second_plan_is_empty(world, run):
    world.run(run)
    assert writes(world.plan(run)) == []


@promise
@given(worlds(), rules_of_runs)
def test_both_sides_agree_afterwards(world, run):
    world.run(run)
    for ours, theirs in living(world, run):
        times = {name: ours.canonical[name] for name in ("start", "end", "allday", "rrule")}
        if run.mode == "f":
            assert theirs.canonical == ours.canonical
        else:
            assert theirs.canonical == times | {"text": PLACEHOLDER, "ort": "", "notiz": ""}
            assert theirs.event["visibility"] == "private"


@promise
@given(worlds(), rules_of_runs)
def test_every_appointment_of_the_list_is_shown_once_afterwards(world, run):
    world.run(run)
    shown = Counter(theirs.fr_nr for _, theirs in living(world, run))
    deferred = {pair.ours.fr_nr for pair in world.pairs(run) if pair.ours and pair.theirs and pair.theirs.cancelled}
    for number, row in world.rows.items():
        hidden = number in world.unlisted | world.moved | deferred or termin.is_for_everybody(row)
        assert shown[number] == 1 or (hidden and shown[number] <= 1)


@promise
@given(worlds(), rules_of_runs, st.integers(0, 99))
def test_the_order_of_what_was_read_does_not_matter(world, run, seed):
    def spelled(steps):
        return sorted(repr(replace(step, ours=None) if hasattr(step, "ours") else step) for step in steps)

    assert spelled(world.plan(run)) == spelled(world.plan(run, Random(seed).shuffle))


@promise
@given(worlds(), rules_of_runs)
def test_a_write_protected_advoware_stays_as_it_is_and_so_do_events_of_people(world, run):
    run = replace(run, write_enabled=False)
    rows, events = deepcopy(world.rows), deepcopy(world.events)
    twins = {step.theirs.id for step in world.plan(run) if type(step).__name__ == "Adopt"}
    world.run(run)
    assert world.rows == rows
    for event_id, event in events.items():
        if not READER.theirs(event).fr_nr and event_id not in twins:
            assert world.events[event_id] == event


@promise
@given(worlds(), rules_of_runs)
def test_absence_from_the_list_deletes_nothing(world, run):
    world.unlisted |= set(world.rows)
    for step in world.plan(run):
        if isinstance(step, Cancel) and step.reason != "d":
            assert step.theirs.fr_nr not in world.rows or step.theirs.fr_nr in world.moved
        if isinstance(step, Delete):
            raise AssertionError(step)


@promise
@given(worlds(), rules_of_runs)
def test_no_deletion_follows_from_an_unanswered_question(world, run):
    listed = [READER.theirs(event) for event in world.events.values()]
    for pair in pair_up(Sides([], listed), BASES, complete=True, markers=True):
        assert not [step for step in decide(pair, run) if isinstance(step, Cancel | Delete)]


@promise
@given(worlds(), rules_of_runs)
def test_neither_a_placeholder_nor_a_text_of_an_anonymous_event_reaches_advoware(world, run):
    typed = SECRET in str([row.get("text") for row in world.rows.values()])
    for step in world.plan(run):
        match step:
            case Merge() if step.to_advoware & TEXT_FIELDS:
                assert step.theirs.link.mode == "f"
                assert "text" not in step.to_advoware or not is_placeholder(step.target_a.text, (PLACEHOLDER,))
            case Create():
                assert not is_placeholder(step.theirs.appointment.text, (PLACEHOLDER,))
    anonymous = {theirs.id for theirs in map(READER.theirs, world.events.values()) if theirs.link.mode == "a"}
    copies = {event_id for event_id in world.events if event_id.startswith("copy")}
    for event_id in copies:
        del world.events[event_id]
    world.run(run)
    if anonymous and not typed:
        kept = {number for number, row in world.rows.items() if SECRET in str(row.get("text"))}
        assert not kept & {READER.theirs(world.events[event_id]).fr_nr for event_id in anonymous}


@promise
@given(worlds(), rules_of_runs)
def test_an_edit_in_advoware_beats_a_deletion_in_google_and_the_other_way_round(world, run):
    for step in world.plan(run):
        if isinstance(step, Delete):
            edited = BASES.changed(step.theirs.link.base_a, step.ours.canonical) or ()
            assert all(step.ours.canonical[name] == step.theirs.canonical[name] for name in edited)
        if isinstance(step, Cancel) and step.reason == "a":
            assert step.theirs.fr_nr not in world.rows


@promise
@given(worlds(), rules_of_runs)
def test_every_living_linked_event_is_in_one_pair_and_every_appointment_at_most_in_one(world, run):
    pairs = world.pairs(run)
    events = Counter(theirs.id for pair in pairs for theirs in (pair.theirs, *pair.twice) if theirs)
    rows = Counter(pair.ours.fr_nr for pair in pairs if pair.ours)
    linked = [theirs for theirs in map(READER.theirs, world.events.values()) if theirs.fr_nr and not theirs.cancelled]
    assert {events[theirs.id] for theirs in linked} <= {1}
    assert set(events.values()) | set(rows.values()) <= {1}
    assert set(rows) >= set(world.rows) - world.unlisted - world.moved


@promise
@given(worlds(), rules_of_runs, st.sampled_from([1, 899, 901]))
def test_an_appointment_that_an_open_creation_may_have_made_is_not_taken_for_a_new_one(world, run, age):
    mine = Appointment(run.window[0].replace(hour=9), run.window[0].replace(hour=10), text="Akte")
    event = a_person_s(mine, "announced")
    intent = open_intent("t" * 22, NOW.timestamp() - age, BASES.seal(mine.canonical()))
    world.events["announced"] = with_link(event, Link("announced", intent=intent))
    made = world.put_row(termin.new_row(mine, "SB", intent.token, world.all_day_field) | {"frNr": 9001})
    unmarked = world.put_row(termin.new_row(mine, "SB", None, world.all_day_field) | {"frNr": 9002})
    steps = world.plan(run)
    assert [step.theirs.id for step in steps if getattr(getattr(step, "ours", None), "fr_nr", "") == made] == [
        "announced"
    ]
    assert Leave("reserved", clean=False) in steps
    assert not [step for step in steps if getattr(getattr(step, "ours", None), "fr_nr", "") == unmarked]


@promise
@given(safe, st.data(), rules_of_runs)
def test_a_field_changed_on_one_side_only_ends_up_on_both(before, data, run):
    run = replace(run, mode="f", write_enabled=True)
    world = World()
    number = world.put_row(termin.new_row(before, "SB", None, "dauertermin"))
    world.run(run)
    names = list(data.draw(st.permutations(["text", "ort", "notiz", "times"])))
    cut = data.draw(st.integers(0, 4))
    here, there = spread(names[:cut]), spread(names[cut:])
    row_target = blend(before, data.draw(safe), here)
    event_target = blend(before, data.draw(safe), there)
    world.rows[number] = termin.with_fields(world.rows[number], row_target, here, "dauertermin")
    world.events[IDS.make(number)] = with_content(world.events[IDS.make(number)], event_target)
    steps = world.plan(run)
    world.apply(steps, run)
    both = blend(row_target, event_target, there).canonical()
    assert world.reader.ours(world.rows[number]).canonical == both
    assert world.reader.theirs(world.events[IDS.make(number)]).canonical == both
    assert not any(step.conflict for step in steps if isinstance(step, Merge))


def spread(names: list[str]) -> set[str]:
    """Let times change together."""
    return {name for group in names for name in (("start", "end", "allday", "rrule") if group == "times" else (group,))}


@promise
@given(safe, st.data(), rules_of_runs)
def test_whatever_both_sides_do_to_the_times_the_result_can_be_held(before, data, run):
    run = replace(run, mode="f", write_enabled=True)
    world = World()
    number = world.put_row(termin.new_row(before, "SB", None, "dauertermin"))
    world.run(run)
    some = st.sets(st.sampled_from(["start", "end", "allday", "rrule", "text"]))
    row_target = blend(before, data.draw(safe), data.draw(some))
    event_target = blend(before, data.draw(safe), data.draw(some))
    if event_target.end <= event_target.start or (event_target.all_day != before.all_day):
        event_target = data.draw(safe)
    world.rows[number] = termin.with_fields(world.rows[number], row_target, FIELDS, "dauertermin")
    world.events[IDS.make(number)] = with_content(world.events[IDS.make(number)], event_target)
    ours, theirs = world.reader.ours(world.rows[number]), world.reader.theirs(world.events[IDS.make(number)])
    step = merge(ours, theirs, run)
    if step is not None:
        assert step.target_a.end > step.target_a.start
        assert step.target_a.expressible or not ours.appointment.expressible
        world.applied(step, run)
        assert (
            merge(world.reader.ours(world.rows[number]), world.reader.theirs(world.events[IDS.make(number)]), run)
            is None
        )


@promise
@given(worlds(), rules_of_runs)
def test_a_new_key_costs_bases_only(world, run):
    world.run(run)
    rotated = replace(run, bases=Bases.of(["neu", "geheim"]))
    steps = writes(world.plan(rotated))
    assert all(isinstance(step, Merge) and not step.to_advoware | step.to_google for step in steps)
    world.apply(steps, rotated)
    assert writes(world.plan(rotated)) == []


@promise
@given(worlds(), rules_of_runs)
def test_an_anonymous_calendar_that_becomes_full_and_anonymous_again_shows_what_it_showed(world, run):
    run = replace(run, mode="a")
    for mode in ("a", "f", "a"):
        step_rules = replace(run, mode=mode)
        world.run(step_rules)
        assert writes(world.plan(step_rules)) == []
    for _, theirs in living(world, run):
        assert (theirs.canonical["text"], theirs.canonical["notiz"]) == (PLACEHOLDER, "")
