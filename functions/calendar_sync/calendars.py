"""Find, create and share the calendar of an employee; remembered so that an ordinary run asks for none of it."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable

import redis

from functions.calendar_sync.memory import PREFIX
from shared.google.client import GoogleCalendar


class Calendars:
    """The calendars of all employees; what they are shared with is kept as a keyed hash only."""

    def __init__(self, client: redis.Redis, name_template: str, secret: bytes) -> None:
        self._redis, self._template, self._secret = client, name_template, secret

    def digest(self, email: str) -> str:
        """Hash an address so that a change can be noticed without keeping it."""
        return hmac.new(self._secret, email.strip().lower().encode(), hashlib.sha256).hexdigest()[:16] if email else ""

    def known(self, kuerzel: str) -> str | None:
        """Give the remembered calendar id."""
        return self._read(kuerzel).get("id")

    def ensure(self, kuerzel: str, shared: str, email: Callable[[], str], google: GoogleCalendar) -> str:
        """Give the id of an employee's calendar, made and shared first where that is missing.

        `shared` is the digest of the address it should be shared with, `email` finds the address itself.
        Sharing comes before the first list, because a changed ACL ends sync tokens.
        """
        entry = self._read(kuerzel)
        if not entry.get("id"):
            entry = self._find_or_make(kuerzel, google)
        if shared and entry.get("shared") != shared:
            google.share(entry["id"], email())
            self._write(kuerzel, {**entry, "shared": shared})
        return entry["id"]

    def _find_or_make(self, kuerzel: str, google: GoogleCalendar) -> dict[str, str]:
        """Adopt the calendar of that name or make one; of two made at the same time the first remembered is used.

        The other one is empty and ours, and goes again: found after a flush, it would be filled beside the first.
        """
        name = self._template.replace("{kuerzel}", kuerzel)
        found = google.find_calendar(name)
        entry = {"id": found or google.create_calendar(name)}
        if self._redis.set(self._key(kuerzel), json.dumps(entry), nx=True):
            return entry
        used = self._read(kuerzel)
        if not used.get("id"):
            self._write(kuerzel, entry)
            return entry
        if found is None and used["id"] != entry["id"]:
            google.delete_calendar(entry["id"])
        return used

    def forget(self, kuerzel: str) -> None:
        """Forget a calendar that Google does not know any more."""
        self._redis.delete(self._key(kuerzel))

    def _key(self, kuerzel: str) -> str:
        return f"{PREFIX}:calendar:{kuerzel}"

    def _read(self, kuerzel: str) -> dict[str, str]:
        text = self._redis.get(self._key(kuerzel))
        try:
            value = json.loads(str(text)) if text else {}
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    def _write(self, kuerzel: str, entry: dict[str, str]) -> None:
        self._redis.set(self._key(kuerzel), json.dumps(entry))
