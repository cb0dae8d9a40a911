"""Keep answers to GET in Redis where a rule says so, and forget them as soon as something below is written.

Every first path segment has a generation. An answer is kept with the generation that held before it was asked for and
is valid only as long as that one holds. A write sets a new generation before it is sent and another one when it is
over; in between nothing is kept or taken. So a read that began before the end of a write is never served after it.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Lock
from typing import Any, cast

import redis

from functions.advoware_proxy.passage import Headers, is_under, segments_of
from functions.advoware_proxy.target import Target
from shared import metrics

LARGEST = 1024 * 1024
GENERATION_S = 24 * 3600
WRITING = "w:"
WRITE_MARGIN_S = 60  # a write that nobody ended stays open for the upstream's time limit and this long
TRY_REDIS_AGAIN_S = 1.0


class Rules:
    """How long the answers under a path may be kept; the longest prefix of whole segments counts."""

    def __init__(self, default_s: int, rules: Iterable[str]) -> None:
        split = [rule.rpartition("=") for rule in rules]
        by_prefix = [(segments_of(prefix), int(seconds)) for prefix, _, seconds in split]
        self._rules = [*sorted(by_prefix, key=lambda rule: len(rule[0]), reverse=True), ((), default_s)]

    @property
    def any(self) -> bool:
        """Tell whether anything is kept at all."""
        return any(seconds for _, seconds in self._rules)

    def seconds(self, target: Target) -> int:
        """Say how long an answer from this path is kept; 0 means never."""
        return next(seconds for prefix, seconds in self._rules if is_under(target, prefix))


@dataclass(frozen=True)
class Kept:
    """An answer in the cache."""

    reason: str
    headers: Headers
    body: bytes
    at: float
    generation: str = ""

    def age_s(self, now: float) -> int:
        """Say how old it is in whole seconds."""
        return max(0, int(now - self.at))

    @property
    def coding(self) -> str:
        """Name its Content-Encoding, empty if there is none."""
        return next((value.strip().lower() for name, value in self.headers if name.lower() == "content-encoding"), "")

    def write(self) -> str:
        """Write it as text, because the connection that all share reads text."""
        head = [self.generation, self.at, self.reason, self.headers]
        return json.dumps(head) + "\n" + self.body.decode("latin-1")


def read_kept(text: str) -> Kept:
    """Read an answer from the cache."""
    head, _, body = text.partition("\n")
    generation, at, reason, headers = json.loads(head)
    return Kept(reason, [(name, value) for name, value in headers], body.encode("latin-1"), at, generation)


@dataclass(frozen=True)
class Look:
    """What one look found: a valid answer, and the generation under which a new one may be kept, if any."""

    kept: Kept | None = None
    generation: str = ""


class ResponseCache:
    """The answers of all processes; without Redis there are none."""

    def __init__(
        self, client: redis.Redis | None, write_s: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client, self._writing_s, self._clock = client, int(write_s) + WRITE_MARGIN_S, clock
        self._down_until = float("-inf")
        self._owed: set[str] = set()
        self.flights = Flights()

    def look(self, target: Target) -> Look:
        """Look for a valid answer."""
        return cast(Look, self._guarded(lambda client: _look(client, target), Look()))

    def keep(self, target: Target, kept: Kept, seconds: int) -> None:
        """Keep an answer under the generation that its look gave."""
        if kept.generation and len(kept.body) <= LARGEST:
            self._guarded(lambda client: client.set(entry_key(target), kept.write(), ex=seconds), None)

    @contextmanager
    def writing(self, target: Target) -> Iterator[Callable[[], None]]:
        """Forget everything under a first segment, now and when the write is over; call what is given when it is."""
        family, over = target.family, Event()
        opened = self._turn(family, WRITING + secrets.token_hex(8), self._writing_s)
        try:
            yield over.set
        finally:
            closed = over.is_set() and self._turn(family, secrets.token_hex(8), GENERATION_S)
            if not (opened or closed):
                self._owed.add(family)

    def _turn(self, family: str, generation: str, seconds: int) -> bool:
        done = self._guarded(lambda client: client.set(generation_key(family), generation, ex=seconds), None)
        return bool(done)

    def _guarded(self, act: Callable[[redis.Redis], Any], otherwise: Any) -> Any:
        if self._client is None or self._clock() < self._down_until:
            return otherwise
        try:
            self._pay(self._client)
            return act(self._client)
        except redis.RedisError:
            metrics.REDIS_ERRORS.labels("proxy_cache").inc()
            self._down_until = self._clock() + TRY_REDIS_AGAIN_S
            return otherwise

    def _pay(self, client: redis.Redis) -> None:
        """Make up for writes during which Redis could not be reached."""
        while self._owed:
            family = next(iter(self._owed))
            client.set(generation_key(family), secrets.token_hex(8), ex=GENERATION_S)
            self._owed.discard(family)


class Flights:
    """Lets one of many concurrent misses go, while the others wait for what it brings."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._going: dict[str, Event] = {}

    def join(self, key: str) -> Event | None:
        """Start a flight and get None, or get the one that is under way."""
        with self._lock:
            if key in self._going:
                return self._going[key]
            self._going[key] = Event()
            return None

    def land(self, key: str) -> None:
        """End a flight; whoever waits goes on."""
        with self._lock:
            self._going.pop(key).set()


def entry_key(target: Target) -> str:
    """Name an answer: STRING, as long as its rule says."""
    return "advoware_cache:answer:" + _digest(target.raw)


def generation_key(family: str) -> str:
    """Name the generation of a first segment: STRING, a day; `w:` while something is being written."""
    return "advoware_cache:generation:" + _digest(family)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def _look(client: redis.Redis, target: Target) -> Look:
    generation, text = cast("list[str | None]", client.mget(generation_key(target.family), entry_key(target)))
    if generation is None:
        client.set(generation_key(target.family), secrets.token_hex(8), ex=GENERATION_S, nx=True)
        return Look(generation=str(client.get(generation_key(target.family)) or ""))
    if generation.startswith(WRITING):
        return Look()
    kept = read_kept(text) if text else None
    return Look(kept if kept and kept.generation == generation else None, generation)
