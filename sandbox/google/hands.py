"""Do in a calendar what a person does there, for tests."""

import copy
import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sandbox.google import events
from sandbox.google.events import Event
from sandbox.google.store import Calendar, Entry, Store
from sandbox.google.times import instant, settled_point


class Hands:
    """Give tests a person's hands; a double mixes this in beside its store and its lock."""

    store: Store
    lock: threading.RLock

    def put(self, calendar: Calendar, event: Event, identity: str) -> Event:
        """Store an event; the double says how."""
        raise NotImplementedError

    def cancel(self, calendar: Calendar, entry: Entry, identity: str) -> None:
        """Delete an event; the double says how."""
        raise NotImplementedError

    def create_event(self, calendar_id: str, body: Event) -> Event:
        """Type a new event into a calendar."""
        with self.lock:
            calendar = self.store.calendars[calendar_id]
            return copy.deepcopy(self.put(calendar, events.created(body, calendar.zone), calendar.owner))

    def edit_event(self, calendar_id: str, event_id: str, **changes: Any) -> Event:
        """Change fields of an event; a new start or end replaces the old one whole, None deletes a field."""
        with self.lock:
            calendar, entry = self._find(calendar_id, event_id)
            old = {key: value for key, value in entry.event.items() if key not in ({"start", "end"} & changes.keys())}
            event = events.merged({**old, "sequence": entry.event["sequence"]}, changes, calendar.zone)
            return copy.deepcopy(self.put(calendar, event, calendar.owner))

    def delete_event(self, calendar_id: str, event_id: str) -> None:
        """Put an event into the bin."""
        with self.lock:
            calendar, entry = self._find(calendar_id, event_id)
            self.cancel(calendar, entry, calendar.owner)

    def restore_event(self, calendar_id: str, event_id: str) -> Event:
        """Take an event out of the bin, which a person may do in any case."""
        return self.edit_event(calendar_id, event_id, status="confirmed")

    def copy_event(self, calendar_id: str, event_id: str, **changes: Any) -> Event:
        """Duplicate an event with its private properties, as Google does."""
        left = events.READ_ONLY | {"id", "iCalUID", "sequence"}
        body = {key: value for key, value in self.event(calendar_id, event_id).items() if key not in left}
        return self.create_event(calendar_id, {**body, **changes})

    def move_event(self, calendar_id: str, event_id: str, target_id: str) -> Event:
        """Drag an event into another calendar, where it keeps its id."""
        with self.lock:
            event = self.event(calendar_id, event_id)
            self.delete_event(calendar_id, event_id)
            target = self.store.calendars[target_id]
            return copy.deepcopy(self.put(target, event, target.owner))

    def plant_exception(self, calendar_id: str, master_id: str, original: datetime, **changes: Any) -> Event:
        """Change one occurrence of a series, or cancel it with status="cancelled"."""
        with self.lock:
            calendar, entry = self._find(calendar_id, master_id)
            return copy.deepcopy(self.put(calendar, _occurrence(calendar, entry, original, changes), calendar.owner))

    def event(self, calendar_id: str, event_id: str) -> Event:
        """Look at one event, also in the bin."""
        with self.lock:
            return copy.deepcopy(self._find(calendar_id, event_id)[1].event)

    def events(self, calendar_id: str, deleted: bool = False) -> list[Event]:
        """Look at all events of a calendar, on request with the bin."""
        with self.lock:
            entries = self.store.calendars[calendar_id].entries.values()
            seen = [e.event for e in entries if not e.cancelled or (deleted and not e.purged)]
            return copy.deepcopy(seen)

    def calendars(self, identity: str | None = None) -> list[dict[str, Any]]:
        """Look at all calendars, or at the list of one identity."""
        with self.lock:
            ids = list(self.store.calendars) if identity is None else self.store.list_of(identity)
            return [self.store.calendars[each].resource() for each in ids]

    def add_calendar(self, summary: str, owner: str, **extra: Any) -> str:
        """Create a calendar for somebody and give its id."""
        with self.lock:
            return self.store.add_calendar(summary, owner, **extra).id

    def purge_tombstones(self, calendar_id: str | None = None) -> None:
        """Empty the bin; the ids stay taken."""
        with self.lock:
            for calendar in self._chosen(calendar_id):
                for event_id, entry in calendar.entries.items():
                    calendar.entries[event_id] = replace(entry, purged=entry.purged or entry.cancelled)

    def expire_tokens(self, calendar_id: str | None = None) -> None:
        """Make the sync tokens that are out answer 410."""
        with self.lock:
            for calendar in self._chosen(calendar_id):
                calendar.epoch += 1

    def _chosen(self, calendar_id: str | None) -> list[Calendar]:
        return list(self.store.calendars.values()) if calendar_id is None else [self.store.calendars[calendar_id]]

    def _find(self, calendar_id: str, event_id: str) -> tuple[Calendar, Entry]:
        calendar = self.store.calendars[calendar_id]
        return calendar, calendar.entries[event_id]


def _occurrence(calendar: Calendar, master: Entry, original: datetime, changes: dict[str, Any]) -> Event:
    all_day = "date" in master.event["start"]
    stamp = f"{original:%Y%m%d}" if all_day else f"{original.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    zone = master.event["start"].get("timeZone", calendar.zone)
    length = instant(master.event["end"], zone) - instant(master.event["start"], zone)
    point = [_point(moment, all_day, zone) for moment in (original, original + length)]
    own = {
        "id": f"{master.event['id']}_{stamp}",
        "recurringEventId": master.event["id"],
        "originalStartTime": point[0],
        "start": point[0],
        "end": point[1],
    }
    inherited = {key: value for key, value in master.event.items() if key not in ("recurrence", "etag", "updated")}
    return events.settled({**inherited, **own, **changes}, calendar.zone)


def _point(moment: datetime, all_day: bool, zone: str) -> dict[str, Any]:
    text = {"date": moment.date().isoformat()} if all_day else {"dateTime": moment.isoformat(), "timeZone": zone}
    return settled_point(text, "occurrence", zone, recurring=False)
