"""Twelve rules of the sync, each of which can be taken away, so that the model test itself is tested."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from functions.calendar_sync import apply, create, identity, merge, pairing, reading, sync
from functions.calendar_sync.link import Link, with_link
from functions.calendar_sync.pairing import Pair
from functions.calendar_sync.plan import Absence
from functions.calendar_sync.writes import link_of, new_event
from shared.advoware.client import AdvowareClient
from shared.errors import UpstreamUnavailableError
from shared.google import client as google_client
from shared.google.client import EventList, GoogleCalendar

from .game import Outcome, play

Env = Mapping[str, str]


@contextmanager
def list_without_deleted() -> Iterator[Env]:
    """A full list does not show deleted events."""
    whole = GoogleCalendar.list_events

    def living(self: GoogleCalendar, calendar_id: str, **how: Any) -> EventList:
        found = whole(self, calendar_id, **how)
        if how.get("sync_token"):
            return found
        return replace(found, items=[item for item in found.items if item.get("status") != "cancelled"])

    with patch.object(GoogleCalendar, "list_events", living):
        yield {}


@contextmanager
def copies_not_told_apart() -> Iterator[Env]:
    """The properties of a copy count as its own."""
    strict = Link.of.__func__

    def trusting(cls: type[Link], event: Mapping[str, Any]) -> Link:
        found = event
        own = (event.get("extendedProperties") or {}).get("private") or {}
        if "adv_id" in own:
            found = {**event, "extendedProperties": {"private": {**own, "adv_id": event["id"]}}}
        return strict(cls, found)

    with patch.object(Link, "of", classmethod(trusting)):
        yield {}


@contextmanager
def texts_flow_in_any_mode() -> Iterator[Env]:
    """Texts of an anonymised event may flow to Advoware."""
    strict = merge._flowing

    def flowing(in_g: Any, ours: Any, theirs: Any, rules: Any) -> frozenset[str]:
        return strict(in_g, ours, replace(theirs, link=theirs.link.with_(mode="f")), rules)

    with patch.object(merge, "_flowing", flowing):
        yield {}


@contextmanager
def ids_by_google() -> Iterator[Env]:
    """Google chooses the id of a new event, and the link is written afterwards."""

    def insert(ours: Any, run: Any, generation: int = 0, origin: str = "a") -> list[Any]:
        body = {**new_event(run, ours, "unused", origin), "id": run.new_token().lower().translate(_TO_GOOGLE)}
        written = run.google.insert_event(run.calendar_id, {k: v for k, v in body.items() if k != "extendedProperties"})
        linked = with_link(written, link_of(run, ours, written["id"], origin))
        run.google.update_event(run.calendar_id, written["id"], linked, written["etag"])
        run.report.created += 1
        return []

    with patch.object(apply, "_insert", insert), patch.object(identity.OwnIds, "read", lambda _s, _id: None):
        yield {}


_TO_GOOGLE = str.maketrans(dict.fromkeys("wxyz-_", "a"))


@contextmanager
def intents_reserve_nothing() -> Iterator[Env]:
    """An appointment that an open creation made counts as a new one, and no second net looks for its event."""
    strict = pairing._intent_pairs

    def pairs(intents: Any, free: dict[str, Any], bases: Any, markers: bool) -> list[Pair]:
        return strict(intents, dict(free), bases, markers)

    with (
        patch.object(pairing, "_intent_pairs", pairs),
        patch.object(pairing, "could_be_made_by", lambda *_: False),
        patch.object(apply, "_linked_elsewhere", lambda *_: None),
    ):
        yield {}


@contextmanager
def intents_overwrite() -> Iterator[Env]:
    """An intent is written whatever happened to the event meanwhile."""
    strict, here = google_client._if_match, threading.local()
    announce = create._announce

    def loose(request: Any, etag: str) -> Any:
        return request if getattr(here, "announcing", False) else strict(request, etag)

    def announcing(theirs: Any, run: Any) -> Any:
        here.announcing = True
        try:
            return announce(theirs, run)
        finally:
            here.announcing = False

    with patch.object(google_client, "_if_match", loose), patch.object(create, "_announce", announcing):
        yield {}


@contextmanager
def posts_again() -> Iterator[Env]:
    """A POST without an answer is sent once more."""
    once = AdvowareClient.create_appointment

    def twice(self: AdvowareClient, body: dict[str, Any]) -> dict[str, Any]:
        try:
            return once(self, body)
        except UpstreamUnavailableError:
            return once(self, body)

    with patch.object(AdvowareClient, "create_appointment", twice):
        yield {}


@contextmanager
def no_marker() -> Iterator[Env]:
    """A POST carries no marker."""
    yield {"CALENDAR_MARKER": "false"}


@contextmanager
def absence_is_proof() -> Iterator[Env]:
    """What Advoware's list does not show counts as deleted."""

    def believed(pairs: Any, missing: Any, _run: Any) -> list[Pair]:
        gone = {id(pair) for pair in missing}
        return [replace(pair, absence=Absence.GONE) if id(pair) in gone else pair for pair in pairs]

    with patch.object(reading, "_confirmed", believed):
        yield {}


@contextmanager
def google_first() -> Iterator[Env]:
    """Google is read before Advoware, and no second net looks for an event that the list did not show."""
    read_both = reading.read_both

    def google_then_advoware(run: Any, known: Any) -> Any:
        early = _Early(run, known)
        run.google = early
        return read_both(run, known)

    with (
        patch.object(sync, "read_both", google_then_advoware),
        patch.object(apply, "_linked_elsewhere", lambda *_: None),
    ):
        yield {}


class _Early:
    """Google's lists as they were before Advoware was read; everything else as it is now."""

    def __init__(self, run: Any, known: Any) -> None:
        self._google = run.google
        self._kept: dict[bool, Any] = {}
        if known.last is not None and known.last.token and not known.sweep:
            self._keep(run, sync_token=known.last.token)
        since = None if known.sweep else run.rules.window[0] - reading.SLACK
        self._keep(run, time_min=since)

    def _keep(self, run: Any, **how: Any) -> None:
        try:
            self._kept["sync_token" in how] = self._google.list_events(run.calendar_id, **how)
        except google_client.SyncTokenExpiredError as error:
            self._kept["sync_token" in how] = error

    def list_events(self, _calendar_id: str, **how: Any) -> EventList:
        found = self._kept["sync_token" in how]
        if isinstance(found, Exception):
            raise found
        return copy.copy(found)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._google, name)


@contextmanager
def no_grace() -> Iterator[Env]:
    """A creation of unknown outcome is repeated at once."""
    yield {"CALENDAR_INTENT_GRACE_SECONDS": "0.001"}


@contextmanager
def no_second_look() -> Iterator[Env]:
    """A creation is repeated without asking Advoware once more."""
    carefully = apply.create

    def rashly(step: Any, run: Any) -> None:
        carefully(replace(step, search_first=False), run)

    with patch.object(apply, "create", rashly):
        yield {}


Removal = Callable[[], Any]
RULES: dict[str, Removal] = {
    "a full list shows deleted events": list_without_deleted,
    "a copy is told by its own id": copies_not_told_apart,
    "texts flow only in full mode": texts_flow_in_any_mode,
    "an event's id is made from frNr": ids_by_google,
    "open creations reserve what they made": intents_reserve_nothing,
    "an intent is written conditionally": intents_overwrite,
    "a POST is never repeated blindly": posts_again,
    "a POST carries a marker": no_marker,
    "absence is confirmed singly": absence_is_proof,
    "Advoware is read before Google": google_first,
    "the grace outlasts every POST": no_grace,
    "a second POST looks once more": no_second_look,
}


def play_without(rule: str, seed: int) -> Outcome:
    """Play one seed with a rule taken away."""
    with RULES[rule]() as env:
        return play(seed, env)
