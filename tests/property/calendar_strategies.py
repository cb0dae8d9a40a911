"""What appointments, rows and edits may look like."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta

from hypothesis import strategies as st

from shared.domain.appointment import BERLIN, Appointment, Frequency, Recurrence
from shared.mapping.berlin import berlin, midnight, wall_later
from shared.mapping.recurrence import ENDLESS_YEAR, last_occurrence

SPECIAL_DAYS = (
    date(2027, 3, 28),  # clocks go forward
    date(2026, 10, 25),  # clocks go back; the first day of the window
    date(2027, 10, 31),
    date(2027, 1, 31),
    date(2027, 2, 28),
    date(2026, 12, 31),
)
days = st.sampled_from(SPECIAL_DAYS) | st.dates(date(2026, 10, 28), date(2027, 10, 30))
any_day = days | st.dates(date(1950, 1, 1), date(2036, 1, 1)) | st.just(date(2028, 2, 29))
clocks = st.sampled_from([time(0), time(1, 30), time(2, 30), time(3), time(9), time(23, 45)]) | st.builds(
    time, st.integers(0, 23), st.sampled_from([0, 15, 30, 59])
)
words = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["Meier ./. Schulz", "a<b und c>d", "<b>x</b> &amp;", "eins\r\nzwei \n\n", "u\u0308ber", "\xa0", "[G:kurz]"]
)
lengths = st.integers(1, 8 * 60) | st.sampled_from([15, 60, 24 * 60, 3 * 24 * 60])


@st.composite
def single(draw: st.DrawFn, day: st.SearchStrategy[date] = any_day) -> Appointment:
    """Draw a single appointment, timed or of whole days."""
    first = draw(day)
    texts = {"text": draw(words), "place": draw(words), "notes": draw(words)}
    if draw(st.booleans()):
        return Appointment(
            midnight(first), midnight(first + timedelta(days=draw(st.integers(1, 4)))), all_day=True, **texts
        )
    start = berlin(first, draw(clocks))
    return Appointment(start, wall_later(start, timedelta(minutes=draw(lengths))), **texts)


@st.composite
def series(draw: st.DrawFn, day: st.SearchStrategy[date] = any_day) -> Appointment:
    """Draw a series that Advoware can hold."""
    mine = draw(single(day))
    first = mine.start.date()
    end = midnight(first + timedelta(days=1)) if mine.all_day else min(mine.end, berlin(first, time(23, 59)))
    if end <= mine.start:
        mine = replace(mine, start=berlin(first, time(8)))
        end = berlin(first, time(9))
    frequency, interval = draw(st.sampled_from(Frequency)), draw(st.integers(1, 6))
    until = draw(st.none() | st.integers(0, 900).map(lambda ahead: first + timedelta(days=ahead)))
    last = until and last_occurrence(first, frequency, interval, until)
    last = last if last and last.year < ENDLESS_YEAR else None
    return replace(mine, end=end.astimezone(BERLIN), recurrence=Recurrence(frequency, interval, last))


appointments = single() | series()
in_window = single(days) | series(days)
