"""Keep calendars, their events and who may do what with them."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sandbox.google.errors import GoogleError, not_found
from sandbox.google.events import Event
from sandbox.google.times import span

ROLES = ("none", "freeBusyReader", "reader", "writer", "owner")


@dataclass(frozen=True)
class Entry:
    """Hold one event with the number of its last change; the past version serves lists that lag behind."""

    event: Event
    seq: int
    start: datetime
    end: datetime
    changed_at: float
    purged: bool = False
    past: "Entry | None" = None

    @property
    def cancelled(self) -> bool:
        """Tell whether this is a tombstone."""
        return self.event["status"] == "cancelled"


@dataclass
class Calendar:
    """Hold one calendar; its entries are ordered by their last change."""

    id: str
    summary: str
    owner: str
    zone: str = "UTC"
    etag: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    acl: dict[str, dict[str, Any]] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    seq: int = 0
    epoch: int = 0

    def role_of(self, identity: str) -> str:
        """Tell what an identity may do here."""
        domain = identity.rpartition("@")[2]
        rules = (self.acl.get(key) for key in (f"user:{identity}", f"domain:{domain}", "default"))
        return max((rule["role"] for rule in rules if rule), key=ROLES.index, default="none")

    def newest_first(self) -> Iterator[Entry]:
        """Run through the entries from the last change backwards."""
        return reversed(self.entries.values())

    def resource(self) -> dict[str, Any]:
        """Show the calendar itself."""
        own = {"etag": self.etag, "id": self.id, "summary": self.summary, "timeZone": self.zone}
        return {"kind": "calendar#calendar", **own, "dataOwner": self.owner, **self.extra}


class Store:
    """Hold all calendars and the calendar list of each identity."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.calendars: dict[str, Calendar] = {}
        self.lists: dict[str, list[str]] = {}
        self._stamp = 0

    def etag(self) -> str:
        """Give a value that no write has had before."""
        self._stamp = max(self._stamp + 2000, int(self.clock() * 1_000_000))
        return f'"{self._stamp}"'

    def now(self) -> str:
        """Spell the time as Google does."""
        moment = datetime.fromtimestamp(self.clock(), UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def list_of(self, identity: str) -> list[str]:
        """Give an identity's calendar list, which begins with its primary calendar."""
        if identity not in self.lists:
            self.lists[identity] = []
            self.add_calendar(identity, identity, calendar_id=identity)
        return self.lists[identity]

    def add_calendar(self, summary: str, owner: str, calendar_id: str = "", **extra: Any) -> Calendar:
        """Create a calendar that appears in its owner's list."""
        calendar_id = calendar_id or f"c_{secrets.token_hex(30)}@group.calendar.google.com"
        zone = extra.pop("timeZone", "UTC")
        calendar = Calendar(calendar_id, summary, owner, zone, self.etag(), extra)
        calendar.acl[f"user:{owner}"] = {"role": "owner", "scope": {"type": "user", "value": owner}}
        self.calendars[calendar_id] = calendar
        self.list_of(owner).append(calendar_id)
        return calendar

    def remove_calendar(self, calendar: Calendar) -> None:
        """Delete a calendar for everybody."""
        del self.calendars[calendar.id]
        for ids in self.lists.values():
            ids[:] = [calendar_id for calendar_id in ids if calendar_id != calendar.id]

    def calendar(self, calendar_id: str, identity: str, role: str = "reader") -> Calendar:
        """Find a calendar for somebody who needs a role in it."""
        self.list_of(identity)
        calendar = self.calendars.get(identity if calendar_id == "primary" else calendar_id)
        has = calendar.role_of(identity) if calendar else "none"
        if calendar is None or has == "none":
            raise not_found()
        if ROLES.index(has) < ROLES.index(role):
            raise GoogleError(403, "requiredAccessLevel", f"You need to have {role} access to this calendar.")
        return calendar

    def put(self, calendar: Calendar, event: Event) -> Event:
        """Store a version of an event under a new etag and change number."""
        past = calendar.entries.pop(event["id"], None)
        event = {"kind": "calendar#event", **event, "etag": self.etag(), "updated": self.now()}
        calendar.seq += 1
        start, end = span(event, calendar.zone)
        past = past and replace(past, past=None)
        calendar.entries[event["id"]] = Entry(event, calendar.seq, start, end, self.clock(), past=past)
        return event
