"""Wall-clock times in Berlin."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from shared.domain.appointment import BERLIN


def berlin(day: date, clock: time) -> datetime:
    """Read a wall-clock time in Berlin; a time inside the spring gap becomes the one an hour later."""
    wall = datetime.combine(day, clock.replace(second=0, microsecond=0, tzinfo=None), tzinfo=BERLIN)
    return wall.astimezone(UTC).astimezone(BERLIN).replace(fold=0)


def wall_later(moment: datetime, length: timedelta) -> datetime:
    """Move a time on Berlin's wall clock; one that lands in the spring gap moves on by another hour."""
    wall = moment.astimezone(BERLIN).replace(fold=0) + length
    return berlin(wall.date(), wall.time())


def midnight(day: date) -> datetime:
    """Say when a day begins in Berlin."""
    return datetime.combine(day, time(), tzinfo=BERLIN)


def sync_window(now: datetime, past_days: int, future_days: int) -> tuple[datetime, datetime]:
    """Give the synchronised window: midnight of today minus past days to today plus future days plus one, exclusive."""
    today = now.astimezone(BERLIN).date()
    return midnight(today - timedelta(days=past_days)), midnight(today + timedelta(days=future_days + 1))
