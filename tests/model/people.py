"""Random hands on both sides, and the book that is kept about them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

from sandbox.advoware import Advoware
from sandbox.google import Google

from .items import (
    PLACEHOLDER,
    Item,
    Json,
    event_times,
    number_of,
    private,
    row_times,
    token_of,
    values_of_event,
    values_of_row,
)
from .office import calendar_of

FIRST_DAY = date(2026, 11, 24)
NAMES = {"text": "summary", "ort": "location", "notiz": "description"}


@dataclass
class People:
    """Everybody who works in either calendar; `kuerzel` are the employees of this game."""

    rng: random.Random
    advoware: Advoware
    google: Google
    kuerzel: tuple[str, ...]
    tell: Callable[[str], None]
    items: list[Item] = field(default_factory=list)
    left_alone: set[str] = field(default_factory=set)
    count: int = 0

    def act(self) -> None:
        """Let somebody do something."""
        weights: dict[Callable[[], None], int] = {
            self.a_creates: 2,
            self.g_creates: 3,
            self.both_create: 1,
            self.a_edits: 5,
            self.g_edits: 6,
            self.a_deletes: 2,
            self.g_deletes: 3,
            self.a_copies: 1,
            self.g_copies: 2,
            self.a_moves: 1,
        }
        self.rng.choices([*weights], [*weights.values()])[0]()

    # --- Advoware

    def a_creates(self) -> None:
        """Enter an appointment at the desk."""
        token = self._token("A")
        values = {**self._times(), "text": f"Akte {token}", "ort": token, "notiz": self._notes("Akte")}
        item = Item(token, values)
        item.fr = self._enter(values, token)
        self.items.append(item)
        self.tell(f"a creates {item.fr} {token}")

    def a_edits(self) -> None:
        """Change an appointment at the desk."""
        found = self._some_row()
        if found is None:
            return
        item, row = found
        typed = self._typed(values_of_row(row), item.token, "Akte")
        fields: Json = {key: value for key, value in typed.items() if key in ("text", "ort")}
        if "start" in typed or "end" in typed:
            now = values_of_row(row) | typed
            fields |= row_times(now["start"], now["end"])
        if "notiz" in typed:
            marker = "[G:" + row["notiz"].split("[G:")[1] if "[G:" in (row["notiz"] or "") else ""
            fields["notiz"] = "\n".join(filter(None, [typed["notiz"], marker]))
        self.advoware.edit(row["frNr"], **fields)
        for name, value in typed.items():
            item.typed_a.setdefault(name, []).append(value)
        self.tell(f"a edits {row['frNr']} {item.token} {typed}")

    def a_deletes(self) -> None:
        """Strike an appointment out; where its event knows nothing of it yet, it may be entered again."""
        found = self._some_row()
        if found is None:
            return
        item, row = found
        item.doubtful = item.doubtful or not self._is_linked(row["frNr"])
        item.gone_a = True
        self.advoware.delete(row["frNr"])
        self.tell(f"a deletes {row['frNr']} {item.token}{' doubtful' if item.doubtful else ''}")

    def a_copies(self) -> None:
        """Copy an appointment with all it holds, our marker included."""
        found = self._some_row()
        if found is None:
            return
        item, row = found
        token = self._token("A")
        values = {**values_of_row(row), "ort": token, "text": f"Akte {token}"}
        copy = Item(token, values, loose=not self._is_linked(row["frNr"]))
        left = {key: value for key, value in row.items() if key not in ("frNr", "anwalt", "zuletztGeaendertAm")}
        left |= {"ort": token, "text": values["text"], "raum": token}
        copy.fr = self.advoware.create(row["anwalt"], **left)
        self.items.append(copy)
        self.tell(f"a copies {row['frNr']} {item.token} to {copy.fr} {token}")

    def a_moves(self) -> None:
        """Give an appointment to a colleague."""
        found = self._some_row()
        if found is None or len(self.kuerzel) < 2:
            return
        item, row = found
        other = next(kuerzel for kuerzel in self.kuerzel if kuerzel != row["anwalt"])
        self.advoware.move(row["frNr"], other)
        item.moved = True
        self.tell(f"a moves {row['frNr']} {item.token} to {other}")

    # --- Google

    def g_creates(self) -> None:
        """Type an event into Google."""
        token = self._token("G")
        values = {**self._times(), "text": f"Besuch {token}", "ort": token, "notiz": self._notes("Besuch")}
        self._type_in(Item(token, values), self.rng.choice(self.kuerzel))

    def both_create(self) -> None:
        """Enter the same appointment in both calendars, as before the first sync."""
        token = self._token("T")
        values = {**self._times(), "text": f"Besuch {token}", "ort": token, "notiz": ""}
        item = Item(token, values)
        kuerzel = self.rng.choice(self.kuerzel)
        self._enter(values, token, kuerzel)
        self._type_in(item, kuerzel)

    def g_edits(self) -> None:
        """Change an event; what is typed over a placeholder is a Tipp that must stay there."""
        found = self._some_event()
        if found is None:
            return
        item, calendar, event = found
        hidden = private(event).get("adv_m") == "a" and number_of(event) > 0
        typed = self._typed(values_of_event(event), "Tipp" if hidden else item.token, "Tipp" if hidden else "Besuch")
        fields: Json = {NAMES[name]: value for name, value in typed.items() if name in NAMES}
        if "start" in typed or "end" in typed:
            now = values_of_event(event) | typed
            fields |= event_times(now["start"], now["end"])
        self.google.edit_event(calendar, event["id"], **fields)
        for name, value in typed.items():
            if name not in NAMES or not hidden:
                item.typed_g.setdefault(name, []).append(value)
        self.tell(f"g edits {event['id'][:12]} {item.token} {typed}")

    def g_deletes(self) -> None:
        """Put an event into the bin."""
        found = self._some_event()
        if found is not None:
            item, calendar, event = found
            self.google.delete_event(calendar, event["id"])
            item.gone_g = True
            self.tell(f"g deletes {event['id'][:12]} {item.token}")

    def g_copies(self) -> None:
        """Duplicate an event with all its properties; a duplicated placeholder may stay one."""
        found = self._some_event()
        if found is None:
            return
        _, calendar, event = found
        shown = values_of_event(event)
        if shown["text"] == PLACEHOLDER and not shown["ort"] and not shown["notiz"] and self.rng.random() < 0.4:
            copy = self.google.copy_event(calendar, event["id"], id=self._id())
            self.left_alone.add(copy["id"])
            self.tell(f"g copies {event['id'][:12]} to {copy['id']}, a placeholder")
            return
        token = self._token("G")
        notes = "" if "Tipp" in shown["notiz"] else shown["notiz"]
        values = {**shown, "text": f"Besuch {token}", "ort": token, "notiz": notes}
        item = Item(token, values, event=(calendar, self._id()))
        texts = {"summary": values["text"], "location": token, "description": notes}
        self.google.copy_event(calendar, event["id"], id=item.event[1], **texts)
        self.items.append(item)
        self.tell(f"g copies {event['id'][:12]} to {item.event[1]} {token}")

    # --- what they see

    def rows(self) -> dict[int, Json]:
        """Read all of Advoware; items born in Google learn their number here."""
        rows = {row["frNr"]: row for row in self.advoware.appointments()}
        by_token = {token_of(row): number for number, row in rows.items()}
        for item in self.items:
            item.fr = by_token.get(item.token, item.fr)
        return rows

    def item_of(self, event: Json) -> Item | None:
        """Find whose event it is: by its link, else by who typed it in."""
        number = number_of(event)
        found = (item for item in self.items if (item.fr == number if number else item.event[1] == event["id"]))
        return next(found, None)

    def living(self, kuerzel: str) -> list[Json]:
        """List the events of an employee."""
        entries = self.google.store.calendars[calendar_of(kuerzel)].entries.values()
        return [entry.event for entry in entries if not entry.cancelled]

    def _some_row(self) -> tuple[Item, Json] | None:
        rows = self.rows()
        known = {item.token: item for item in self.items}
        found = [(known[token_of(row)], row) for row in rows.values() if token_of(row) in known]
        found = [(item, row) for item, row in found if self._is_one(item)]
        return self.rng.choice(found) if found else None

    def _some_event(self) -> tuple[Item, str, Json] | None:
        self.rows()
        found = [
            (item, calendar_of(kuerzel), event)
            for kuerzel in self.kuerzel
            for event in self.living(kuerzel)
            if (item := self.item_of(event)) is not None and self._is_one(item)
        ]
        return self.rng.choice(found) if found else None

    def _is_one(self, item: Item) -> bool:
        """Tell whether what was entered on both sides has become one; until then nobody touches it."""
        same = [row["frNr"] for row in self.advoware.appointments() if token_of(row) == item.token]
        calendar, event_id = item.event
        if item.twin and not item.one and len(same) == 1:
            item.one = number_of(self.google.store.calendars[calendar].entries[event_id].event) == same[0]
        return item.one or not item.twin

    def _is_linked(self, number: int) -> bool:
        return any(number_of(event) == number for kuerzel in self.kuerzel for event in self.living(kuerzel))

    # --- what they type

    def _enter(self, values: dict[str, str], token: str, kuerzel: str = "") -> int:
        texts = {name: values[name] for name in ("text", "ort", "notiz")}
        times = row_times(values["start"], values["end"])
        return self.advoware.create(kuerzel or self.rng.choice(self.kuerzel), **times, **texts, raum=token)

    def _type_in(self, item: Item, kuerzel: str) -> None:
        item.event = (calendar_of(kuerzel), self._id())
        texts = {key: item.base[name] for name, key in NAMES.items() if item.base[name]}
        body = {"id": item.event[1], **event_times(item.base["start"], item.base["end"]), **texts}
        self.google.create_event(item.event[0], body)
        self.items.append(item)
        self.tell(f"g creates {item.event[1]} {item.token}")

    def _typed(self, now: dict[str, str], token: str, word: str) -> dict[str, str]:
        self.count += 1
        match self.rng.choice(["text", "text", "ort", "notiz", "start", "end", "times"]):
            case "text":
                return {"text": f"{word} {self.count}"}
            case "ort":
                room = "Aktensaal" if word == "Akte" else "Saal"
                return {"ort": f"{token} {room} {self.count}"}
            case "notiz":
                return {"notiz": self._notes(word)}
            case "times":
                return self._times()
            case "start" if "T" in now["start"]:
                return {"start": f"{now['start'][:11]}{self.rng.randint(6, 8):02d}:{self.rng.randint(0, 59):02d}"}
            case "end" if "T" in now["start"]:
                return {"end": f"{now['end'][:11]}{self.rng.randint(19, 22):02d}:{self.rng.randint(0, 59):02d}"}
        return self._times()

    def _notes(self, word: str) -> str:
        self.count += 1
        return "" if self.rng.random() < 0.3 else f"{word}-Notiz {self.count}"

    def _times(self) -> dict[str, str]:
        day = FIRST_DAY + timedelta(days=self.rng.randint(-3, 12))
        if self.rng.random() < 0.15:
            return {"start": day.isoformat(), "end": (day + timedelta(days=self.rng.randint(0, 2))).isoformat()}
        start = f"{self.rng.randint(9, 13):02d}:{self.rng.randint(0, 59):02d}"
        end = f"{self.rng.randint(14, 18):02d}:{self.rng.randint(0, 59):02d}"
        return {"start": f"{day.isoformat()}T{start}", "end": f"{day.isoformat()}T{end}"}

    def _token(self, kind: str) -> str:
        self.count += 1
        return f"{kind}{self.count:03d}"

    def _id(self) -> str:
        return "born" + "".join(self.rng.choices("abcdefghijklmnopqrstuv0123456789", k=10))
