"""Keep one push channel per calendar alive: opened, followed by a new one before it ends, closed when replaced.

Google cannot renew a channel. The next one is opened a day before the end and the old one is closed only by a later
call, so that both live for a while and no change falls between them. All of it may be lost: the next call opens a new
channel, and the forgotten one ends by itself.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

import redis

from shared.errors import IntegrationError, UpstreamRejectedError
from shared.google.client import Channel, Opened
from shared.log import get_log

log = get_log(__name__)
LIFE_S = 7 * 24 * 3600.0
RENEW_BEFORE_S, AT_LEAST_S = 24 * 3600.0, 3600.0  # the poll that renews comes every 15 minutes
OVERLAP_S = 60.0
ATTEMPT_S = 60
_ID_LENGTH = 32

Act = Callable[[], None]


def channel_id(kuerzel: str, secret: bytes, generation: int) -> str:
    """Name a channel: a keyed hash of the kuerzel, which survives a flush, and a number that makes it unique."""
    return f"{_mark(kuerzel, secret)}-{generation}"


def _mark(kuerzel: str, secret: bytes) -> str:
    return hmac.new(secret, f"channel {kuerzel}".encode(), hashlib.sha256).hexdigest()[:_ID_LENGTH]


def owner_of(channel: str, names: Iterable[str], secrets: Sequence[bytes]) -> str | None:
    """Find whose calendar a channel belongs to; old keys count as long as they are configured."""
    mark = channel.rpartition("-")[0].encode()
    found = None
    for name in names:
        for secret in secrets:
            if hmac.compare_digest(_mark(name, secret).encode(), mark):
                found = name
    return found


class Watcher(Protocol):
    """What Google does about channels."""

    def watch(self, calendar_id: str, channel: Channel) -> Opened:
        """Open a channel."""

    def stop(self, channel_id: str, resource_id: str) -> None:
        """Close a channel."""


@dataclass(frozen=True)
class Kept:
    """A channel as we remember it; `replaced` are older ones as (id, resource) that are still to be closed."""

    id: str
    resource: str
    calendar: str
    opened: float
    expires: float
    target: str
    replaced: list[list[str]] = field(default_factory=list)

    def ends_soon(self, now: float) -> bool:
        """Tell whether the next one should be opened: a day before the end, or half of a shorter life."""
        return now >= self.expires - max(min(RENEW_BEFORE_S, (self.expires - self.opened) / 2), AT_LEAST_S)


@dataclass(frozen=True)
class Channels:
    """The channels of all calendars; `address` is where Google posts, `secret` names them."""

    client: redis.Redis
    address: str
    token: str
    secret: bytes
    now: Callable[[], float] = time.time

    def care(self, kuerzel: str, calendar_id: str, google: Watcher) -> None:
        """Open, follow up or close what is due; a refusal is noted and left to the next call."""
        self._attend(kuerzel, lambda: self._missing(kuerzel, calendar_id, google) or self._due(kuerzel, google))

    def open_missing(self, kuerzel: str, calendar_id: str, google: Watcher) -> None:
        """Open a channel where there is none for this calendar; everything else is left to `care`."""
        self._attend(kuerzel, lambda: self._missing(kuerzel, calendar_id, google))

    def _attend(self, kuerzel: str, task: Callable[[], Act | None]) -> None:
        """Do what is to be done, alone; somebody else may have done it before it was our turn."""
        if task() is None or not self.client.set(_attempt(kuerzel), "1", nx=True, ex=ATTEMPT_S):
            return
        try:
            act = task()
            if act is not None:
                act()
        except IntegrationError as error:
            log.warning("push_channel_refused", slug=error.slug)
        finally:
            self.client.delete(_attempt(kuerzel))

    def _missing(self, kuerzel: str, calendar_id: str, google: Watcher) -> Act | None:
        kept = self._read(kuerzel)
        if kept is not None and self._fits(kept, calendar_id):
            return None
        return lambda: self._open(kuerzel, calendar_id, kept, google)

    def _due(self, kuerzel: str, google: Watcher) -> Act | None:
        kept = self._read(kuerzel)
        if kept is not None and kept.ends_soon(self.now()):
            return lambda: self._open(kuerzel, kept.calendar, kept, google)
        if kept is not None and kept.replaced and self.now() >= kept.opened + OVERLAP_S:
            return lambda: self._close(kuerzel, kept, google)
        return None

    def _fits(self, kept: Kept, calendar_id: str) -> bool:
        return kept.calendar == calendar_id and kept.target == self._target()

    def _open(self, kuerzel: str, calendar_id: str, before: Kept | None, google: Watcher) -> None:
        now = self.now()
        new = Channel(channel_id(kuerzel, self.secret, int(now * 1000)), self.address, self.token, now + LIFE_S)
        opened = google.watch(calendar_id, new)
        replaced = [*before.replaced, [before.id, before.resource]] if before else []
        target = self._target()
        self._write(kuerzel, Kept(new.id, opened.resource, calendar_id, now, opened.expires_at, target, replaced))
        log.info("push_channel_opened", count=len(replaced))

    def _close(self, kuerzel: str, kept: Kept, google: Watcher) -> None:
        for channel, resource in kept.replaced:
            try:
                google.stop(channel, resource)
            except UpstreamRejectedError as error:
                log.info("push_channel_left_to_end", slug=error.slug)
        self._write(kuerzel, replace(kept, replaced=[]))

    def _target(self) -> str:
        """Name address and token without telling them, so that a change of either is noticed."""
        return hmac.new(self.secret, f"{self.address}\0{self.token}".encode(), hashlib.sha256).hexdigest()[:16]

    def _read(self, kuerzel: str) -> Kept | None:
        text: Any = self.client.get(_key(kuerzel))
        try:
            return Kept(**json.loads(text)) if text else None
        except (ValueError, TypeError):
            return None

    def _write(self, kuerzel: str, kept: Kept) -> None:
        left_s = max(1, int(kept.expires - self.now()))
        self.client.set(_key(kuerzel), json.dumps(asdict(kept)), ex=left_s)


def _key(kuerzel: str) -> str:
    """Name what we remember of a channel: STRING, as long as the channel lives."""
    return f"calendar_sync:channel:{kuerzel}"


def _attempt(kuerzel: str) -> str:
    """Name the mark that one process is at it: STRING, ATTEMPT_S at most."""
    return f"calendar_sync:channel_attempt:{kuerzel}"
