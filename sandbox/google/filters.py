"""Decide which events a list shows."""

from collections.abc import Callable
from typing import Any

from sandbox.google.store import Entry
from sandbox.google.values import read_moment

Params = dict[str, Any]


def is_wanted(entry: Entry, params: Params, since: int | None) -> bool:
    """Tell whether a list with these parameters shows an entry; a delta (since) shows every tombstone."""
    if since is None and not _shows_deleted(entry, params):
        return False
    return all(test(entry, params[name]) for name, test in TESTS.items() if name in params)


def _shows_deleted(entry: Entry, params: Params) -> bool:
    """Show tombstones on request, and cancelled occurrences with their series anyway."""
    occurrence = "recurringEventId" in entry.event and not params.get("singleEvents")
    return not entry.cancelled or occurrence or bool(params.get("showDeleted")) or "updatedMin" in params


def _has_properties(side: str) -> Callable[[Entry, list[str]], bool]:
    def test(entry: Entry, wanted: list[str]) -> bool:
        own = entry.event.get("extendedProperties", {}).get(side, {})
        return all(own.get(key) == value for key, _, value in (text.partition("=") for text in wanted))

    return test


def _contains(entry: Entry, words: str) -> bool:
    text = " ".join(str(entry.event.get(key, "")) for key in ("summary", "description", "location")).lower()
    return all(word in text for word in words.lower().split())


TESTS: dict[str, Callable[[Entry, Any], bool]] = {
    "timeMin": lambda entry, text: entry.end > read_moment(text),
    "timeMax": lambda entry, text: entry.start < read_moment(text),
    "updatedMin": lambda entry, text: read_moment(entry.event["updated"]) >= read_moment(text),
    "eventTypes": lambda entry, kinds: entry.event["eventType"] in kinds,
    "iCalUID": lambda entry, uid: entry.event["iCalUID"] == uid,
    "q": _contains,
    "privateExtendedProperty": _has_properties("private"),
    "sharedExtendedProperty": _has_properties("shared"),
}
