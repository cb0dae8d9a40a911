"""Read what the console shows: Redis only, and of the process its settings; no upstream is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from functions.ops import words
from functions.ops.plans import Lent
from functions.ops.snapshot import Bucket, Employee, Hold, Queue, Snapshot, Store
from functions.ops.traces import last_calls, last_leads
from functions.ops.upstreams import read_upstreams
from shared.events import topics
from shared.settings.base import read
from shared.settings.calendar import GoogleSettings
from shared.settings.common import CommonSettings, RedisSettings
from shared.state import alive, calendar_history, calendar_runs, keys

if TYPE_CHECKING:
    import redis

    from functions.ops.letters import Letters
    from shared.events.bus import Bus

FIGURES = ("created", "updated", "deleted", "conflicts", "skipped", "failed")
ALIVE_S = 60.0


@dataclass(frozen=True)
class Console:
    """Takes snapshots."""

    bus: Bus
    letters: Letters
    settings: CommonSettings
    lent: Lent

    def snapshot(self) -> Snapshot:
        """Read everything; raises an error of Redis when it cannot be asked."""
        leads, state = self.bus.client(0), self.bus.client(1)
        letters, complete = self.letters.seen()
        calls = last_calls(leads, self.settings)
        return Snapshot(
            now=time_of(state),
            production=self.settings.production,
            missing=self.lent.missing(),
            employees=read_employees(state),
            queues=self._queues(),
            letters=letters,
            letters_complete=complete,
            upstreams=read_upstreams(leads, state, self.bus.evidence.heard()),
            bucket=read_bucket(self.bus.client(2), read(GoogleSettings)),
            store=read_store(state, read(RedisSettings)),
            leads=last_leads(leads),
            calls=calls or (),
            calls_hidden=calls is None,
        )

    def _queues(self) -> list[Queue]:
        """Read all queues; only where a worker reads streams is anybody expected to say that they do."""
        reads_streams = self.bus.transport == "redis"
        alive_s = max(ALIVE_S, 3 * self.bus.queue_settings.reap_s)
        workers = alive.readers(self.bus.client(1), alive_s) if reads_streams else {}
        return [
            Queue(name, self.bus.queue(name).stats(), workers.get(name, 0) if reads_streams else None)
            for name in topics.QUEUES
        ]


def time_of(client: redis.Redis) -> datetime:
    """Ask Redis for the time, since every age on the page counts from its clock."""
    seconds, micros = client.time()
    return datetime.fromtimestamp(seconds + micros / 1e6, UTC)


def read_employees(client: redis.Redis) -> list[Employee]:
    """Read everybody's last run, hold and lock, in the order of their initials."""
    rows = calendar_runs.statuses(client)
    kept = calendar_runs.remembered(client)
    names = sorted({*rows, *(kept[1] if kept else ())})
    locks, holds = _locks(client, names), calendar_runs.Holds(client)
    return [_employee(name, rows.get(name, {}), locks[name], holds.waiting) for name in names]


def read_runs(client: redis.Redis, kuerzel: str) -> list[Employee]:
    """Read the last runs of one employee, the newest first; what they held back is no longer to be released there."""
    return [_employee(kuerzel, row, {}, lambda _: frozenset()) for row in calendar_history.last_runs(client, kuerzel)]


def _employee(
    kuerzel: str, row: Mapping[str, Any], lock: Mapping[str, Any], waiting: Callable[[str], frozenset[str]]
) -> Employee:
    held = row.get("held") or []
    open_ = waiting(kuerzel) if held else frozenset()
    return Employee(
        kuerzel,
        str(row.get("state", "never")),
        words.read(str(row.get("last_started") or "")),
        words.read(str(row.get("last_finished") or "")),
        float(row.get("duration_s") or 0),
        {name: int(row.get(name) or 0) for name in FIGURES},
        str(row.get("error") or ""),
        bool(row.get("more")),
        [Hold(each["direction"], int(each["count"]), each["hash"], each["hash"] not in open_) for each in held],
        **lock,
    )


def _locks(client: redis.Redis, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    pipe = client.pipeline(transaction=False)
    for name in names:
        pipe.pttl(keys.employee_lock(name))
        pipe.get(keys.fence(name))
        pipe.exists(keys.dirty(name))
        pipe.get(keys.employee_lock(name))
    answers = iter(pipe.execute() if names else [])
    return {name: _lock(*(next(answers) for _ in range(4))) for name in names}


def _lock(rest_ms: int, fence: str | None, dirty: int, token: str | None) -> dict[str, Any]:
    from shared.state.lock import holder_of

    return {
        "lock_s": max(0.0, rest_ms / 1000),
        "fence": int(fence or 0),
        "asked_again": bool(dirty),
        "holder": holder_of(token or ""),
    }


def read_bucket(client: redis.Redis, settings: GoogleSettings) -> Bucket:
    """Tell how much of Google's rate is left now, as the bucket's own script counts it."""
    tokens, stamp = cast(list[Any], client.hmget(keys.GOOGLE_BUCKET, ["tokens", "ts"]))
    left = float(settings.burst)
    if tokens is not None and stamp is not None:
        passed_s = max(0.0, time_of(client).timestamp() - float(stamp) / 1e6)
        left = min(left, float(tokens) + passed_s * (settings.rate_per_minute - settings.burst) / 60)
    return Bucket(max(0.0, left), settings.burst, settings.rate_per_minute)


def read_store(client: redis.Redis, settings: RedisSettings) -> Store:
    """Tell how Redis is and whether it keeps what it acknowledges."""
    from shared.web.readiness import weak_durability

    managed = settings.durability == "managed"
    info = _info(client)
    problems = [] if managed else [each.removeprefix("redis: ") for each in weak_durability(client)]
    written = info.get("aof_last_write_status", "ok") == "ok" and info.get("rdb_last_bgsave_status", "ok") == "ok"
    return Store(
        problems,
        managed,
        str(info.get("redis_version", "")),
        int(info.get("uptime_in_seconds", 0)),
        str(info.get("used_memory_human", "")),
        int(info.get("connected_slaves", 0)),
        written,
    )


def _info(client: redis.Redis) -> dict[str, Any]:
    """Ask Redis about itself; a managed one may not tell."""
    from redis import ResponseError

    try:
        return dict(client.info())
    except ResponseError:
        return {}
