"""Every reason to leave something alone, word for word, and the planner's limits to the second and to the number."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest
from builders import (
    BASES,
    DAY,
    NOW,
    PLACEHOLDER,
    READER,
    TOKEN,
    a_termin,
    a_tombstone,
    an_appointment,
    an_event,
    an_intent,
    announced,
    linked,
    on,
    ours,
    rules,
    theirs,
)

from functions.calendar_sync.guard import Limits, guard, hold_all, is_short, linked_count, unlisted
from functions.calendar_sync.link import Link, with_link
from functions.calendar_sync.merge import _lasting
from functions.calendar_sync.pairing import (
    Sides,
    could_be_made_by,
    is_exception,
    is_fresh_deletion,
    needs_confirmation,
    pair_up,
)
from functions.calendar_sync.plan import (
    Absence,
    Adopt,
    Cancel,
    Create,
    Delete,
    Hold,
    Insert,
    Leave,
    Merge,
    Ours,
    Pair,
    Restore,
    Theirs,
)
from functions.calendar_sync.planner import decide
from shared.domain.appointment import TIME_FIELDS
from shared.mapping.termin import DEFAULT_LENGTH

UNKNOWN = Leave("creation with unknown outcome", clean=False)
DELETED = Leave("deleted with an open creation", clean=False, count=False)
MOVED = Leave("moved", clean=False, count=False)
MARKED = a_termin(notiz=f"Akte 123/26\n[G:{TOKEN}]")
WINDOW = rules().window


def plan(row, event, absence=Absence.NEVER, **changes):
    mine = ours(row) if row is not None else None
    return decide(Pair(mine, theirs(event) if event is not None else None, absence), rules(**changes))


def read(rows, events, *, complete=True, markers=True, **changes):
    sides = Sides([ours(row) for row in rows], [theirs(event) for event in events])
    pairs = pair_up(sides, BASES, complete=complete, markers=markers)
    return [step for pair in pairs for step in decide(pair, rules(**changes))]


def begins(moment):
    """Build an event that begins at a moment and lasts an hour."""
    times = [{"dateTime": (moment + timedelta(hours=hours)).isoformat()} for hours in (0, 1)]
    return {"start": times[0], "end": times[1]}


# What is left alone


@pytest.mark.parametrize(
    ("steps", "left"),
    [
        (lambda: plan(a_termin(), linked() | {"start": {}}), Leave("unreadable event")),
        (lambda: read([], [an_event(start={})]), Leave("unreadable event")),
        (lambda: plan(None, linked(), Absence.UNUSABLE), Leave("unusable row")),
        (
            lambda: read([], [an_event(recurrence=["RRULE:FREQ=WEEKLY;BYDAY=MO,TH"])]),
            Leave("series that Advoware cannot hold"),
        ),
        (lambda: read([], [announced(age_s=900)]), UNKNOWN),
        (lambda: read([], [announced(refused=True, age_s=900)]), Leave("refused by Advoware")),
        (lambda: read([], [a_tombstone(announced(age_s=900))]), DELETED),
        (lambda: read([MARKED], [a_tombstone(announced(age_s=900))]), DELETED),
    ],
)
def test_what_is_left_alone_says_why(steps, left):
    assert steps() == [left]


def test_what_another_employee_has_leaves_the_run_unclean_and_is_not_counted():
    assert plan(None, linked(), Absence.MOVED) == [MOVED, Cancel(theirs(linked()), "m")]
    row = a_termin(anwalt="XY")
    assert plan(row, linked(), Absence.MOVED) == [MOVED, Cancel(theirs(linked()), "m")]
    changed = plan(a_termin(ort="Saal 3"), linked(), Absence.MOVED)
    assert changed == [MOVED, Cancel(theirs(linked()), "m")]


def test_what_is_there_but_not_listed_is_told_and_merged_inside_the_window_alone():
    steps = decide(Pair(ours(listed=False), theirs(linked())), rules())
    assert steps == [Leave("not listed", clean=False, count=False)]
    start, end = WINDOW
    for moment, told in ((end - timedelta(minutes=1), 1), (end, 0)):
        event = an_event(**begins(moment)) | {
            "id": linked()["id"],
            "extendedProperties": linked()["extendedProperties"],
        }
        steps = decide(Pair(ours(listed=False), theirs(event)), rules())
        assert sum(step == Leave("not listed", clean=False, count=False) for step in steps) == told, moment
    assert start < end


def test_an_appointment_that_may_have_been_made_is_reserved_in_so_many_words():
    assert read([a_termin()], [announced()]) == [UNKNOWN, Leave("reserved", clean=False)]


def test_of_the_grace_the_last_second_counts():
    assert read([], [announced(age_s=900.5)]) == [Create(theirs(announced(age_s=900.5)), search_first=True)]
    assert read([], [announced(refused=True, age_s=900.5)]) == [Create(theirs(announced(refused=True, age_s=900.5)))]
    assert read([], [a_tombstone(announced(age_s=900.5))]) == []
    [step] = read([MARKED], [a_tombstone(announced(age_s=900.5))])
    assert step == Delete(ours(MARKED), theirs(a_tombstone(announced(age_s=900.5))), orphan=True)
    assert rules().grace_s == 900


def test_rules_that_nobody_sets_are_those_of_the_settings():
    plain = rules()
    assert (plain.conflict_policy, plain.delete_policy, plain.write_enabled) == ("advoware_wins", "propagate", True)
    assert (plain.suspects, plain.settled) == (frozenset(), frozenset())


def test_nothing_on_either_side_is_nothing_to_do():
    assert decide(Pair(None, None), rules()) == []


def test_events_that_stand_twice_go_except_where_absence_is_unsure():
    twice = (theirs(linked(event_id="andere")),)
    for absence, expected in (
        (Absence.GONE, [Cancel(twice[0], "d"), Cancel(theirs(linked()), "a")]),
        (Absence.MOVED, [Cancel(twice[0], "d"), MOVED, Cancel(theirs(linked()), "m")]),
        (Absence.NOT_LISTED, []),
        (Absence.UNUSABLE, [Leave("unusable row")]),
    ):
        assert decide(Pair(None, theirs(linked()), absence, twice), rules()) == expected


def test_an_open_creation_whose_event_is_linked_already_is_merged_like_any_other():
    event = linked(intent=an_intent())
    [step] = plan(a_termin(), event)
    assert isinstance(step, Merge)
    assert plan(None, event, Absence.GONE) == [Cancel(theirs(event), "a")]


def test_an_event_edited_before_its_appointment_went_is_a_conflict():
    edited = linked() | {"summary": "Neu"}
    assert plan(None, edited, Absence.GONE) == [Cancel(theirs(edited), "a", conflict=True)]
    unread = linked() | {"start": {}}
    assert plan(None, unread, Absence.GONE) == [Cancel(theirs(unread), "a")]
    assert plan(None, a_tombstone(linked()), Absence.GONE) == []


@pytest.mark.parametrize(
    ("event", "row", "changes", "kind"),
    [
        (linked(deleted="a"), a_termin(), {}, Restore),
        (linked(), a_termin(), {"settled": frozenset([linked()["id"]])}, Restore),
        (linked(), a_termin(), {"write_enabled": False}, Restore),
        (linked(), a_termin(ort="Saal 3"), {}, Restore),
        (linked() | {"location": "Saal 3"}, a_termin(ort="Saal 3"), {}, Delete),
        (linked(), a_termin(), {"delete_policy": "restore"}, Restore),
        (linked(event_id="7k3person"), a_termin(), {"delete_policy": "restore"}, Delete),
        (linked(), a_termin(), {}, Delete),
    ],
)
def test_a_deletion_in_google_is_followed_or_undone(event, row, changes, kind):
    dead = a_tombstone(event)
    assert plan(row, dead, **changes) == [kind(ours(row), theirs(dead))]


def test_a_tombstone_without_properties_is_believed_at_second_sight_only():
    dead = a_tombstone(linked(), id_only=True)
    left = Leave("tombstone without properties", clean=False, suspect=dead["id"])
    assert plan(a_termin(), dead) == plan(a_termin(), dead, suspects=frozenset(["other"])) == [left]
    assert plan(a_termin(), dead, suspects=frozenset([dead["id"]])) == [Delete(ours(), theirs(dead))]


# What belongs together


def test_a_twin_is_exactly_one_on_each_side():
    assert read([a_termin()], [an_event()]) == [Adopt(ours(), theirs(), twin=True)]
    two = [an_event(), an_event(id="second")]
    assert read([a_termin()], two) == [Insert(ours()), Create(theirs(two[0])), Create(theirs(two[1]))]
    rows = [a_termin(), a_termin(frNr=4712)]
    assert read(rows, [an_event()]) == [Insert(ours(rows[0])), Insert(ours(rows[1])), Create(theirs())]


def test_a_delta_shows_no_appointments_that_have_no_event_and_no_clean_up_of_ours():
    assert read([a_termin()], [an_event()], complete=False) == [Create(theirs())]
    ghost = a_tombstone(linked(deleted="d"))
    sides = Sides([ours()], [theirs(ghost)])
    assert pair_up(sides, BASES, complete=False, markers=True) == []
    assert pair_up(sides, BASES, complete=True, markers=True) == [Pair(ours(), theirs(ghost))]


def test_why_an_appointment_is_absent_is_said_only_where_it_is():
    known = Sides([], [theirs(linked())], frozenset(["4711"]))
    assert [pair.absence for pair in pair_up(known, BASES, complete=True, markers=True)] == [Absence.UNUSABLE]
    unknown = Sides([], [theirs(linked())], frozenset(["4712"]))
    assert [pair.absence for pair in pair_up(unknown, BASES, complete=True, markers=True)] == [Absence.NOT_LISTED]
    there = Sides([ours()], [theirs(linked())], frozenset(["4711"]))
    assert [pair.absence for pair in pair_up(there, BASES, complete=True, markers=True)] == [Absence.NEVER]


def main_of(*events):
    [pair] = pair_up(Sides([ours()], [theirs(event) for event in events]), BASES, complete=True, markers=True)
    return pair.theirs.id, [other.id for other in pair.twice]


def test_of_events_of_one_number_one_is_the_main_one():
    own = linked()
    person, other = linked(event_id="7k3person"), linked(event_id="7k3qerson")
    assert main_of(own, person) == ("7k3person", [own["id"]])
    assert main_of(other, person) == ("7k3person", ["7k3qerson"])
    assert main_of(a_tombstone(person), own) == (own["id"], [])
    assert main_of(a_tombstone(own) | {"id": "7k3zerson"}, a_tombstone(person)) == ("7k3person", [])
    assert main_of(a_tombstone(person), a_tombstone(own)) == (own["id"], [])
    ghost = a_tombstone(linked(event_id="7k3a", deleted="d"))
    assert main_of(ghost, a_tombstone(person)) == ("7k3person", [])


def test_an_appointment_may_be_of_a_creation_only_with_its_content_and_a_newer_number():
    event = theirs(announced(max_fr=4710))
    assert could_be_made_by(event, ours(), BASES)
    assert not could_be_made_by(theirs(announced(max_fr=4711)), ours(), BASES)
    assert not could_be_made_by(theirs(announced(refused=True)), ours(), BASES)
    assert not could_be_made_by(theirs(a_tombstone(announced())), ours(), BASES)
    assert not could_be_made_by(event, ours(MARKED), BASES)
    assert not could_be_made_by(event, ours(ort="Saal 3"), BASES)
    assert not could_be_made_by(theirs(), ours(), BASES)


def test_absence_is_asked_about_inside_the_window_and_beyond_it_where_something_changed():
    start, end = WINDOW
    head = {name: linked()[name] for name in ("id", "extendedProperties")}

    def asked(event, absence=Absence.NOT_LISTED):
        return needs_confirmation(Pair(None, theirs(event), absence), BASES, WINDOW)

    assert asked(linked())
    assert not asked(linked(), Absence.GONE)
    assert not asked(a_tombstone(linked()))
    assert not asked(linked() | {"start": {}})
    assert not needs_confirmation(Pair(ours(), None, Absence.NOT_LISTED), BASES, WINDOW)
    assert asked(an_event(**begins(end - timedelta(minutes=1))) | head)
    far = linked(a_termin(datum="2028-03-01", datumBis="2028-03-01"))
    assert not asked(far)
    assert asked(far | {"summary": "Neu"})
    assert asked(an_event(**begins(start - timedelta(minutes=30))) | head)
    assert not asked(an_event(**begins(start - timedelta(hours=2))) | head)


def test_a_fresh_deletion_is_a_person_s_of_something_not_listed_that_is_not_over():
    dead = a_tombstone(linked())

    def fresh(event, absence=Absence.NOT_LISTED, settled=()):
        return is_fresh_deletion(Pair(None, theirs(event), absence), settled, WINDOW)

    assert fresh(dead)
    assert fresh(a_tombstone(linked(), id_only=True))
    assert not fresh(dead, Absence.GONE)
    assert not fresh(linked())
    assert not fresh(dead, settled=[dead["id"]])
    assert not fresh(a_tombstone(linked(deleted="a")))
    assert not fresh(a_tombstone(an_event()))
    assert not fresh(a_tombstone(linked(a_termin(datum="2026-09-01", datumBis="2026-09-01"))))
    assert not is_fresh_deletion(Pair(ours(), None, Absence.NOT_LISTED), (), WINDOW)


def test_a_changed_occurrence_is_known_by_the_series_it_names():
    assert is_exception({"recurringEventId": "x"})
    assert not is_exception({"id": "x", "recurrence": []})


def test_a_row_is_read_as_listed_and_one_without_a_number_has_none():
    assert READER.ours(a_termin()).listed
    assert READER.ours(a_termin(dauertermin=1)).appointment.all_day
    assert [READER.ours(a_termin(frNr=number)).fr_nr for number in (None, 0, 4711)] == ["0", "0", "4711"]


# The brake


def test_the_larger_of_share_and_number_may_go_without_a_person():
    limits = Limits()
    assert (limits.share, limits.number) == (0.1, 20)
    assert [limits.allow(count, 100) for count in (20, 21)] == [True, False]
    assert [limits.allow(count, 500) for count in (50, 51)] == [True, False]


def test_a_list_is_too_short_below_half_of_five_or_more():
    assert [is_short(listed, linked) for listed, linked in ((0, 4), (0, 5), (2, 5), (3, 5), (3, 6), (2, 6))] == [
        False,
        True,
        True,
        False,
        False,
        True,
    ]


def test_linked_before_the_run_is_what_lives_and_what_was_just_deleted():
    alive, dead = theirs(linked()), theirs(a_tombstone(linked()))
    ours_deleted = theirs(a_tombstone(linked(deleted="a")))
    counted = [
        (Pair(ours(), alive), 1),
        (Pair(None, alive), 1),
        (Pair(ours(), dead), 1),
        (Pair(None, dead), 0),
        (Pair(ours(), ours_deleted), 0),
        (Pair(ours(), theirs()), 0),
        (Pair(ours(), None), 0),
    ]
    assert [linked_count([pair]) for pair, _ in counted] == [count for _, count in counted]
    assert linked_count([pair for pair, _ in counted]) == 3


def mark(*lines):
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def test_a_hold_names_what_it_holds_in_any_order_and_is_released_by_its_name():
    events = [theirs(linked(a_termin(frNr=number))) for number in (4712, 4711)]
    names = sorted(f"{event.fr_nr}/{event.id}" for event in events)
    cancels = [Cancel(event, "a") for event in events]
    deletes = [Delete(ours(frNr=4713), events[0])]
    held = Hold("to_google", 2, mark("SB", "to_google", *names))
    limits = Limits(share=0.0, number=1)
    assert guard([*cancels, *deletes], 9, limits, "SB", frozenset()) == (deletes, [held])
    assert guard([*cancels[::-1], *deletes], 9, limits, "SB", frozenset([held.hash])) == (
        [*cancels[::-1], *deletes],
        [],
    )
    none = Limits(share=0.0, number=0)
    kept = Hold("to_advoware", 1, mark("SB", "to_advoware", f"4713/{events[0].id}"))
    assert guard(deletes, 9, none, "SB", frozenset()) == ([], [kept])
    assert hold_all("SB", [Pair(None, event) for event in events] + [Pair(ours(), None)]) == held


def test_unlisted_are_those_whose_appointment_the_list_does_not_show():
    pairs = [Pair(None, theirs(linked()), absence) for absence in Absence]
    assert unlisted(pairs) == [pairs[list(Absence).index(Absence.NOT_LISTED)]]


# The values


def test_a_symbolic_number_counts_as_none():
    assert (ours().number, replace(ours(), fr_nr="G-7").number) == (4711, 0)


def test_an_event_tells_its_id_version_and_state():
    event = theirs(linked())
    assert (event.id, event.etag, event.cancelled, event.bare) == (linked()["id"], '"1"', False, False)
    assert theirs(an_event(etag=None)).etag == ""
    assert theirs(a_tombstone(linked())).cancelled
    assert theirs().bare
    assert [str(each) for each in Absence] == ["never", "not listed", "gone", "moved", "unusable"]


def test_what_nobody_tells_of_the_values_is_the_ordinary_case():
    assert Ours("1", {}, ours().appointment, {}) == Ours("1", {}, ours().appointment, {}, None, False, None, True)
    assert Theirs({"id": "x"}, Link()) == Theirs({"id": "x"}, Link(), "", None, None, {})
    assert Pair(None, None) == Pair(None, None, Absence.NEVER, (), False, False)
    event = theirs()
    assert Merge(ours(), event, frozenset(), frozenset(), ours().appointment, ours().appointment).conflict is False
    assert (Cancel(event, "a").conflict, Delete(ours(), event).orphan, Adopt(ours(), event).twin) == (False,) * 3
    assert Create(event).search_first is False
    assert Leave("x") == Leave("x", True, "", True)


# Field by field


def conflict(policy, updated="2026-11-23T10:00:00.000Z", **changes):
    event = linked() | {"location": "Saal G", "updated": updated}
    [step] = plan(a_termin(ort="Saal A", **changes), event, conflict_policy=policy)
    return step.to_advoware, step.to_google, step.conflict


def test_a_field_changed_on_both_sides_follows_the_policy():
    ours_win, theirs_win = (frozenset(), {"ort"}, True), ({"ort"}, frozenset(), True)
    assert conflict("advoware_wins") == ours_win
    assert conflict("google_wins") == theirs_win
    assert conflict("newest_wins") == theirs_win  # Advoware's change is of 20 November
    assert conflict("newest_wins", updated="2026-11-20T13:03:11.000Z") == ours_win  # of the same second
    assert conflict("newest_wins", updated="2026-11-20T13:03:12.000Z") == theirs_win
    assert conflict("newest_wins", updated="2026-11-23T10:00:00") == ours_win  # of no zone
    assert conflict("newest_wins", updated="gestern") == ours_win
    assert conflict("newest_wins", zuletztGeaendertAm=None) == ours_win


def test_times_that_do_not_fit_each_other_go_one_way_as_a_whole():
    event = linked() | {"location": "Saal G", "start": {"dateTime": "2026-12-03T10:30:00+01:00"}}
    row = a_termin(uhrzeitBis="10:00:00")
    [google] = plan(row, event, conflict_policy="google_wins")
    assert (google.to_advoware, google.to_google, google.conflict) == (TIME_FIELDS | {"ort"}, frozenset(), True)
    [advoware] = plan(row, event)
    assert (advoware.to_advoware, advoware.to_google, advoware.conflict) == ({"ort"}, {"start", "end"}, True)


def test_times_that_leave_nothing_between_them_clash_too():
    event = linked() | {"start": {"dateTime": "2026-12-03T10:00:00+01:00"}}
    [step] = plan(a_termin(uhrzeitBis="10:00:00"), event)
    assert (step.to_advoware, step.to_google, step.conflict) == (frozenset(), {"start", "end"}, True)


def test_an_appointment_without_length_lasts_as_long_as_advoware_s_reading_of_it():
    assert _lasting(on(DAY, days=0)) == on(DAY)
    assert _lasting(on(DAY, days=2)) == on(DAY, days=2)
    hearing = an_appointment()
    assert _lasting(replace(hearing, end=hearing.start)).end == hearing.start + DEFAULT_LENGTH
    assert _lasting(hearing) == hearing


def test_the_same_change_on_both_sides_is_no_conflict():
    event = linked() | {"location": "Saal 3"}
    [step] = plan(a_termin(ort="Saal 3"), event)
    assert (step.to_advoware, step.to_google, step.conflict) == (frozenset(), frozenset(), False)


@pytest.mark.parametrize(
    "link",
    [{"deleted": "a"}, {"mode": "a"}, {"fr_nr": ""}, {"base_a": "x"}, {"base_g": "x"}],
    ids=lambda each: next(iter(each)),
)
def test_properties_that_are_not_true_any_more_are_written_anew(link):
    assert plan(a_termin(), linked()) == []
    event = with_link(linked(), theirs(linked()).link.with_(**link))
    [step] = plan(a_termin(), event)
    assert isinstance(step, Merge)
    assert (step.to_advoware, step.conflict) == (frozenset(), False)


@pytest.mark.parametrize("lost", ["base_a", "base_g"])
def test_without_one_of_the_bases_advoware_wins_what_differs(lost):
    event = linked() | {"location": "Saal G"}
    [step] = plan(a_termin(), with_link(event, theirs(event).link.with_(**{lost: "x"})))
    assert (step.to_advoware, step.to_google, step.conflict) == (frozenset(), {"ort"}, False)


def test_an_event_in_privacy_mode_is_private():
    event = linked(mode="a")
    assert plan(a_termin(), event, mode="a") == []
    [step] = plan(a_termin(), event | {"visibility": "default"}, mode="a")
    assert (step.to_advoware, step.to_google, step.target_g.text) == (frozenset(), frozenset(), PLACEHOLDER)
    assert plan(a_termin(), linked() | {"visibility": "default"}) == []


def test_now_is_when_advoware_was_read():
    assert rules().read_at == NOW.timestamp()
