"""One call out of its events: order and repetition never matter, and nothing goes back."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations, product

from hypothesis import given, settings
from hypothesis import strategies as st

from functions.threecx.call import Call, Entry, grouped
from shared.domain.call import Consent, Event, Said, Status

T0 = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
NUMBER = "+495111234567"


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


STARTED = Event(Said.STARTED, T0, "inbound", NUMBER, agent="102")
MOVED = Event(Said.TRANSFERRED, at(60), "inbound", NUMBER, agent="102", moved_to="105")
ENDED = Event(
    Said.ENDED,
    at(190),
    "inbound",
    NUMBER,
    agent="102",
    answered=True,
    duration_s=182,
    recording_id="r-9",
    consent=Consent.GIVEN,
)
REPORT = Event(Said.REPORT, at(187), "inbound", NUMBER, agent="102", answered=True, start=at(5), duration_s=182)
ALL = (STARTED, MOVED, ENDED, REPORT)


def entries_of(told: tuple[Event, ...]) -> list[Entry]:
    """Store what arrives as the receiver does: the report under a key of its own."""
    own = Call().told(*(event for event in told if event.said is not Said.REPORT))
    reports = [event for event in told if event.said is Said.REPORT]
    found = [Entry("c-77", own)] if own.events else []
    return found + [Entry("r-1", Call().told(*reports), has_id=False)] * bool(reports)


def test_every_order_of_the_four_statements_gives_one_call_with_the_same_fields():
    seen = set()
    for order in permutations(ALL):
        for copies in product((1, 2), repeat=4):
            told = tuple(event for event, times in zip(order, copies, strict=True) for _ in range(times))
            [group] = grouped(entries_of(told))
            call = group.call
            seen.add((group.keys, call.direction, call.number, call.agent, call.answered, call.start, call.end))
    assert seen == {(("c-77", "r-1"), "inbound", NUMBER, "105", True, T0, at(190))}


@settings(deadline=None)
@given(st.permutations([*ALL, *ALL]), st.integers(0, 8))
def test_the_state_only_moves_forward(order, cut):
    call, reached = Call(), Status.INITIATED
    for event in order[: cut + 1]:
        call = call.told(event)
        assert call.status >= reached
        reached = call.status
    assert call == Call().told(*order[: cut + 1])


@settings(deadline=None)
@given(st.sets(st.sampled_from(ALL), min_size=1))
def test_any_part_of_the_story_makes_a_whole_call(events):
    call = Call().told(*events)
    assert call.start <= (call.end or call.last)
    assert call.over == bool(events & {ENDED, REPORT})
    assert call.agent in {"102", "105"}


def test_without_a_start_it_is_counted_back_from_the_end():
    call = Call().told(ENDED)
    assert call.start == at(190 - 182)


def test_a_late_start_does_not_reopen_an_ended_call():
    assert Call().told(ENDED).told(STARTED).status is Status.ENDED
    of_a_fast_clock = Event(Said.STARTED, at(500), "inbound", NUMBER)
    assert Call().told(ENDED, of_a_fast_clock).status is Status.ENDED


def test_after_two_transfers_the_call_belongs_to_the_last():
    again = Event(Said.TRANSFERRED, at(90), "inbound", NUMBER, agent="105", moved_to="107")
    assert Call().told(again, MOVED, ENDED).agent == "107"


def test_of_two_statements_about_consent_the_more_careful_one_holds():
    refused = Event(Said.ENDED, at(191), consent=Consent.REFUSED)
    withdrawn = Event(Said.ENDED, at(999), consent=Consent.WITHDRAWN)
    assert Call().told(ENDED).consent is Consent.GIVEN
    assert Call().told(refused, ENDED).consent is Consent.REFUSED
    assert Call().told(withdrawn, ENDED, refused).consent is Consent.WITHDRAWN


def a_report(key: str, start: float, agent: str, queue: str = "", **more) -> Entry:
    event = Event(Said.REPORT, at(start + 30), "inbound", NUMBER, agent, queue, start=at(start), **more)
    return Entry(key, Call().told(event), has_id=False)


def a_call(key: str, start: float, agent: str = "", queue: str = "") -> Entry:
    return Entry(key, Call().told(Event(Said.STARTED, at(start), "inbound", NUMBER, agent, queue)))


def keys(*entries: Entry) -> set[tuple[str, ...]]:
    return {group.keys for group in grouped(entries)}


def test_different_ids_never_merge():
    assert keys(a_call("c-1", 0, "102"), a_call("c-2", 1, "102")) == {("c-1",), ("c-2",)}


def test_each_report_joins_the_nearest_call_and_a_call_takes_one_report_of_an_agent():
    found = keys(
        a_call("c-1", 0, "102"), a_call("c-2", 40, "102"), a_report("r-1", 38, "102"), a_report("r-2", 3, "102")
    )
    assert found == {("c-1", "r-2"), ("c-2", "r-1")}


def test_a_second_report_of_the_same_agent_is_another_call():
    assert keys(a_call("c-1", 0, "102"), a_report("r-1", 2, "102"), a_report("r-2", 20, "102")) == {
        ("c-1", "r-1"),
        ("r-2",),
    }


def test_the_window_is_sixty_seconds_and_the_agent_or_queue_must_be_the_same():
    assert keys(a_call("c-1", 0, "102"), a_report("r-1", 60, "102")) == {("c-1", "r-1")}
    assert keys(a_call("c-1", 0, "102"), a_report("r-1", 61, "102")) == {("c-1",), ("r-1",)}
    assert keys(a_call("c-1", 0, "102"), a_report("r-1", 5, "103")) == {("c-1",), ("r-1",)}
    assert keys(a_call("c-1", 0, "102", "800"), a_report("r-1", 5, "103", "800")) == {("c-1", "r-1")}


def a_row(key: str, start: float, *agents: str) -> Entry:
    logged = Event(Said.LOGGED, at(start + 30), "inbound", NUMBER, agents[-1], start=at(start))
    moves = [Event(Said.TRANSFERRED, at(start + 9), agent=one, moved_to=next_) for one, next_ in pairwise(agents)]
    return Entry(key, Call().told(logged, *moves), has_id=False)


def test_two_rows_of_the_log_are_two_calls_whoever_took_part():
    assert keys(a_row("r-1", 0, "102", "105"), a_row("r-2", 20, "102")) == {("r-1",), ("r-2",)}
    assert keys(a_row("r-1", 0, "102"), a_row("r-2", 20, "102", "105")) == {("r-1",), ("r-2",)}
    found = keys(a_call("c-1", 0, "102"), a_row("r-1", 1, "102", "105"), a_row("r-2", 20, "105", "102"))
    assert found == {("c-1", "r-1"), ("r-2",)}


def test_a_row_of_the_log_joins_the_reports_of_all_who_took_part():
    for late in (20, 40, 60):
        there = a_row("r-1", 0, "102", "105"), a_report("r-2", 3, "102"), a_report("r-3", late, "105")
        assert keys(*there) == {("r-1", "r-2", "r-3")}
    there = a_row("r-1", 0, "102", "105"), a_report("r-2", 3, "102"), a_report("r-3", 5, "107")
    assert keys(*there) == {("r-1", "r-2"), ("r-3",)}


def test_a_queue_does_not_become_one_missed_call_for_each_idle_agent():
    found = keys(*(a_report(f"r-{agent}", agent - 101, str(agent), "800") for agent in (101, 102, 103)))
    assert found == {("r-101", "r-102", "r-103")}


def test_what_a_later_statement_tells_apart_is_told_apart_again():
    bare, late = a_call("c-1", 0), a_call("c-1", 0, "105")
    assert keys(bare, a_report("r-1", 2, "102")) == {("c-1", "r-1")}
    assert keys(late, a_report("r-1", 2, "102")) == {("c-1",), ("r-1",)}


@settings(max_examples=60, deadline=None)
@given(st.permutations(range(6)))
def test_grouping_does_not_depend_on_the_order_of_arrival(order):
    there = [
        a_call("c-1", 0, "102"),
        a_call("c-2", 50, "102"),
        a_report("r-1", 4, "102"),
        a_report("r-2", 49, "102"),
        a_report("r-3", 30, "104", "800"),
        a_report("r-4", 33, "105", "800"),
    ]
    assert keys(*(there[place] for place in order)) == keys(*there)
