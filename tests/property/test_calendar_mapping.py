"""Whatever was written comes back, and nothing that can be read fails in an unexpected way."""

from __future__ import annotations

from builders import NOW, TOKEN, a_termin, an_event
from calendar_strategies import any_day, appointments, words
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.appointment import FIELDS, tidy
from shared.mapping import google_event, recurrence, termin
from shared.mapping.google_event import UnusableEventError
from shared.mapping.termin import UnusableTerminError
from shared.mapping.text import dressed, folded, plain_text

promise = settings(max_examples=120, derandomize=True, deadline=None)
settings_names = st.sampled_from(["dauertermin", "abwesenheit"])
markers = st.none() | st.just(TOKEN)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.just("0001-01-01T00:00:00"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=3,
)
clock_like = st.from_regex(r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?", fullmatch=True) | anything
day_like = any_day.map(str) | st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9]", fullmatch=True) | anything
rule_like = st.lists(
    st.sampled_from(
        "FREQ=DAILY FREQ=YEARLY FREQ=MONTHLY COUNT=3 COUNT=9999 COUNT=-1 INTERVAL=99999999 INTERVAL=-5 UNTIL=T "
        "UNTIL=99991231T235959Z UNTIL=00010101T000000Z BYDAY=MO BYDAY =".split()
    ),
    max_size=4,
).map(lambda parts: "RRULE:" + ";".join(parts))


@promise
@given(appointments, settings_names, markers)
def test_an_appointment_survives_a_row_and_an_event(target, all_day_field, marker):
    row = termin.new_row(target, "SB", marker, all_day_field)
    assert termin.marker_of(row["notiz"]) == marker
    mine = termin.to_appointment(row, all_day_field)
    assert mine.canonical() == target.canonical()
    event = google_event.to_body(mine, private=False)
    assert google_event.to_appointment(event).canonical() == target.canonical()


@promise
@given(appointments, appointments, settings_names, markers)
def test_a_changed_row_reads_as_its_target(before, target, all_day_field, marker):
    row = termin.new_row(before, "SB", marker, all_day_field) | {"unbekannt": 1}
    changed = termin.with_fields(row, target, FIELDS, all_day_field)
    assert termin.to_appointment(changed, all_day_field).canonical() == target.canonical()
    assert (changed["unbekannt"], termin.marker_of(changed["notiz"])) == (1, marker)


@promise
@given(appointments, st.sets(st.sampled_from(["text", "ort", "notiz"])), appointments)
def test_only_the_named_texts_of_a_row_change(before, fields, target):
    row = termin.new_row(before, "SB", None, "dauertermin")
    changed = termin.with_fields(row, target, fields, "dauertermin")
    assert {name for name in row if changed[name] != row[name]} <= fields


@promise
@given(appointments, appointments)
def test_a_changed_event_reads_as_its_target_and_a_second_change_is_none(before, target):
    event = an_event(summary=None, location=None, description=None) | google_event.to_body(before, private=False)
    changed = google_event.with_content(event, target)
    assert google_event.to_appointment(changed).canonical() == target.canonical()
    assert google_event.with_content(changed, target) == changed
    assert google_event.with_content(event, google_event.to_appointment(event)) == event


@promise
@given(appointments)
def test_a_rule_comes_back_as_it_was(target):
    rule = target.recurrence
    if rule is not None:
        line = recurrence.to_rrule(rule, target.start, target.all_day)
        assert recurrence.from_rrule([line], target.start) == rule


@promise
@given(
    st.fixed_dictionaries(
        {"datum": day_like, "datumBis": day_like, "uhrzeitVon": clock_like, "uhrzeitBis": clock_like},
        optional=dict.fromkeys(
            ("dauertermin", "abwesenheit", "turnus", "turnusArt", "text", "ort", "notiz", "anwalt"), anything
        ),
    ),
    settings_names,
)
def test_any_row_is_read_or_unusable(row, all_day_field):
    try:
        mine = termin.to_appointment(row, all_day_field)
    except UnusableTerminError:
        return
    assert mine.end > mine.start
    assert mine.canonical() == mine.canonical()
    body = google_event.to_body(mine, private=False)
    assert google_event.to_appointment(body).canonical() == mine.canonical()


@promise
@given(st.integers(0, 9), st.integers(0, 9), any_day, day_like)
def test_any_series_of_advoware_survives_google(turnus, art, first, last):
    mine = termin.to_appointment(a_termin(datum=str(first), datumBis=last, turnus=turnus, turnusArt=art))
    body = google_event.to_body(mine, private=False)
    assert google_event.to_appointment(body).canonical() == mine.canonical()


moments = st.fixed_dictionaries(
    {},
    optional={
        "date": day_like,
        "dateTime": st.datetimes().map(lambda moment: moment.isoformat()) | st.just("2026-12-03T09:30:00Z") | anything,
        "timeZone": st.sampled_from(["Europe/Berlin", "Asia/Tokyo", "Europe", "..", ""]) | anything,
    },
)


@promise
@given(
    st.fixed_dictionaries(
        {"start": moments | anything, "end": moments | anything},
        optional=dict.fromkeys(("summary", "location", "description"), anything | words)
        | {"recurrence": st.lists(rule_like | anything, max_size=2) | anything},
    )
)
def test_any_event_is_read_or_unusable(event):
    try:
        found = google_event.to_appointment(event)
    except UnusableEventError:
        return
    assert found.canonical() == found.canonical()
    found.is_over(NOW)
    assert google_event.with_content(event, found) == event


html_like = st.lists(
    st.sampled_from(["<b>", "<br>", "<![", "<!", "<?", "</", "<a x=", "<", "&", "&amp;", "]]>", "<script>", "<b", "\n"])
    | words,
    max_size=8,
).map("".join)


@promise
@given(html_like)
def test_any_text_survives_a_description(text):
    assert tidy(plain_text(dressed(text))) == tidy(text)


@promise
@given(html_like)
def test_tidying_and_folding_twice_change_nothing_more(text):
    assert tidy(tidy(text)) == tidy(text)
    assert folded(folded(text)) == folded(text)
