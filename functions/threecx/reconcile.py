"""Find what no event told: calls of the log, calls that never seemed to end, people for calls of nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from functions.threecx.call import Call, Entry, grouped
from functions.threecx.journal import Journal
from functions.threecx.strangers import Strangers
from shared.clock import Clock, utc_now
from shared.domain.call import Event, Said, Status
from shared.errors import NotConfiguredError, UpstreamError
from shared.events.publisher import Publisher
from shared.events.task import PostponeError
from shared.events.topics import THREECX_CALL
from shared.log import get_log
from shared.threecx.provider import Logged, Provider, RateLimitedError
from shared.threecx.store import CallStore

log = get_log(__name__)
WATERMARK = "threecx:log:watermark"  # STRING, epoch seconds up to which the log was read; for ever
OVERLAP, FIRST_LOOK = timedelta(hours=4), timedelta(days=1)  # rows name their recordings late
PATIENCE, STUCK, ASKED_AT_ONCE = timedelta(minutes=5), timedelta(hours=6), 20


@dataclass(frozen=True)
class Reconcile:
    """Adds what is missing; it may run at any time, also twice at once."""

    store: CallStore
    journal: Journal
    provider: Callable[[], Provider]
    publisher: Callable[[], Publisher]
    strangers: Strangers
    clock: Clock = utc_now

    def run(self) -> dict[str, Any]:
        """Look at everything and answer with counts."""
        now = self.clock()
        counts = {"logged": 0, "asked": 0, "ended": 0, "again": 0, "recordings": 0, "relinked": 0, "expired": 0}
        try:
            counts["logged"] = self._read_log(now)
            counts["asked"], counts["ended"] = self._ask(now)
        except (UpstreamError, RateLimitedError) as error:
            log.warning("reconcile_incomplete", slug=error.slug)
        counts["again"] = self._announce(now)
        counts["recordings"] = self._look_again(now)
        counts["relinked"] = self._strangers(self.strangers.link, now)
        counts["expired"] = self._strangers(self.strangers.expire, now)
        self.store.forget_answered(now)
        log.info("calls_reconciled", counts=counts)
        return counts

    def _read_log(self, now: datetime) -> int:
        provider, added = self.provider(), 0
        if "log" not in provider.capabilities:
            return 0
        told = cast(Any, self.store.client.get(WATERMARK))
        since = datetime.fromtimestamp(float(told), now.tzinfo) - OVERLAP if told else now - FIRST_LOOK
        for logged in provider.log(since, now):
            key = self.store.log_key(logged.call_id)
            if self._is_known(key, logged.event):
                continue
            if self._adds_nothing(key, logged):
                continue
            for event in logged.events:
                self.store.add(key, event)
            self.publisher().publish(THREECX_CALL, key)
            added += 1
        self.store.client.set(WATERMARK, str(now.timestamp()))
        return added

    def _is_known(self, key: str, event: Event) -> bool:
        """Tell whether a row says nothing new; it may name its recording only when it is read once more."""
        there = Call(self.store.events(key))
        if not there.events:
            return bool(self.store.bindings([key])) or self.store.was_erased(event.number, event.at)
        return bool(there.recording_id) or not event.recording_id

    def _adds_nothing(self, key: str, logged: Logged) -> bool:
        """Tell whether events and reports have told of this call, as one call and with its recording."""
        event = logged.event
        found = self.store.many(self.store.near(event.number, event.start or event.at))
        there = [Entry(name, Call(events), name.startswith("c-")) for name, events in found.items()]
        mine = Entry(key, Call(logged.events), has_id=False)
        home = next(group for group in grouped([*there, mine]) if key in group.keys)
        others = grouped(entry for entry in there if entry.key in home.keys)
        return len(others) == 1 and (bool(others[0].call.recording_id) or not event.recording_id)

    def _ask(self, now: datetime) -> tuple[int, int]:
        """Ask how calls are of which nothing was heard for a while."""
        asked = ended = 0
        for key in self.store.overdue(now - PATIENCE)[:ASKED_AT_ONCE]:
            call_id = self.store.call_id(key)
            if not call_id or Call(self.store.events(key)).over:
                continue
            asked += 1
            seen = self.provider().status(call_id)
            if seen is None or seen.status < Status.ENDED:
                continue
            ended += 1
            answered = bool(seen.answered_at) and seen.status is Status.ENDED
            at = seen.ended_at or now
            length = (at - seen.answered_at).total_seconds() if seen.answered_at else None
            event = Event(Said.LOGGED, at, answered=answered, start=seen.started_at, duration_s=length)
            self.store.add(key, event)
            self.publisher().publish(THREECX_CALL, key)
        return asked, ended

    def _announce(self, now: datetime) -> int:
        """Hand over again what is over and stands in no journal; journal as it is what has been silent for hours."""
        keys, silent = self.store.overdue(now - PATIENCE), self.store.overdue(now - STUCK)
        found = self.store.many(keys)
        over = [key for key, events in found.items() if Call(events).over]
        for key in over:
            self.publisher().publish(THREECX_CALL, key)
        stuck = [key for key in silent if key in found and key not in over]
        self.store.close(key for key in keys if key not in found and not self.store.is_there(key))
        return len(over) + sum(self._journalled(key, stuck=True) for key in stuck)

    def _look_again(self, now: datetime) -> int:
        """Have calls journalled once more whose recording was not there."""
        keys = self.store.to_look_at(now)
        for key in keys:
            self.publisher().publish(THREECX_CALL, key)
        if keys:
            self.store.looked(now)
        return len(keys)

    def _journalled(self, key: str, *, stuck: bool = False) -> bool:
        try:
            self.journal.write(key, stuck=stuck)
        except PostponeError:
            return False
        except UpstreamError as error:
            log.warning("reconcile_incomplete", slug=error.slug)
            return False
        return True

    def _strangers(self, act: Callable[[datetime], int], now: datetime) -> int:
        try:
            return act(now)
        except (UpstreamError, NotConfiguredError, PostponeError) as error:
            log.warning("reconcile_incomplete", error=type(error).__name__)
            return 0
