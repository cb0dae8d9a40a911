"""A seeded firm at play: random hands on both sides, runs that go wrong in every way, then quiet and a reckoning.

Every entry carries a token in its title, so that it can be found again on both sides, counted and compared.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests
from calendar_wire import Crash
from calendar_world import PLACEHOLDER, World, private, termin, timed

from sandbox.faults import Fault
from shared.errors import IntegrationError

EMPLOYEES = ("SB", "KL")
Field = str


@dataclass
class Entry:
    """One entry of the firm: what persons did to it since the last quiet moment, on either side."""

    token: str
    origin: str
    fr_nr: int = 0
    google: tuple[str, str] = ("", "")
    values: dict[Field, str] = field(default_factory=dict)
    in_a: dict[Field, str] = field(default_factory=dict)
    in_g: dict[Field, str] = field(default_factory=dict)
    typed: set[str] = field(default_factory=set)
    gone_a: bool = False
    gone_g: bool = False
    moved: bool = False
    roamed: bool = False
    loose: bool = False


class BrokenPromiseError(AssertionError):
    """A promise that was broken."""


class Game:
    """Plays one seed."""

    def __init__(self, world: World, seed: int, *, full: bool) -> None:
        self.world, self.rng, self.full = world, random.Random(seed), full
        self.entries: list[Entry] = []
        self.late: list[Callable[[], Any]] = []
        self.count, self.restores, self.switches = 0, 0.0, False
        self.flushed = self.troubled = False
        self.told: list[str] = []

    # --- hands

    def _say(self, *what: object) -> None:
        self.told.append(" ".join(map(str, what)))

    def _token(self) -> str:
        self.count += 1
        return f"Mandat{self.count:03d}x"

    def _hour(self) -> str:
        return f"{self.rng.randint(8, 17):02d}:{self.rng.choice(['00', '15', '30'])}"

    def a_creates(self) -> None:
        token, hour = self._token(), self._hour()
        fields = termin(self.rng.randint(0, 9), token, hour, "18:00", ort=f"Ort-{token}", notiz=f"Notiz-{token}")
        number = self.world.advoware.create(self.rng.choice(EMPLOYEES), **fields)
        values = {"text": token, "start": hour, "ort": f"Ort-{token}"}
        self.entries.append(Entry(token, "a", number, values=values))
        self._say("a creates", number, token)

    def g_creates(self) -> None:
        calendar = self._calendar(self.rng.choice(EMPLOYEES))
        if calendar is None:
            return
        token, hour = self._token(), self._hour()
        body = timed(self.rng.randint(0, 9), hour, "18:00", summary=token, location=f"Ort-{token}")
        event = self.world.google.create_event(calendar, body)
        values = {"text": token, "start": hour, "ort": f"Ort-{token}"}
        self.entries.append(Entry(token, "g", 0, (calendar, event["id"]), values))
        self._say("g creates", event["id"][:6], token)

    def g_copies(self) -> None:
        found = self._some_event()
        if found is None:
            return
        _, calendar, event = found
        token = self._token()
        copy = self.world.google.copy_event(calendar, event["id"], summary=token)
        self.entries.append(Entry(token, "g", 0, (calendar, copy["id"]), {"text": token}))
        self._say("g copies", event["id"][:6], copy["id"][:6], token)

    def a_edits(self) -> None:
        entry = self._some_row()
        if entry is None:
            return
        name, value, fields = self._change(entry)
        self.world.advoware.edit(entry.fr_nr, **fields)
        entry.in_a[name] = value
        self._say("a edits", entry.fr_nr, name, value)

    def _change(self, entry: Entry) -> tuple[str, str, dict[str, Any]]:
        self.count += 1
        match self.rng.choice(["text", "start", "ort"]):
            case "text":
                value = f"{entry.token} v{self.count}"
                return "text", value, {"text": value}
            case "ort":
                value = f"Ort-{entry.token} {self.count}"
                return "ort", value, {"ort": value}
        value = self._hour()
        return "start", value, {"uhrzeitVon": f"{value}:00"}

    def g_edits(self) -> None:
        found = self._some_event()
        if found is None:
            return
        entry, calendar, event = found
        name, value, _ = self._change(entry)
        hidden = private(event).get("adv_m") == "a" and private(event).get("adv_id") == event["id"]
        if name == "start":
            date = event["start"]["dateTime"][:11]
            self.world.google.edit_event(
                calendar, event["id"], start={"dateTime": f"{date}{value}:00", "timeZone": "Europe/Berlin"}
            )
        else:
            self.world.google.edit_event(calendar, event["id"], **{{"text": "summary", "ort": "location"}[name]: value})
        if name == "start" or not hidden:
            entry.in_g[name] = value
            entry.typed.add(value)
        self._say("g edits", event["id"][:8], entry.token, name, value, "(hidden)" if hidden else "")

    def a_deletes(self) -> None:
        entry = self._some_row()
        if entry is not None:
            self.world.advoware.delete(entry.fr_nr)
            entry.gone_a = True
            self._say("a deletes", entry.fr_nr)

    def g_deletes(self) -> None:
        found = self._some_event()
        if found is not None:
            entry, calendar, event = found
            self.world.google.delete_event(calendar, event["id"])
            entry.gone_g = True
            self._say("g deletes", event["id"][:8], entry.token)

    def g_restores(self) -> None:
        bins = [
            (calendar, event)
            for calendar in filter(None, map(self._calendar, EMPLOYEES))
            for event in self.world.google.events(calendar, deleted=True)
            if event["status"] == "cancelled"
        ]
        if not bins:
            return
        calendar, event = self.rng.choice(bins)
        entry = self._entry_of(calendar, event)
        self.world.google.restore_event(calendar, event["id"])
        if entry is not None:
            entry.gone_g, entry.loose = entry.gone_g or entry.gone_a, True
        self._say("g restores", event["id"][:8], entry and entry.token)

    def a_moves(self) -> None:
        entry = self._some_row()
        if entry is not None:
            now = self.world.advoware.get(entry.fr_nr)["anwalt"]
            self.world.advoware.move(entry.fr_nr, "KL" if now == "SB" else "SB")
            entry.moved = entry.roamed = True
            self._say("a moves", entry.fr_nr)

    def _some_row(self) -> Entry | None:
        rows = self.rows()
        known = [entry for entry in self.entries if entry.fr_nr in rows]
        return self.rng.choice(known) if known else None

    def _some_event(self) -> tuple[Entry, str, dict[str, Any]] | None:
        found = [
            (entry, calendar, event)
            for calendar in filter(None, map(self._calendar, EMPLOYEES))
            for event in self.world.google.events(calendar)
            if (entry := self._entry_of(calendar, event)) is not None
        ]
        return self.rng.choice(found) if found else None

    def _entry_of(self, calendar: str, event: dict[str, Any]) -> Entry | None:
        for entry in self.entries:
            if entry.google == (calendar, event["id"]):
                return entry
        number = private(event).get("adv_fr") if private(event).get("adv_id") == event["id"] else None
        return next((e for e in self.entries if number and str(e.fr_nr) == number), None)

    def _calendar(self, kuerzel: str) -> str | None:
        names = {entry["summary"]: entry["id"] for entry in self.world.google.calendars()}
        return names.get(f"AW-{kuerzel}")

    def rows(self) -> dict[int, dict[str, Any]]:
        """Read all of Advoware; entries born in Google learn their number here."""
        rows = {row["frNr"]: row for row in self.world.advoware.appointments()}
        for entry in self.entries:
            if not entry.fr_nr:
                found = [n for n, row in rows.items() if row["text"].split(" ")[0] == entry.token]
                if len(found) == 1:
                    entry.fr_nr = found[0]
        return rows

    # --- runs

    def act(self) -> None:
        """Let a person do something somewhere."""
        acts = [self.a_creates, self.g_creates, self.a_edits, self.g_edits, self.a_edits, self.g_edits]
        acts += [self.a_deletes, self.g_deletes, self.g_copies, self.a_moves]
        self.rng.choice([*acts, self.g_restores] if self.rng.random() < self.restores else acts)()

    def run(self, kuerzel: str) -> None:
        """Run, whatever comes of it."""
        with contextlib.suppress(IntegrationError, Crash, Exception):
            self.world.state.delete(f"calendar_sync:lock:{kuerzel}")
            self.world.order(kuerzel)
        self.world.wire.reset()
        self._check_leaks()

    def bad_run(self) -> None:
        """Run with something going wrong on the way."""
        kuerzel = self.rng.choice(EMPLOYEES)
        at = self.rng.randint(0, self.rng.choice([3, 8, 15]))
        wire, board = self.world.wire, self.world.advoware.board
        wire.reset()
        kind = self.rng.choice(
            "crash before|crash after|lost|hands|worker|late|short|html|410|flush|503|plain".split("|")
        )
        self._say("run", kuerzel, kind, "at", at)
        self.troubled |= kind in {"crash before", "crash after", "lost", "late", "worker", "503"}
        match kind:
            case "crash before" | "crash after":
                wire.crash(at, done=kind == "crash after")
            case "lost":
                wire.lose(at)
            case "hands":
                wire.before = self._once(at, self.act)
            case "worker":
                wire.before = self._once(at, lambda: self._other_worker(kuerzel))
            case "late":
                wire.late = (at, self.late)
            case "short":
                board.add(Fault("truncate", "GET", path="^/appointments$", keep=self.rng.choice([0, 0.5])))
            case "html":
                board.add(Fault("html", "GET", path="^/appointments", skip=min(at, 2)))
            case "410":
                self.world.google.expire_tokens()
            case "flush":
                self.world.flush()
                self.flushed = True
            case "503":
                for double in (self.world.advoware, self.world.google):
                    double.board.add(Fault("status", skip=at, times=6, json={"error": {}}, status=503))
        self.run(kuerzel)
        board.clear()
        self.world.google.board.clear()
        if kind in {"crash before", "crash after"}:
            self.world.make()

    def _once(self, at: int, what: Callable[[], None]) -> Callable[[int, str], None]:
        def watch(number: int, name: str) -> None:
            if number == at:
                self.world.wire.before = None
                self._say("  in the middle, before", name)
                what()

        return watch

    def _other_worker(self, kuerzel: str) -> None:
        kept = self.world.deps
        self.world.state.delete(f"calendar_sync:lock:{kuerzel}")
        with contextlib.suppress(IntegrationError, requests.RequestException, Exception):
            self.world.order(kuerzel, deps=self.world.make())
        self.world.deps = kept
        if self.rng.random() < 0.5:
            self.act()

    def play(self, rounds: int = 3, steps: int = 6) -> None:
        """Play some rounds, each with a reckoning at its end."""
        for kuerzel in EMPLOYEES:
            self.run(kuerzel)
        for _ in range(rounds):
            for _ in range(steps):
                for _ in range(self.rng.randint(0, 3)):
                    self.act()
                self.bad_run()
                if self.rng.random() < 0.2:
                    self._deliver()
                    self.world.later(minutes=16)
            self.quiet()
            self.reckon()
            if self.switches:
                self.full = not self.full
                self._say("mode", "full" if self.full else "anonymous")
                self.world.make(CALENDAR_FULL_CONTENT=str(self.full).lower())

    def _deliver(self) -> None:
        for carry in self.late:
            with contextlib.suppress(requests.RequestException):
                carry()
                self._say("late call arrives")
        self.late.clear()

    def quiet(self) -> None:
        """Let everything arrive, and run until nothing changes any more."""
        self._deliver()
        self._say("quiet")
        for _ in range(5):
            for kuerzel in EMPLOYEES:
                self.run(kuerzel)
            self.world.later(minutes=16)
        self.world.forget_calls()
        for kuerzel in EMPLOYEES:
            row = self.world.run(kuerzel)
            if row["state"] != "ok":
                raise BrokenPromiseError(f"does not come to rest: {row}")
        if self.world.writes():
            raise BrokenPromiseError(f"still writes: {self.world.writes()}")

    # --- reckoning

    def _check_leaks(self) -> None:
        if self.full or self.switches:
            return
        for kuerzel in EMPLOYEES:
            calendar = self._calendar(kuerzel)
            for event in self.world.google.events(calendar, deleted=True) if calendar else ():
                ours = event["id"].startswith("adv") and len(event["id"]) > 14
                if ours and "Mandat" in str({k: event.get(k) for k in ("summary", "location", "description")}):
                    entry = self._entry_of(calendar or "", event)
                    typed = entry is not None and any(value in str(event) for value in entry.in_g.values())
                    if not typed and "(hidden)" not in " ".join(self.told):
                        raise BrokenPromiseError(f"leaked: {event}")

    def reckon(self) -> None:
        """Compare both sides with each other and with what persons did."""
        rows = self.rows()
        for kuerzel in EMPLOYEES:
            self._compare(kuerzel, [row for row in rows.values() if row["anwalt"] == kuerzel])
        for row in rows.values():
            if PLACEHOLDER in row["text"]:
                raise BrokenPromiseError(f"placeholder in Advoware: {row['frNr']}")
        for entry in self.entries:
            self._account(entry, rows)
        self.entries = [entry for entry in self.entries if entry.fr_nr in rows]
        self.troubled = False
        for entry in self.entries:
            row = rows[entry.fr_nr]
            entry.values = {"text": row["text"], "start": row["uhrzeitVon"][:5], "ort": row["ort"]}
            entry.in_a, entry.in_g, entry.typed = {}, {}, set()
            entry.gone_a = entry.gone_g = entry.moved = entry.loose = False

    def _compare(self, kuerzel: str, rows: list[dict[str, Any]]) -> None:
        living = self.world.events(kuerzel)
        numbers = sorted(int(private(event).get("adv_fr", "-1")) for event in living)
        wanted = sorted(row["frNr"] for row in rows)
        if numbers != wanted:
            raise BrokenPromiseError(f"{kuerzel}: Advoware has {wanted}, Google {numbers}")
        by_number = {int(private(event)["adv_fr"]): event for event in living}
        for row in rows:
            event = by_number[row["frNr"]]
            shown = _shown(event)
            if shown[: len(self._expected(row))] != self._expected(row):
                raise BrokenPromiseError(f"{kuerzel} {row['frNr']}: {shown} is not {self._expected(row)}")

    def _expected(self, row: dict[str, Any]) -> tuple[str, ...]:
        times = (row["datum"][:10] + "T" + row["uhrzeitVon"], row["datumBis"][:10] + "T" + row["uhrzeitBis"])
        if not self.full:
            return *times, PLACEHOLDER, "", "", "private"
        notes = (row["notiz"] or "").split("[G:")[0].rstrip()
        return *times, row["text"], row["ort"], notes

    def _account(self, entry: Entry, rows: dict[int, dict[str, Any]]) -> None:
        copies = [row for row in rows.values() if row["text"].split(" ")[0] == entry.token]
        if len(copies) > 1:
            raise BrokenPromiseError(f"{entry.token} doubled: {[row['frNr'] for row in copies]}")
        may_be_gone = entry.gone_a or entry.gone_g
        if not copies:
            if not may_be_gone and not (entry.roamed and self.flushed and self._forgetful):
                raise BrokenPromiseError(f"{entry.token} lost: {entry}")
            return
        if may_be_gone and not (entry.gone_a or entry.in_a or entry.moved or entry.loose or self._forgets(entry)):
            raise BrokenPromiseError(f"{entry.token} came back: {entry}")
        self._account_fields(entry, copies[0])

    def _forgets(self, entry: Entry) -> bool:
        """Tell whether nothing in Google can say any more that this entry was deleted there (hole (a))."""
        return entry.origin == "g" and self._forgetful

    @property
    def _forgetful(self) -> bool:
        """Tell whether tombstones keep nothing but their id; then only Redis knows why something was cancelled."""
        return self.world.google.manners.tombstones != "with_props"

    def _account_fields(self, entry: Entry, row: dict[str, Any]) -> None:
        present = {"text": row["text"], "start": row["uhrzeitVon"][:5], "ort": row["ort"]}
        for name, value in entry.values.items():
            a, g = entry.in_a.get(name), entry.in_g.get(name)
            allowed = {v for v in (a, g) if v is not None} or {value}
            if self.troubled:  # a field edited again between the write to Advoware and that of its base loses
                allowed |= entry.typed
            if entry.gone_g or entry.loose or entry.moved:
                # what was edited and then deleted goes with the event; of a moved one there were two for a while
                allowed |= entry.typed | {value}
            if present[name] not in allowed:
                raise BrokenPromiseError(f"{entry.token} {name} is {present[name]!r}, not one of {allowed}: {entry}")


def _shown(event: dict[str, Any]) -> tuple[str, ...]:
    return (
        event["start"]["dateTime"][:19],
        event["end"]["dateTime"][:19],
        event.get("summary", ""),
        event.get("location", ""),
        event.get("description", ""),
        event.get("visibility", "default"),
    )
