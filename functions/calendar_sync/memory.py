"""What a run remembers in Redis; losing all of it costs one full reading, nothing else (contract section 9).

| key | type | lifetime | content |
|---|---|---|---|
| `calendar_sync:read:{kuerzel}` | STRING | none | token, digest, linked pairs, mode, numbers with several events |
| `calendar_sync:swept:{kuerzel}` | STRING | none | past events are known to be anonymous |
| `calendar_sync:suspects:{kuerzel}` | SET | 7 days | ids of tombstones without properties seen once (row 10) |
| `calendar_sync:cancelled:{kuerzel}` | SET | 60 days | ids of events that we cancelled ourselves (row 12) |
| `calendar_sync:mark:{kuerzel}` | STRING | none | Google's time of the latest change that a clean run dealt with |
| `calendar_sync:begun`, `calendar_sync:ended` | HASH | none | kuerzel → number of the last run that began, ended |

Status rows and held plans: `shared/state/calendar_runs.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import redis

from functions.calendar_sync.plan import Hold
from shared.state.calendar_history import note
from shared.state.calendar_runs import STATUS, WEEK_S, Holds, statuses

PREFIX = "calendar_sync"
BIN_S = 60 * 24 * 3600  # longer than Google keeps a deleted event


@dataclass(frozen=True)
class LastRead:
    """What the last clean run saw.

    `several` names the appointments with more than one event, the bin included; from the moment `again` on (0: never)
    everything is to be looked at anew, because a refused creation is tried once more.
    """

    token: str
    digest: str
    linked: int
    mode: str
    several: tuple[str, ...] = ()
    again: float = 0


class Memory:
    """Reads and writes the keys above."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis, self._holds = client, Holds(client)

    def last_read(self, kuerzel: str) -> LastRead | None:
        """Give what the last clean run saw, None when there was none or it is unreadable."""
        text = self._redis.get(f"{PREFIX}:read:{kuerzel}")
        try:
            value = json.loads(str(text)) if text else None
            return LastRead(**value) if value else None
        except (ValueError, TypeError):
            return None

    def remember_read(self, kuerzel: str, seen: LastRead | None) -> None:
        """Keep what a clean run saw; after an unclean one forget it, so that the next reads everything."""
        key = f"{PREFIX}:read:{kuerzel}"
        if seen is None:
            self._redis.delete(key)
        else:
            self._redis.set(key, json.dumps(vars(seen)))

    def swept(self, kuerzel: str) -> bool:
        """Tell whether past events are known to be anonymous."""
        return bool(self._redis.exists(f"{PREFIX}:swept:{kuerzel}"))

    def remember_swept(self, kuerzel: str, swept: bool) -> None:
        """Keep that past events are anonymous, or may not be any more."""
        key = f"{PREFIX}:swept:{kuerzel}"
        if swept:
            self._redis.set(key, "1")
        else:
            self._redis.delete(key)

    def suspects(self, kuerzel: str) -> frozenset[str]:
        """Name the tombstones that one run has already seen without properties."""
        return frozenset(str(item) for item in self._redis.smembers(f"{PREFIX}:suspects:{kuerzel}"))

    def remember_suspects(self, kuerzel: str, suspects: Iterable[str]) -> None:
        """Replace the suspects."""
        self._replace(f"{PREFIX}:suspects:{kuerzel}", suspects, WEEK_S)

    def mark(self, kuerzel: str) -> str:
        """Give Google's time of the latest change that a clean run has dealt with."""
        return str(self._redis.get(f"{PREFIX}:mark:{kuerzel}") or "")

    def remember_mark(self, kuerzel: str, mark: str) -> None:
        """Keep Google's time of the latest change that a clean run has dealt with."""
        self._redis.set(f"{PREFIX}:mark:{kuerzel}", mark)

    def cancelled(self, kuerzel: str) -> frozenset[str]:
        """Name the events that we cancelled ourselves, for tombstones that cannot say so any more."""
        return frozenset(str(item) for item in self._redis.smembers(f"{PREFIX}:cancelled:{kuerzel}"))

    def remember_cancelled(self, kuerzel: str, ids: Iterable[str]) -> None:
        """Note events that are about to be cancelled."""
        key, members = f"{PREFIX}:cancelled:{kuerzel}", list(ids)
        if members:
            self._redis.sadd(key, *members)
            self._redis.expire(key, BIN_S)

    def forget_cancelled(self, kuerzel: str, ids: Iterable[str]) -> None:
        """Forget events that were brought back."""
        members = list(ids)
        if members:
            self._redis.srem(f"{PREFIX}:cancelled:{kuerzel}", *members)

    def remember_holds(self, kuerzel: str, holds: Iterable[Hold]) -> None:
        """Replace the hashes that wait for a person."""
        self._holds.remember(kuerzel, [hold.hash for hold in holds])

    def release(self, kuerzel: str, mark: str) -> bool:
        """Let the plan with this hash go on in the next run; False when no plan waits under it."""
        return self._holds.release(kuerzel, mark)

    def released(self, kuerzel: str) -> frozenset[str]:
        """Name the released hashes that no run has used yet."""
        return self._holds.released(kuerzel)

    def use_release(self, kuerzel: str, rest: Iterable[str] = ()) -> None:
        """Forget the released hashes: each lets one plan through, once; `rest` names what of it is still to be done."""
        self._holds.use(kuerzel, rest)

    def status(self, kuerzel: str) -> dict[str, Any] | None:
        """Give the status row."""
        text = self._redis.hget(STATUS, kuerzel)
        return dict(json.loads(str(text))) if text else None

    def statuses(self) -> dict[str, dict[str, Any]]:
        """Give all status rows."""
        return statuses(self._redis)

    def remember_status(self, kuerzel: str, row: dict[str, Any]) -> None:
        """Keep the status row, and that of an ended run in the history as well."""
        self._redis.hset(STATUS, kuerzel, json.dumps(row))
        note(self._redis, kuerzel, row)

    def begin_run(self, kuerzel: str) -> int:
        """Count a run that begins; gives its number."""
        return int(self._redis.hincrby(f"{PREFIX}:begun", kuerzel, 1))

    def end_run(self, kuerzel: str, number: int) -> None:
        """Note that a run has ended and its status is written."""
        self._redis.hset(f"{PREFIX}:ended", kuerzel, str(number))

    def runs_begun(self, kuerzel: str) -> int:
        """Give the number of the last run that began."""
        return int(str(self._redis.hget(f"{PREFIX}:begun", kuerzel) or 0))

    def runs_ended(self, kuerzel: str) -> int:
        """Give the number of the last run that ended."""
        return int(str(self._redis.hget(f"{PREFIX}:ended", kuerzel) or 0))

    def _replace(self, key: str, items: Iterable[str], life_s: int) -> None:
        members = list(items)
        pipe = self._redis.pipeline(transaction=True)
        pipe.delete(key)
        if members:
            pipe.sadd(key, *members)
            pipe.expire(key, life_s)
        pipe.execute()
