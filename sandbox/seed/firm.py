"""Put the firm together: employees and exactly as many appointments as are wanted."""

from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from sandbox.seed.entry import Termin, entry
from sandbox.seed.ordinary import ordinary
from sandbox.seed.people import people
from sandbox.seed.special import special

PAST_DAYS, FUTURE_DAYS = 30, 365
Rows = list[dict[str, Any]]


def firm(  # noqa: PLR0913  (each is one wish of a test)
    employees: int = 10,
    appointments: int = 200,
    *,
    today: date,
    rng_seed: int = 1,
    shared: int = 0,
    derived: int = 0,
) -> tuple[Rows, Rows]:
    """Invent employees, each with that many appointments between today - 30 and today + 365 days.

    `shared` adds appointments of "ALLE", `derived` adds read-only ones (frNr <= 0) to the first employee.
    """
    rng = Random(rng_seed)
    staff = people(employees, rng)
    rows = [{"anwalt": person["kuerzel"], **row} for person in staff for row in calendar(rng, appointments, today)]
    rng.shuffle(rows)
    rows += [{"anwalt": "ALLE", **entry(today + timedelta(days=n), "-", "Betriebsausflug")} for n in range(shared)]
    numbered = [finish(rng, row, number, today) for row, number in zip(rows, numbers(rng), strict=False)]
    for n in range(derived):
        row = {
            "anwalt": staff[0]["kuerzel"],
            **entry(today + timedelta(days=n), "10:00-11:00", "Aus dem Gerichtskalender"),
        }
        numbered.append(finish(rng, row, -n, today))
    return staff, numbered


def calendar(rng: Random, count: int, today: date) -> list[Termin]:
    """Fill one employee's calendar; at most half of it is special."""
    first, last = today - timedelta(days=PAST_DAYS), today + timedelta(days=FUTURE_DAYS)
    rows = special(rng, first, last)[: (count + 1) // 2]
    while len(rows) < count:
        rows.append(ordinary(rng, working_day(rng, first, last)))
    return rows


def working_day(rng: Random, first: date, last: date) -> date:
    """Choose a day from Monday to Friday, clear of the edges."""
    day = first + timedelta(
        days=rng.randint(32, (last - first).days - 3) if rng.random() < 0.95 else rng.randint(29, 31)
    )
    return day - timedelta(days=max(0, day.weekday() - 4))


def numbers(rng: Random) -> Any:
    """Count upwards with gaps, as deleted records leave them."""
    number = 4710
    while True:
        number += rng.randint(1, 3)
        yield number


def finish(rng: Random, row: Termin, number: int, today: date) -> Termin:
    """Add the number, the last change and, to some, another spelling of the day and unknown fields."""
    changed = datetime.combine(today, datetime.min.time()) - timedelta(minutes=rng.randint(60, 90_000))
    whole = {"frNr": number, **row, "zuletztGeaendertAm": changed.isoformat(timespec="seconds")}
    if rng.random() < 0.5:
        whole |= {name: f"{whole[name]}T00:00:00" for name in ("datum", "datumBis")}
    if rng.random() < 0.2:
        whole.setdefault("vorbereitungsDauer", "00:30:00")
    return whole
