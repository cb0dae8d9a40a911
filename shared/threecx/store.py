"""Calls in Redis, DB 0: what was said about them (sealed), who is near in time, what became of them in EspoCRM.

Lifetimes: events 14 days, journal bindings as long as calls are kept (RETENTION_CALL_DAYS), locks 30 s. Keys carry
hashes of call ids and keyed hashes of numbers, values of events are encrypted; no name and no number is in clear.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from shared.domain.call import Consent, Event, Said
from shared.events.task import PostponeError
from shared.state import recent
from shared.threecx.seal import Sealer

if TYPE_CHECKING:
    import redis

CALL: Final = "threecx:call:"  # HASH digest -> sealed event, "id" -> sealed call id; 14 days
NEAR: Final = "threecx:near:"  # ZSET call key -> start in ms, by mark of the number; 14 days
JOURNAL: Final = "threecx:journal:"  # HASH record, digest, erased, consent, recording; RETENTION_CALL_DAYS
OPEN: Final = "threecx:open"  # ZSET call key -> ms when something was last heard of it; until journalled
ANSWERED: Final = "threecx:answered"  # ZSET mark of a number -> ms of its last successful call; RETENTION_CALL_DAYS
LOOKS: Final = "threecx:recordings"  # ZSET call key -> ms when to look for its recording again; a day at most
ERASED: Final = "threecx:erased:"  # STRING ms of the erasure, by mark of the number; two days
_LOCK: Final = "threecx:journal-lock:"  # STRING owner; 30 s, kept up while at work
_KEEP: Final = (
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0"
)
_RELEASE: Final = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
EVENTS_S: Final = 14 * 86400
LOCK_S: Final = 30.0
_ERASED_S: Final = 2 * 86400  # longer than the log of a phone system is read back
_WINDOW: Final = timedelta(minutes=15)
_MOST: Final = 200
WITHHELD: Final = "withheld"


@dataclass(frozen=True)
class Binding:
    """Which EspoCRM Call stands for an entry, and what was last written there (as a mark)."""

    record: str = ""
    digest: str = ""
    erased: bool = False
    consent: Consent = Consent.NONE
    recording: str = ""


def call_key(call_id: str) -> str:
    """Name a call by its id."""
    return "c-" + hashlib.sha256(call_id.encode()).hexdigest()[:32]


class CallStore:
    """What all processes know about calls."""

    def __init__(self, client: redis.Redis, sealer: Sealer, keep_days: int = 90, lock_s: float = LOCK_S) -> None:
        self.client, self.sealer, self._lock_ms = client, sealer, int(lock_s * 1000)
        self._keep_s = keep_days * 86400

    def report_key(self, event: Event) -> str:
        """Name a report, so that the same one sent again is the same."""
        start = event.start or event.at
        said = f"{event.agent}|{event.number}|{event.direction}|{event.answered}|{start:%Y-%m-%dT%H:%M:%S}"
        return "r-" + self.sealer.mark(said)

    def log_key(self, history_id: str) -> str:
        """Name what the call log says about a call; its ids are not those of events."""
        return "r-" + self.sealer.mark(f"log|{history_id}")

    def add(self, key: str, event: Event, call_id: str = "") -> None:
        """Keep what was said; said again, it changes nothing."""
        place = CALL + key
        value = _plain(event)
        field = self.sealer.mark(json.dumps(value, sort_keys=True))
        number, begin = self.sealer.mark(event.number or WITHHELD), _begin(event)
        pipe = self.client.pipeline(transaction=True)
        pipe.hset(place, field, self.sealer.seal(value, place))
        if call_id:
            pipe.hset(place, "id", self.sealer.seal(call_id, place))
        pipe.expire(place, EVENTS_S)
        pipe.zadd(NEAR + number, {key: _ms(begin)}, lt=True)
        pipe.expire(NEAR + number, EVENTS_S)
        now_ms = _now_ms()
        pipe.zadd(OPEN, {key: now_ms})
        recent.note(pipe, recent.CALLS, key, now_ms)
        pipe.execute()

    def events(self, key: str) -> frozenset[Event]:
        """Read what was said about an entry."""
        return self.many([key]).get(key, frozenset())

    def is_there(self, key: str) -> bool:
        """Tell whether anything was said about an entry, though it be sealed with a key that we do not have."""
        return bool(self.client.exists(CALL + key))

    def call_id(self, key: str) -> str:
        """Read the id that the phone system gave to a call."""
        sealed = cast(Any, self.client.hget(CALL + key, "id"))
        return str(self.sealer.open(sealed, CALL + key) or "") if sealed else ""

    def many(self, keys: Iterable[str]) -> dict[str, frozenset[Event]]:
        """Read many entries at once."""
        wanted = list(dict.fromkeys(keys))
        pipe = self.client.pipeline(transaction=False)
        for key in wanted:
            pipe.hgetall(CALL + key)
        rows = cast(list[dict[str, str]], pipe.execute()) if wanted else []
        found = {key: self._events(key, row) for key, row in zip(wanted, rows, strict=True)}
        return {key: events for key, events in found.items() if events}

    def near(self, number: str, start: datetime) -> list[str]:
        """List the entries of a number around a moment."""
        low, high = _ms(start - _WINDOW), _ms(start + _WINDOW)
        name = NEAR + self.sealer.mark(number or WITHHELD)
        return [str(key) for key in cast(Any, self.client.zrangebyscore(name, low, high, start=0, num=_MOST))]

    def bindings(self, keys: Iterable[str]) -> dict[str, Binding]:
        """Read what became of entries."""
        wanted = list(keys)
        pipe = self.client.pipeline(transaction=False)
        for key in wanted:
            pipe.hgetall(JOURNAL + key)
        rows = cast(list[dict[str, str]], pipe.execute()) if wanted else []
        return {key: _binding(row) for key, row in zip(wanted, rows, strict=True) if row}

    def bind(self, keys: Iterable[str], binding: Binding) -> None:
        """Note what became of entries."""
        value = {**asdict(binding), "erased": int(binding.erased), "consent": int(binding.consent)}
        pipe = self.client.pipeline(transaction=True)
        for key in keys:
            pipe.hset(JOURNAL + key, mapping=cast(Any, value))
            pipe.expire(JOURNAL + key, self._keep_s)
        pipe.execute()

    def close(self, keys: Iterable[str]) -> None:
        """Take entries off the list of open ones."""
        if names := list(keys):
            self.client.zrem(OPEN, *names)

    def overdue(self, before: datetime) -> list[str]:
        """List entries about which nothing was heard for long and which are not journalled."""
        return [str(key) for key in cast(Any, self.client.zrangebyscore(OPEN, 0, _ms(before), start=0, num=_MOST))]

    def look_at(self, key: str, at: datetime) -> None:
        """Note when to look for the recording of a call again."""
        self.client.zadd(LOOKS, {key: _ms(at)})

    def to_look_at(self, now: datetime) -> list[str]:
        """List calls whose recording has to be looked for now."""
        return [str(key) for key in cast(Any, self.client.zrangebyscore(LOOKS, 0, _ms(now)))]

    def looked(self, now: datetime) -> None:
        """Forget the looks that were due; whoever has looked in vain has noted a later one."""
        self.client.zremrangebyscore(LOOKS, 0, _ms(now))

    def note_answered(self, number: str, at: datetime) -> None:
        """Note when somebody was last spoken to."""
        self.client.zadd(ANSWERED, {self.sealer.mark(number): _ms(at)}, gt=True)

    def forget_answered(self, now: datetime) -> None:
        """Drop what is too old to be kept."""
        self.client.zremrangebyscore(ANSWERED, 0, _ms(now) - self._keep_s * 1000)

    def answered_since(self, number: str, at: datetime) -> bool:
        """Tell whether somebody was spoken to after a moment."""
        score = cast(Any, self.client.zscore(ANSWERED, self.sealer.mark(number)))
        return score is not None and float(score) > _ms(at)

    def keys_of(self, number: str) -> list[str]:
        """List all entries of a number."""
        return [str(key) for key in cast(Any, self.client.zrange(NEAR + self.sealer.mark(number), 0, -1))]

    def forget(self, number: str) -> list[str]:
        """Erase what was said about the calls of a number; give their keys."""
        mark, keys = self.sealer.mark(number), self.keys_of(number)
        pipe = self.client.pipeline(transaction=True)
        pipe.delete(NEAR + mark, *(CALL + key for key in keys))
        pipe.zrem(ANSWERED, mark)
        pipe.set(ERASED + mark, _now_ms(), ex=_ERASED_S)
        if keys:
            pipe.zrem(OPEN, *keys)
            pipe.zrem(LOOKS, *keys)
        pipe.execute()
        return keys

    def was_erased(self, number: str, at: datetime) -> bool:
        """Tell whether a number was erased after a moment: what was said of it before must not come back."""
        erased = cast(Any, self.client.get(ERASED + self.sealer.mark(number))) if number else None
        return erased is not None and float(erased) > _ms(at)

    @contextmanager
    def alone(self, number: str) -> Iterator[Callable[[], None]]:
        """Let nobody else journal calls of a number; what is given keeps that up and is called before each write."""
        name, owner = _LOCK + self.sealer.mark(number or WITHHELD), secrets.token_hex(8)
        if not self.client.set(name, owner, nx=True, px=self._lock_ms):
            raise PostponeError(0.5)

        def keep() -> None:
            if not self.client.eval(_KEEP, 1, name, owner, self._lock_ms):
                raise PostponeError(0.5)

        try:
            yield keep
        finally:
            self.client.eval(_RELEASE, 1, name, owner)

    def _events(self, key: str, row: dict[str, str]) -> frozenset[Event]:
        opened = [self.sealer.open(value, CALL + key) for field, value in row.items() if field != "id"]
        return frozenset(_event(value) for value in opened if value)


def _binding(row: dict[str, str]) -> Binding:
    consent = Consent(int(row.get("consent", "0")))
    return Binding(
        row.get("record", ""), row.get("digest", ""), row.get("erased") == "1", consent, row.get("recording", "")
    )


def _plain(event: Event) -> dict[str, Any]:
    value = {name: each for name, each in asdict(event).items() if each not in ("", None)}
    return {name: each.isoformat() if isinstance(each, datetime) else each for name, each in value.items()}


def _event(value: dict[str, Any]) -> Event:
    fields = dict(value)
    for name in ("at", "start"):
        if name in fields:
            fields[name] = datetime.fromisoformat(fields[name])
    return Event(**{**fields, "said": Said(fields["said"]), "consent": Consent(fields["consent"])})


def _begin(event: Event) -> datetime:
    return event.start or event.at - timedelta(seconds=event.duration_s or 0)


def _now_ms() -> int:
    return int(time.time() * 1000)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
