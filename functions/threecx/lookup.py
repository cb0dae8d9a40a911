"""Who has this number, within 1.2 seconds whatever happens: everybody is asked at once, who is late is left out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any, TypeVar

import redis

from functions.threecx.directory import Directory
from functions.threecx.matching import Hit, can_match, ranked
from shared.log import get_log
from shared.state.budget import within
from shared.threecx.number import Number
from shared.threecx.seal import Sealer

log = get_log(__name__)
T = TypeVar("T")
DEADLINE_S, CACHE_S = 1.2, 60
REDIS_S = 0.3  # who asks an upstream asks Redis too, and has 1.2 seconds for both
OF_ADVOWARE = frozenset({"Advoware", "matters", "appointments", "lawyers"})
_NOBODY = "threecx:nobody:"  # STRING, 60 s: nobody has this number (named by its mark)


@dataclass(frozen=True)
class Found:
    """Who was found, and who did not answer."""

    hits: tuple[Hit, ...] = ()
    silent: tuple[str, ...] = ()


@dataclass
class Crowd:
    """Asks many questions at once and takes the answers that come in time; each upstream has threads of its own."""

    threads: int = 32
    _pools: dict[bool, ThreadPoolExecutor] = field(default_factory=dict, repr=False)

    def ask(self, asks: Mapping[str, Callable[[], T]], within_s: float) -> tuple[dict[str, T], list[str]]:
        """Give the answers by name, and the names of those that failed or were late."""
        futures = {name: self._submit(name.partition(" ")[0] in OF_ADVOWARE, ask) for name, ask in asks.items()}
        wait(futures.values(), timeout=max(0.0, within_s))
        answers: dict[str, T] = {}
        for name, future in futures.items():
            if future.done() and not future.cancelled() and future.exception() is None:
                answers[name] = future.result()
            else:
                future.cancel()
        return answers, [name for name in asks if name not in answers]

    def _submit(self, advoware: bool, ask: Callable[[], T]) -> Future[T]:
        if advoware not in self._pools:
            self._pools[advoware] = ThreadPoolExecutor(self.threads, thread_name_prefix="lookup")
        return self._pools[advoware].submit(copy_context().run, ask)


@dataclass(frozen=True)
class Lookup:
    """Finds people for a ringing phone."""

    directory: Directory
    crowd: Crowd
    sealer: Sealer
    client: Callable[[], redis.Redis]

    def find(self, number: Number, *, cached: bool = True, within_s: float = DEADLINE_S) -> Found:
        """Ask everybody; that nobody knows a number is remembered for a minute if all have said so."""
        with within(REDIS_S):
            return self._found(number, cached, within_s)

    def _found(self, number: Number, cached: bool, within_s: float) -> Found:
        ends = time.monotonic() + within_s
        if not can_match(number) or (cached and self._is_nobody(number)):
            return Found()
        answers, silent = self.crowd.ask(self.directory.asks(number), ends - time.monotonic() - 0.02)
        hits = ranked(hit for found in answers.values() for hit in found)
        if silent:
            log.warning("lookup_incomplete", count=len(silent))
        elif not hits and cached:
            self.crowd.ask({"note": lambda: self._note_nobody(number)}, min(0.1, ends - time.monotonic()))
        return Found(tuple(hits), tuple(silent))

    def _is_nobody(self, number: Number) -> bool:
        name = _NOBODY + self.sealer.mark(number.value)
        answers, _ = self.crowd.ask({"nobody": lambda: bool(self.client().exists(name))}, 0.15)
        return answers.get("nobody", False)

    def _note_nobody(self, number: Number) -> Any:
        return self.client().set(_NOBODY + self.sealer.mark(number.value), "1", ex=CACHE_S)
