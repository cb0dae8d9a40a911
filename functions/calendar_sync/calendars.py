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
            name = self._template.replace("{kuerzel}", kuerzel)
            entry = {"id": google.find_calendar(name) or _created(name, google)}
            self._write(kuerzel, entry)
        if shared and entry.get("shared") != shared:
            google.share(entry["id"], email())
            self._write(kuerzel, {**entry, "shared": shared})
        return entry["id"]

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


def _created(name: str, google: GoogleCalendar) -> str:
    """Create a calendar; of two that were made at the same time everybody takes the same."""
    made = google.create_calendar(name)
    return google.find_calendar(name) or made
