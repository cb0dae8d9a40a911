"""What must hold at every moment, watched at each write of either side."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.google.store import Calendar

from .items import PLACEHOLDER, Json, number_of, private, token_of
from .people import People
from .wire import Wire

OF_ADVOWARE = re.compile(r"Akte|\bA\d{3}\b")


@dataclass
class Watch:
    """Looks at everything that is stored, and notes what should not be there."""

    people: People
    wire: Wire
    note: Callable[[str], None]
    anonymous: bool

    def stand(self) -> None:
        """Begin to watch both doubles."""
        diary, store = self.people.advoware.diary, self.people.google.store
        keep, put, delete = diary._keep, store.put, diary.delete

        def kept(number: int, fields: Json) -> None:
            new = number not in diary._rows
            keep(number, fields)
            self._row(number, diary.get(number), new)

        def stored(calendar: Calendar, event: Json) -> Json:
            found = put(calendar, event)
            self._event(calendar, found)
            return found

        def deleted(number: int) -> None:
            self._deleted(number)
            delete(number)

        diary._keep, store.put, diary.delete = kept, stored, deleted
        self.people.advoware.delete = delete

    def _row(self, number: int, row: Json, new: bool) -> None:
        text = " ".join(str(row[name]) for name in ("text", "ort", "notiz"))
        if "Tipp" in text or PLACEHOLDER in text:
            self.note(f"leaked to Advoware: {number} {text}")
        token = token_of(row)
        if new and self.wire.inside and not token.startswith("T"):
            same = [other["frNr"] for other in self.people.advoware.appointments() if token_of(other) == token]
            if len(same) > 1:
                self.note(f"doubled in Advoware: {token} {same}")

    def _event(self, calendar: Calendar, event: Json) -> None:
        text = " ".join(str(event.get(name, "")) for name in ("summary", "location", "description"))
        if self.anonymous and OF_ADVOWARE.search(text):
            self.note(f"leaked to Google: {event['id'][:20]} {text}")
        number = number_of(event)
        if not number or not self.wire.inside:
            return
        if event["status"] == "cancelled":
            if private(event).get("adv_del") == "a" and number in self.people.advoware.diary._rows:
                self.note(f"cancelled though Advoware has it: {number}")
            return
        living = [e.event["id"] for e in calendar.entries.values() if not e.cancelled and number_of(e.event) == number]
        if len(living) > 1 and not self._is_twin(number):
            self.note(f"doubled in Google: {number} {[each[:20] for each in living]}")

    def _is_twin(self, number: int) -> bool:
        """Tell whether a person entered it on both sides, so that two workers may pair it differently (row 22)."""
        rows = self.people.advoware.diary._rows
        return number not in rows or token_of(rows[number].fields).startswith("T")

    def _deleted(self, number: int) -> None:
        row: Any = self.people.advoware.diary._rows.get(number)
        if row is None or not self.wire.inside:
            return
        item = next((item for item in self.people.items if item.token == token_of(row.fields)), None)
        if item is None or not item.gone_g:
            self.note(f"deleted in Advoware though nobody deleted it: {number} {token_of(row.fields)}")
