"""The decision table of the calendar sync, one sentence per row and option."""

from __future__ import annotations

from datetime import date

import pytest
from builders import (
    BASES,
    IDS,
    PLACEHOLDER,
    TOKEN,
    a_termin,
    a_tombstone,
    an_event,
    announced,
    linked,
    ours,
    rules,
    theirs,
)

from functions.calendar_sync.bases import Bases
from functions.calendar_sync.link import Link, with_link
from functions.calendar_sync.pairing import Sides, needs_confirmation, pair_up
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
    Pair,
    Restore,
)
from functions.calendar_sync.planner import decide

LATER = {"start": {"dateTime": "2026-12-03T09:00:00", "timeZone": "Europe/Berlin"}}
OLD = {"datum": "2026-09-01", "datumBis": "2026-09-01"}
DAY_AFTER = {"datum": "2027-11-25", "datumBis": "2027-11-25", "uhrzeitVon": "00:00:00"}
FAR = {"datum": "2028-03-01", "datumBis": "2028-03-01"}


def plan(row, event, absence=Absence.NEVER, **changes):
    """Decide one linked pair."""
    mine = ours(row) if row is not None else None
    return decide(Pair(mine, theirs(event) if event is not None else None, absence), rules(**changes))


def read(rows, events, *, complete=True, markers=True, **changes):
    """Pair what was read and decide it all."""
    sides = Sides([ours(row) for row in rows], [theirs(event) for event in events])
    pairs = pair_up(sides, BASES, complete=complete, markers=markers)
    return [step for pair in pairs for step in decide(pair, rules(**changes))]


def kinds(steps):
    return [type(step) for step in steps]


def only(steps):
    assert len(steps) == 1, steps
    return steps[0]


# Rows 1–6: both are there


def test_row_1_nothing_changed_means_nothing_to_do():
    assert plan(a_termin(), linked()) == []


def test_row_1_an_event_in_the_wrong_mode_gets_the_right_projection():
    step = only(plan(a_termin(), linked(), mode="a"))
    assert (step.to_advoware, step.to_google) == (frozenset(), {"text", "ort", "notiz"})
    assert step.target_g.text == PLACEHOLDER


def test_row_1_an_event_that_becomes_full_gets_its_texts_back():
    step = only(plan(a_termin(), linked(mode="a")))
    assert (step.to_advoware, step.to_google) == (frozenset(), {"text", "ort", "notiz"})
    assert step.target_g == ours().appointment


def test_row_2_a_change_in_advoware_goes_to_google():
    step = only(plan(a_termin(ort="Saal 3"), linked()))
    assert (step.to_advoware, step.to_google, step.conflict) == (frozenset(), {"ort"}, False)


def test_row_2_a_hidden_text_changed_in_advoware_costs_a_base_only():
    step = only(plan(a_termin(text="Neu"), linked(mode="a"), mode="a"))
    assert (step.to_advoware, step.to_google) == (frozenset(), frozenset())


def test_row_3_a_change_in_google_goes_to_advoware():
    step = only(plan(a_termin(), linked() | LATER))
    assert (step.to_advoware, step.to_google) == ({"start"}, frozenset())


def test_row_3_a_placeholder_title_is_not_a_change():
    step = only(plan(a_termin(), linked() | {"summary": " termin\xa0(advoware)"}))
    assert (step.to_advoware, step.to_google) == (frozenset(), {"text"})


def test_row_3_a_text_typed_over_an_anonymous_event_is_hidden_again():
    step = only(plan(a_termin(), linked(mode="a") | {"summary": "Meier", "location": "Saal"}, mode="a"))
    assert (step.to_advoware, step.to_google) == (frozenset(), {"text", "ort"})
    assert (step.target_g.text, step.target_g.place) == (PLACEHOLDER, "")


def test_row_3_a_text_typed_over_an_anonymous_event_is_not_believed_when_it_becomes_full():
    step = only(plan(a_termin(), linked(mode="a") | {"summary": "Meier"}))
    assert step.to_advoware == frozenset()
    assert step.target_g.text == ours().appointment.text


def test_row_3_times_of_an_anonymous_event_may_change_in_google():
    step = only(plan(a_termin(), linked(mode="a") | LATER, mode="a"))
    assert (step.to_advoware, step.to_google) == ({"start"}, frozenset())


def test_row_3_a_rule_that_advoware_cannot_hold_goes_back():
    step = only(plan(a_termin(), linked() | {"recurrence": ["RRULE:FREQ=WEEKLY;BYDAY=MO,TH"]}))
    assert (step.to_advoware, step.to_google) == (frozenset(), {"rrule"})


def test_row_3_an_end_at_the_start_becomes_the_default_hour_on_both_sides():
    event = linked()
    step = only(plan(a_termin(), event | {"end": event["start"]}))
    assert (step.to_advoware, step.to_google) == ({"end"}, {"end"})
    assert step.target_a.canonical()["end"] == "2026-12-03T10:30"


def test_row_4_the_same_change_on_both_sides_costs_a_base_only():
    step = only(plan(a_termin(ort="Saal 3"), linked() | {"location": "Saal 3"}))
    assert (step.to_advoware, step.to_google, step.conflict) == (frozenset(), frozenset(), False)


def test_row_5_different_fields_are_merged():
    step = only(plan(a_termin(ort="Saal 3"), linked() | {"summary": "Neu"}))
    assert (step.to_advoware, step.to_google, step.conflict) == ({"text"}, {"ort"}, False)


def test_row_5_a_start_of_one_side_and_an_end_of_the_other_are_merged():
    step = only(plan(a_termin(uhrzeitBis="12:00:00"), linked() | LATER))
    assert (step.to_advoware, step.to_google, step.conflict) == ({"start"}, {"end"}, False)


def test_row_5_the_end_of_a_series_and_its_hour_are_merged():
    weekly = a_termin(turnus=1, turnusArt=2, datumBis="2027-06-24")
    step = only(plan(weekly | {"datumBis": "2027-07-29"}, linked(weekly) | LATER))
    assert (step.to_advoware, step.to_google, step.conflict) == ({"start"}, {"rrule"}, False)


@pytest.mark.parametrize(
    ("policy", "to_advoware", "to_google"),
    [("advoware_wins", set(), {"start", "end"}), ("google_wins", {"start", "end"}, set())],
)
def test_row_6_times_that_do_not_fit_together_are_one_conflict(policy, to_advoware, to_google):
    moved = {"start": {"dateTime": "2026-12-03T13:00:00", "timeZone": "Europe/Berlin"}}
    moved["end"] = {"dateTime": "2026-12-03T14:00:00", "timeZone": "Europe/Berlin"}
    step = only(plan(a_termin(uhrzeitBis="10:00:00"), linked() | moved, conflict_policy=policy))
    assert (step.to_advoware & {"start", "end"}, step.to_google, step.conflict) == (to_advoware, to_google, True)
    assert step.target_a.end > step.target_a.start


def test_row_6_an_all_day_change_and_a_new_hour_are_one_conflict():
    whole = {"start": {"date": "2026-12-03"}, "end": {"date": "2026-12-04"}}
    step = only(plan(a_termin(uhrzeitVon="08:00:00"), linked() | whole))
    assert (step.to_advoware, step.conflict) == (frozenset(), True)
    assert step.target_g == ours(uhrzeitVon="08:00:00").appointment


def test_row_6_a_series_that_would_end_on_another_weekday_is_one_conflict():
    weekly = a_termin(turnus=1, turnusArt=2, datumBis="2027-06-24")
    wednesday = {
        key: {"dateTime": f"2026-12-02T{clock}", "timeZone": "Europe/Berlin"}
        for key, clock in (("start", "09:30:00"), ("end", "11:00:00"))
    }
    longer = weekly | {"datumBis": "2027-07-29"}
    step = only(plan(longer, linked(weekly) | wednesday))
    assert (step.to_advoware, step.conflict) == (frozenset(), True)
    assert step.target_g == step.target_a == ours(longer).appointment


def test_row_6_a_series_whose_occurrences_would_last_into_the_next_day_is_one_conflict():
    overnight = {"end": {"dateTime": "2026-12-04T01:00:00", "timeZone": "Europe/Berlin"}}
    weekly = a_termin(turnus=1, turnusArt=2, datumBis="2027-06-24")
    step = only(plan(weekly, linked() | overnight))
    assert (step.to_advoware, step.conflict) == (frozenset(), True)
    assert step.target_g == ours(weekly).appointment


def test_row_2_times_go_to_google_together():
    shifted = {
        key: {"dateTime": f"2026-12-03T{clock}", "timeZone": "Europe/Berlin"}
        for key, clock in (("start", "12:00:00"), ("end", "13:00:00"))
    }
    event = linked() | shifted
    event = with_link(event, theirs(event).link.with_(base_g=BASES.seal(theirs(event).canonical)))
    assert plan(a_termin(), event) == []
    step = only(plan(a_termin(uhrzeitBis="10:00:00"), event))
    assert (step.to_advoware, step.to_google) == (frozenset(), {"start", "end"})


def test_row_6_advoware_wins_the_same_field():
    step = only(plan(a_termin(ort="Saal 3"), linked() | {"location": "Saal 4"}))
    assert (step.to_advoware, step.to_google, step.conflict) == (frozenset(), {"ort"}, True)


def test_row_6_google_wins_when_the_policy_says_so():
    step = only(plan(a_termin(ort="Saal 3"), linked() | {"location": "Saal 4"}, conflict_policy="google_wins"))
    assert (step.to_advoware, step.to_google, step.conflict) == ({"ort"}, frozenset(), True)


def test_row_6_google_wins_its_field_and_leaves_the_rest_of_the_times_to_advoware():
    row = a_termin(uhrzeitVon="08:00:00", uhrzeitBis="12:00:00")
    step = only(plan(row, linked() | LATER, conflict_policy="google_wins"))
    assert (step.to_advoware, step.to_google) == ({"start"}, {"end"})


@pytest.mark.parametrize(
    ("updated", "winner"),
    [("2026-11-20T13:03:12.000Z", {"ort"}), ("2026-11-20T13:03:11.000Z", set()), ("unklar", set()), (None, set())],
)
def test_row_6_the_newest_wins_when_the_policy_says_so(updated, winner):
    event = linked() | {"location": "Saal 4", "updated": updated}
    assert only(plan(a_termin(ort="Saal 3"), event, conflict_policy="newest_wins")).to_advoware == winner


def test_row_6_a_conflict_of_one_field_does_not_stop_another():
    step = only(plan(a_termin(ort="Saal 3"), linked() | {"location": "Saal 4", "summary": "Neu"}))
    assert (step.to_advoware, step.to_google, step.conflict) == ({"text"}, {"ort"}, True)


@pytest.mark.parametrize("mode", ["f", "a"])
def test_a_write_protected_advoware_gets_its_content_back_into_google(mode):
    step = only(plan(a_termin(), linked(mode=mode) | LATER, mode=mode, write_enabled=False))
    assert (step.to_advoware, step.to_google) == (frozenset(), {"start"})


def test_a_second_key_costs_one_base_only():
    step = only(plan(a_termin(), linked(), bases=Bases.of(["neu", "geheim"])))
    assert isinstance(step, Merge)
    assert (step.to_advoware, step.to_google) == (frozenset(), frozenset())


def test_an_edit_is_still_seen_under_the_old_key():
    step = only(plan(a_termin(), linked() | {"summary": "Neu"}, bases=Bases.of(["neu", "geheim"])))
    assert step.to_advoware == {"text"}


def test_under_an_unknown_key_advoware_wins_what_differs():
    step = only(plan(a_termin(), linked() | {"summary": "Neu"}, bases=Bases.of(["neu"])))
    assert (step.to_advoware, step.to_google, step.conflict) == (frozenset(), {"text"}, False)


def test_an_event_of_ours_without_properties_is_linked_again_and_advoware_wins():
    bare = {key: value for key, value in linked().items() if key != "extendedProperties"}
    assert only(plan(a_termin(), bare)).to_google == frozenset()
    assert only(plan(a_termin(), bare | {"summary": "Neu"})).to_google == {"text"}


def test_what_google_made_of_a_text_stays():
    short = theirs(linked() | {"description": "Akte"})
    event = linked(base_g=BASES.seal(short.canonical)) | {"description": "Akte"}
    assert plan(a_termin(), event) == []
    assert only(plan(a_termin(ort="Saal 3"), event)).to_google == {"ort"}


def test_an_anonymous_event_that_is_not_private_becomes_private():
    event = linked(mode="a") | {"visibility": "default"}
    assert only(plan(a_termin(), event, mode="a")).to_google == frozenset()


def test_no_text_stays_in_an_anonymous_event_whatever_its_base_says():
    seen = linked(mode="a") | {"location": "Saal 12"}
    event = with_link(seen, theirs(seen).link.with_(base_g=BASES.seal(theirs(seen).canonical)))
    assert only(plan(a_termin(), event, mode="a")).to_google == {"ort"}


def test_an_event_that_cannot_be_read_is_left():
    assert kinds(plan(a_termin(), linked() | {"start": {}})) == [Leave]


# Rows 7–12: there is no living event


def test_row_7_a_new_appointment_is_inserted():
    assert kinds(read([a_termin()], [])) == [Insert]


@pytest.mark.parametrize(
    "beyond", [{"datum": "2027-12-02", "datumBis": "2027-12-02", "uhrzeitVon": "00:00:00"}, FAR, OLD]
)
def test_row_7_one_outside_the_window_is_not_inserted(beyond):
    assert plan(a_termin(**beyond), None) == []


def test_row_7_the_last_minute_of_the_window_belongs_to_it():
    row = a_termin(datum="2027-11-24", datumBis="2027-11-24", uhrzeitVon="23:59:00", uhrzeitBis="23:59:00")
    assert kinds(plan(row, None)) == [Insert]


def test_row_7_waits_for_a_complete_list():
    assert read([a_termin()], [], complete=False) == []


def test_row_8_an_event_under_its_own_id_is_taken_as_linked():
    bare = {key: value for key, value in linked().items() if key != "extendedProperties"}
    assert kinds(read([a_termin()], [bare])) == [Merge]


def test_row_9_an_event_deleted_in_google_is_deleted_in_advoware():
    assert kinds(plan(a_termin(), a_tombstone(linked()))) == [Delete]


def test_row_9_restores_what_was_born_in_advoware_when_the_policy_says_so():
    assert kinds(plan(a_termin(), a_tombstone(linked()), delete_policy="restore")) == [Restore]


def test_row_9_deletes_what_was_born_in_google_under_either_policy():
    dead = a_tombstone(linked(event_id="7k3person"))
    assert kinds(plan(a_termin(), dead, delete_policy="restore")) == [Delete]


def test_row_9_restores_while_advoware_is_write_protected():
    assert kinds(plan(a_termin(), a_tombstone(linked()), write_enabled=False)) == [Restore]


def test_row_10_a_tombstone_without_properties_is_suspected_first():
    dead = a_tombstone(linked(), id_only=True)
    assert plan(a_termin(), dead) == [
        Leave("tombstone without properties", clean=False, suspect=dead["id"]),
    ]


def test_row_10_a_second_run_that_sees_the_same_deletes():
    dead = a_tombstone(linked(), id_only=True)
    assert kinds(plan(a_termin(), dead, suspects=frozenset({dead["id"]}))) == [Delete]


def test_row_10_restores_when_the_policy_says_so():
    assert kinds(plan(a_termin(), a_tombstone(linked(), id_only=True), delete_policy="restore")) == [Restore]


def test_row_11_an_edit_in_advoware_beats_a_deletion_in_google():
    assert kinds(plan(a_termin(text="Neu"), a_tombstone(linked()))) == [Restore]


@pytest.mark.parametrize("reason", ["a", "m"])
def test_row_12_an_appointment_that_came_back_comes_back_in_google(reason):
    assert kinds(plan(a_termin(), a_tombstone(linked(deleted=reason)))) == [Restore]


def test_an_event_that_was_to_be_cancelled_is_kept_when_its_appointment_is_back():
    step = only(plan(a_termin(), linked(deleted="a")))
    assert (step.to_advoware, step.to_google) == (frozenset(), frozenset())


def test_row_12_an_event_that_we_cancelled_comes_back_without_its_properties():
    dead = a_tombstone(linked(), id_only=True)
    assert kinds(plan(a_termin(), dead, settled=frozenset({dead["id"]}))) == [Restore]


def test_row_9_a_change_that_came_from_the_deleted_event_is_no_edit():
    dead = a_tombstone(linked() | {"location": "Saal 3"})
    assert kinds(plan(a_termin(ort="Saal 3"), dead)) == [Delete]


# Rows 13–16: there is no appointment


def test_row_13_an_appointment_that_is_gone_cancels_its_event():
    step = only(plan(None, linked(), Absence.GONE))
    assert (step.reason, step.conflict) == ("a", False)


def test_row_14_a_deletion_in_advoware_beats_an_edit_in_google():
    step = only(plan(None, linked() | {"summary": "Neu"}, Absence.GONE))
    assert (step.reason, step.conflict) == ("a", True)


def test_row_13_an_event_that_cannot_be_read_is_cancelled_without_a_conflict():
    assert plan(None, linked() | {"start": {}}, Absence.GONE)[0].conflict is False


def test_row_15_nothing_is_left_on_either_side():
    assert plan(None, a_tombstone(linked()), Absence.GONE) == []
    assert plan(None, a_tombstone(linked(), id_only=True), Absence.NOT_LISTED) == []


@pytest.mark.parametrize("mode", ["f", "a"])
def test_row_16_absence_from_a_list_deletes_nothing(mode):
    twice = (theirs(linked(event_id="andere", mode=mode)),)
    pair = Pair(None, theirs(linked(mode=mode)), Absence.NOT_LISTED, twice)
    assert decide(pair, rules(mode=mode)) == []


def test_row_16_an_appointment_of_another_employee_cancels_the_event():
    steps = plan(None, linked(), Absence.MOVED)
    assert [(step.reason, step.clean) for step in steps if isinstance(step, Leave)] == [("moved", False)]
    assert [step.reason for step in steps if isinstance(step, Cancel)] == ["m"]


def test_row_16_an_edit_of_a_moved_appointment_reaches_advoware_before_the_event_goes():
    steps = plan(a_termin(anwalt="XY"), linked() | {"summary": "Neu"}, Absence.MOVED)
    assert [step.to_advoware for step in steps if isinstance(step, Merge)] == [{"text"}]
    assert kinds(plan(a_termin(anwalt="XY", ort="Saal 3"), linked(), Absence.MOVED)) == [Leave, Cancel]


def test_row_16_one_that_is_there_but_not_listed_is_merged_and_leaves_the_run_unclean():
    mine = ours(a_termin(ort="Saal 3"), listed=False)
    steps = decide(Pair(mine, theirs(linked())), rules())
    assert kinds(steps) == [Leave, Merge]
    assert not steps[0].clean


def test_row_16_one_beyond_the_window_need_not_be_listed():
    assert decide(Pair(ours(a_termin(**FAR), listed=False), theirs(linked(a_termin(**FAR)))), rules()) == []


def test_an_unusable_row_takes_part_in_nothing():
    pair = Pair(None, theirs(linked()), Absence.UNUSABLE, (theirs(linked(event_id="andere")),))
    assert kinds(decide(pair, rules())) == [Leave]


@pytest.mark.parametrize(("absence", "before"), [(Absence.UNUSABLE, [Leave]), (Absence.NOT_LISTED, [])])
def test_an_event_that_cannot_be_compared_is_hidden_unless_it_was_edited(absence, before):
    assert kinds(plan(None, linked(), absence, mode="a")) == [*before, Anonymise]
    assert kinds(plan(None, linked() | {"summary": "Neu"}, absence, mode="a")) == before
    assert kinds(plan(None, linked(mode="a"), absence, mode="a")) == before
    assert kinds(plan(None, linked() | {"start": {}}, absence, mode="a")) == before


@pytest.mark.parametrize("when", [OLD, FAR])
def test_an_event_outside_the_window_is_hidden_when_the_mode_says_so(when):
    event = linked(a_termin(**when))
    assert kinds(plan(None, event, Absence.NOT_LISTED, mode="a")) == [Anonymise]
    assert plan(None, event, Absence.NOT_LISTED, mode="f") == []


@pytest.mark.parametrize("when", [OLD, FAR])
def test_a_hidden_event_outside_the_window_stays_hidden(when):
    event = linked(a_termin(**when), mode="a")
    assert plan(None, event, Absence.NOT_LISTED, mode="f") == []
    assert plan(None, event, Absence.NOT_LISTED, mode="a") == []


# Rows 17–21: born in Google


def test_row_17_an_event_born_in_google_is_created_in_advoware():
    assert kinds(read([], [an_event()])) == [Create]


@pytest.mark.parametrize("mode", ["f", "a"])
def test_row_17_a_placeholder_without_a_link_never_reaches_advoware(mode):
    assert read([], [an_event(summary=PLACEHOLDER)], mode=mode) == [Leave("placeholder without link")]


def test_row_17_a_series_that_advoware_cannot_hold_stays_in_google():
    event = an_event(recurrence=["RRULE:FREQ=WEEKLY;BYDAY=MO,TH"])
    assert kinds(read([], [event])) == [Leave]


def test_row_17_an_overnight_series_stays_in_google():
    event = an_event(recurrence=["RRULE:FREQ=DAILY"], end={"dateTime": "2026-12-04T02:00:00+01:00"})
    assert kinds(read([], [event])) == [Leave]


def test_row_17_an_event_that_cannot_be_read_is_left():
    assert kinds(read([], [an_event(start={})])) == [Leave]


@pytest.mark.parametrize("day", ["2026-09-01", "2028-03-01"])
def test_row_17_an_event_outside_the_window_stays_in_google(day):
    times = {key: {"dateTime": f"{day}T{clock}+01:00"} for key, clock in (("start", "09:00:00"), ("end", "10:00:00"))}
    assert read([], [an_event(**times)]) == []


def test_row_17_a_write_protected_advoware_leaves_events_of_people_alone():
    assert read([], [an_event()], write_enabled=False) == []


def test_row_17_a_deleted_event_of_a_person_is_nobodys_business():
    assert read([a_termin(text="x")], [a_tombstone(an_event())])[1:] == []


def test_row_18_an_exact_twin_is_linked():
    step = only(read([a_termin()], [an_event()]))
    assert isinstance(step, Adopt)
    assert step.twin


def test_row_18_two_candidates_are_no_twin():
    assert sorted(kind.__name__ for kind in kinds(read([a_termin()], [an_event(), an_event(id="zwei")]))) == [
        "Create",
        "Create",
        "Insert",
    ]
    rows = [a_termin(), a_termin(frNr=4712)]
    assert sorted(kind.__name__ for kind in kinds(read(rows, [an_event()]))) == ["Create", "Insert", "Insert"]


def test_row_18_one_that_only_looks_similar_is_no_twin():
    assert kinds(read([a_termin(ort="")], [an_event()])) == [Insert, Create]


def test_row_19_a_young_creation_is_left_alone_and_the_run_is_not_clean():
    step = only(read([], [announced(age_s=899)]))
    assert (type(step), step.clean) == (Leave, False)


def test_row_19_the_marker_at_hand_links_at_once():
    step = only(read([a_termin(notiz=f"Akte 123/26\n[G:{TOKEN}]")], [announced(age_s=1)]))
    assert isinstance(step, Adopt)
    assert not step.twin


def test_row_20_an_old_creation_without_marker_is_searched_for_and_made_again():
    assert only(read([], [announced(age_s=901)])) == Create(theirs(announced(age_s=901)), search_first=True)


def test_row_20_of_copied_appointments_the_lowest_number_is_linked_and_the_other_is_new():
    rows = [a_termin(frNr=number, notiz=f"[G:{TOKEN}]") for number in (4720, 4719)]
    steps = read(rows, [announced()])
    assert [step.ours.fr_nr for step in steps if isinstance(step, Adopt)] == ["4719"]
    assert [step.ours.fr_nr for step in steps if isinstance(step, Insert)] == ["4720"]


def test_row_20_a_marker_of_a_finished_creation_counts_no_more():
    rows = [a_termin(frNr=number, notiz=f"Akte 123/26\n[G:{TOKEN}]") for number in (4711, 4720)]
    assert kinds(read(rows, [linked(a_termin(), event_id="7k3person")])) == [Insert]


def test_row_20_an_unmarked_appointment_that_may_be_ours_is_reserved():
    steps = read([a_termin()], [announced()])
    assert [(type(step), step.clean) for step in steps] == [(Leave, False), (Leave, False)]


def test_row_20_without_markers_the_content_is_taken_for_one():
    assert kinds(read([a_termin()], [announced()], markers=False)) == [Adopt]
    assert kinds(read([a_termin()], [announced(max_fr=4711)], markers=False)) == [Insert, Leave][::-1]


def test_row_20_what_was_posted_without_a_marker_is_known_by_its_content_whatever_is_set_now():
    assert kinds(read([a_termin()], [announced(bare=True)])) == [Adopt]
    assert Adopt not in kinds(read([a_termin()], [announced()]))


def test_row_20_an_old_creation_waits_while_advoware_is_write_protected():
    assert read([], [announced(age_s=901)], write_enabled=False) == []


def test_row_20_an_old_creation_of_what_became_a_placeholder_is_never_made():
    event = announced(an_event(summary=PLACEHOLDER), age_s=901)
    assert read([], [event]) == [Leave("placeholder without link")]


def test_a_refused_creation_waits_and_the_run_is_clean():
    step = only(read([], [announced(refused=True)]))
    assert (type(step), step.clean) == (Leave, True)


def test_a_refused_creation_is_tried_again_when_its_event_was_edited():
    assert kinds(read([], [announced(refused=True) | {"summary": "Neu"}])) == [Create]


def test_a_refused_creation_is_tried_again_after_the_grace():
    assert kinds(read([], [announced(refused=True, age_s=901)])) == [Create]


def test_a_refused_creation_reserves_nothing():
    assert kinds(read([a_termin()], [announced(refused=True)], markers=False)) == [Leave, Insert]


def test_row_21_what_a_deleted_event_created_is_deleted_after_the_grace():
    posted = a_termin(notiz=f"{a_termin()['notiz']}\n[G:{TOKEN}]")
    step = only(read([posted], [a_tombstone(announced(age_s=901))]))
    assert isinstance(step, Delete)
    assert step.orphan


def test_row_21_never_deletes_what_was_edited_or_copied_with_the_marker():
    copied = a_termin(notiz=f"{a_termin()['notiz']}\n[G:{TOKEN}]", text="Abschrift")
    assert kinds(read([copied], [a_tombstone(announced(age_s=901))])) == [Insert]


def test_row_21_waits_for_the_grace():
    step = only(read([a_termin(notiz=f"[G:{TOKEN}]")], [a_tombstone(announced())]))
    assert (type(step), step.clean) == (Leave, False)


def test_row_21_without_a_marked_appointment_there_is_nothing():
    assert read([], [a_tombstone(announced(age_s=901))]) == []
    assert kinds(read([], [a_tombstone(announced())])) == [Leave]


def test_row_21_never_deletes_what_only_has_the_same_content():
    assert kinds(read([a_termin()], [a_tombstone(announced(age_s=901))], markers=False)) == [Insert]


def test_row_21_inserts_instead_while_advoware_is_write_protected():
    rows = [a_termin(notiz=f"[G:{TOKEN}]")]
    assert kinds(read(rows, [a_tombstone(announced(age_s=901))], write_enabled=False)) == [Insert]


# Rows 22–25: copies, duplicates, shared ones


def test_row_22_of_two_events_the_one_born_in_google_is_kept():
    steps = read([a_termin()], [linked(), linked(event_id="7k3person")])
    assert [(step.theirs.id, step.reason) for step in steps] == [(IDS.make("4711"), "d")]


def test_row_22_of_two_generations_the_lower_one_is_kept():
    steps = read([a_termin()], [linked(event_id=IDS.make("4711", n)) for n in (2, 0, 1)])
    assert sorted(step.theirs.id for step in steps) == [IDS.make("4711", 1), IDS.make("4711", 2)]


def test_row_22_the_next_generation_of_a_dead_event_is_the_link():
    assert read([a_termin()], [a_tombstone(linked()), linked(event_id=IDS.make("4711", 1))]) == []


def test_row_22_of_dead_generations_the_newest_tells_what_happened():
    events = [a_tombstone(linked(deleted="a")), a_tombstone(linked(event_id=IDS.make("4711", 1)))]
    assert kinds(read([a_termin()], events)) == [Delete]


def test_row_22_our_own_clean_up_is_no_deletion_by_a_person():
    events = [a_tombstone(linked(deleted="d")), linked(event_id="7k3person")]
    assert read([a_termin()], events) == []
    assert read([a_termin()], events[:1], complete=False) == []


def test_row_22_a_clean_up_that_was_not_finished_is_finished():
    steps = read([a_termin()], [linked(deleted="d"), linked(event_id=IDS.make("4711", 1))])
    assert [(step.theirs.id, step.reason) for step in steps] == [(IDS.make("4711"), "d")]


def test_row_22_both_go_when_the_appointment_is_gone():
    pair = Pair(None, theirs(linked()), Absence.GONE, (theirs(linked(event_id="zwei")),))
    assert [step.reason for step in decide(pair, rules())] == ["d", "a"]


def test_row_23_a_copy_is_a_new_event():
    copy = linked() | {"id": "kopie"}
    assert theirs(copy).link == Link()
    assert kinds(read([a_termin()], [linked(), copy])) == [Create]


def test_row_23_a_copy_of_an_anonymous_event_is_put_aside():
    copy = linked(mode="a") | {"id": "kopie"}
    assert kinds(read([a_termin()], [linked(mode="a"), copy], mode="a")) == [Leave]


def test_row_23_a_deleted_copy_deletes_nothing():
    assert read([a_termin()], [linked(), a_tombstone(linked() | {"id": "kopie"})]) == []


@pytest.mark.parametrize("row", [a_termin(frNr=-17), a_termin(frNr=0), a_termin(anwalt="ALLE"), a_termin(anwalt="")])
def test_row_24_a_shared_or_derived_appointment_is_never_written(row):
    step = only(plan(row, linked(row) | LATER))
    assert (step.to_advoware, step.to_google) == (frozenset(), {"start"})
    assert plan(row, a_tombstone(linked(row))) == []
    assert kinds(plan(row, a_tombstone(linked(row, deleted="a")))) == [Restore]


def test_row_25_the_second_of_two_edits_in_two_calendars_loses():
    first = linked() | {"location": "Saal 1"}
    assert only(plan(a_termin(), first)).to_advoware == {"ort"}
    step = only(plan(a_termin(ort="Saal 1"), linked() | {"location": "Saal 2"}))
    assert (step.to_advoware, step.to_google, step.conflict) == (frozenset(), {"ort"}, True)


# Whom to ask before anything is concluded from absence


def asks(event, absence=Absence.NOT_LISTED):
    return needs_confirmation(Pair(None, theirs(event), absence), BASES, rules().window)


def test_an_event_in_the_window_is_asked_for():
    assert asks(linked())


def test_nothing_is_asked_twice_or_without_need():
    assert not asks(linked(), Absence.GONE)
    assert not asks(a_tombstone(linked()))
    assert not asks(linked() | {"start": {}})
    assert not needs_confirmation(Pair(ours(), theirs(linked())), BASES, rules().window)


def test_a_frozen_event_is_not_asked_for():
    assert not asks(linked(a_termin(**OLD)) | {"summary": "Neu"})


def test_an_event_beyond_the_window_is_asked_for_only_when_it_changed():
    event = linked(a_termin(**FAR))
    assert not asks(event)
    assert asks(event | {"summary": "Neu"})


def test_the_window_is_measured_in_berlin_days():
    begins, ends = rules().window
    assert (begins.date(), ends.date()) == (date(2026, 10, 25), date(2027, 11, 25))
