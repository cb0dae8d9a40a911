"""Small things to build tests from: appointments, Termine, events and the rules of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from functions.calendar_sync.bases import Bases
from functions.calendar_sync.identity import OwnIds, tenant_hash
from functions.calendar_sync.link import Intent, Link, with_link
from functions.calendar_sync.pairing import Reader
from functions.calendar_sync.plan import Ours, Theirs
from functions.calendar_sync.planner import Rules
from shared.domain.appointment import BERLIN, Appointment
from shared.mapping.berlin import berlin, sync_window
from shared.mapping.google_event import anonymised, to_body

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
PLACEHOLDER = "Termin (Advoware)"
BASES = Bases.of(["geheim"])
IDS = OwnIds(tenant_hash("kanzlei", "db"))
READER = Reader(IDS)
TOKEN = "abcdefghijklmnopqrstuv"
DAY = date(2026, 12, 3)


def an_appointment(**changes: Any) -> Appointment:
    """Build a hearing in Berlin time."""
    hearing = Appointment(
        berlin(DAY, time(9, 30)),
        berlin(DAY, time(11)),
        text="Verhandlung Meier ./. Schulz",
        place="AG Hannover, Saal 12",
        notes="Akte 123/26",
    )
    return replace(hearing, **changes)


def a_termin(**changes: Any) -> dict[str, Any]:
    """Build the row of the same hearing."""
    row = {
        "frNr": 4711,
        "anwalt": "SB",
        "datum": "2026-12-03T00:00:00",
        "uhrzeitVon": "09:30:00",
        "datumBis": "2026-12-03T00:00:00",
        "uhrzeitBis": "11:00:00",
        "dauertermin": 0,
        "turnus": 0,
        "turnusArt": 0,
        "text": "Verhandlung Meier ./. Schulz",
        "ort": "AG Hannover, Saal 12",
        "notiz": "Akte 123/26",
        "zuletztGeaendertAm": "2026-11-20T14:03:11",
        "vorbereitungsDauer": "00:30:00",
    }
    return row | changes


def an_event(**changes: Any) -> dict[str, Any]:
    """Build an event that a person made: the same hearing, no link."""
    event = {
        "id": "7k3person",
        "etag": '"1"',
        "status": "confirmed",
        "summary": "Verhandlung Meier ./. Schulz",
        "location": "AG Hannover, Saal 12",
        "description": "Akte 123/26",
        "start": {"dateTime": "2026-12-03T09:30:00+01:00", "timeZone": "Europe/Berlin"},
        "end": {"dateTime": "2026-12-03T11:00:00+01:00", "timeZone": "Europe/Berlin"},
        "reminders": {"useDefault": True},
    }
    return {key: value for key, value in (event | changes).items() if value is not None}


def rules(**changes: Any) -> Rules:
    """Build the rules of a run in full mode at four in the morning, UTC."""
    plain = Rules(BASES, "f", (PLACEHOLDER,), sync_window(NOW, 30, 365), NOW.timestamp())
    return replace(plain, **changes)


def ours(row: Mapping[str, Any] | None = None, *, listed: bool = True, **changes: Any) -> Ours:
    """Read a row, by default the hearing with some fields changed."""
    return READER.ours(row if row is not None else a_termin(**changes), listed=listed)


def theirs(event: Mapping[str, Any] | None = None, **changes: Any) -> Theirs:
    """Read an event, by default the unlinked hearing with some fields changed."""
    return READER.theirs(event if event is not None else an_event(**changes))


def linked(
    row: Mapping[str, Any] | None = None, *, mode: str = "f", event_id: str = "", bases: Bases = BASES, **link: Any
) -> dict[str, Any]:
    """Build the event that shows a row exactly, linked and in step with it."""
    mine = ours(row)
    shown = mine.appointment if mode == "f" else anonymised(mine.appointment, PLACEHOLDER)
    own_id = event_id or IDS.make(mine.fr_nr)
    props = Link(
        own_id,
        mine.fr_nr,
        bases.seal(mine.canonical),
        bases.seal(shown.canonical()),
        mode,
        "a" if IDS.read(own_id) else "g",
    )
    head = {"id": own_id, "etag": '"1"', "status": "confirmed", "updated": "2026-11-23T10:00:00.000Z"}
    return with_link(head | to_body(shown, private=mode == "a"), props.with_(**link))


def a_tombstone(event: Mapping[str, Any], *, id_only: bool = False) -> dict[str, Any]:
    """Build what stays of a deleted event."""
    return {"id": event["id"], "status": "cancelled"} if id_only else {**event, "status": "cancelled"}


def an_intent(event: Mapping[str, Any] | None = None, *, age_s: float = 60, max_fr: int = 4700, **more: Any) -> Intent:
    """Build the open creation of an event, begun some seconds before Advoware was read."""
    sealed = BASES.seal(theirs(event or an_event()).canonical)
    return Intent(more.pop("token", TOKEN), NOW.timestamp() - age_s, max_fr, sealed, **more)


def announced(event: Mapping[str, Any] | None = None, **intent: Any) -> dict[str, Any]:
    """Build an event with an open creation."""
    base = event or an_event()
    return with_link(base, Link(own_id=base["id"], intent=an_intent(base, **intent)))


def at(day: date, clock: str) -> datetime:
    """Name a time on Berlin's wall clock."""
    return berlin(day, time.fromisoformat(clock))


def on(day: date, days: int = 1, **changes: Any) -> Appointment:
    """Build an all-day appointment."""
    start = datetime.combine(day, time(), tzinfo=BERLIN)
    return Appointment(start, start + timedelta(days=days), all_day=True, **changes)
