"""The one work queue: a pending id needs a run that starts later than now, and has one run at a time."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, Literal, cast

import redis

from shared.state.dead_letters import DeadLetters
from shared.state.deliveries import Deliveries
from shared.state.evidence import Evidence
from shared.state.queue_base import queue_script
from shared.state.script import Argument, Script
from shared.state.work import (
    CALLS,
    EMPLOYEES,
    LEADS,
    PARTIES,
    Added,
    Claim,
    DeadLetter,
    Failed,
    Message,
    QueueSpec,
    QueueStats,
    Reaped,
    Refused,
)

__all__ = [
    "CALLS",
    "EMPLOYEES",
    "LEADS",
    "PARTIES",
    "Added",
    "Claim",
    "DeadLetter",
    "Evidence",
    "Failed",
    "Message",
    "QueueSpec",
    "QueueStats",
    "Reaped",
    "Refused",
    "WorkQueue",
]

_ADD = Script("queue_add.lua", repeatable=True)
_CLAIM, _RENEW, _DONE, _FAIL, _REAP, _SWEEP, _STATS = (
    queue_script(f"queue_{name}.lua") for name in ("claim", "renew", "done", "fail", "reap", "sweep", "stats")
)
LEASE_S = 120.0
GIVE_UP_AFTER_S = 72 * 3600
_REAP_AT_ONCE, _REAP_ROUNDS = 500, 10
_SWEEP_AT_ONCE, _SWEEP_PAGES = 500, 10
_OUTBOX_PATIENCE_S = 300  # another transport may still be carrying it


class WorkQueue(Deliveries, DeadLetters):
    """ADD, CLAIM, RENEW, DONE, FAIL and REAP of one queue; each is one script and may be sent twice."""

    def __init__(
        self,
        client: redis.Redis,
        spec: QueueSpec,
        *,
        lease_s: float = LEASE_S,
        outbox: bool = False,
        replicas: int = 0,
    ) -> None:
        """Hand off through the stream, or through the outbox; `replicas` must confirm what ADD accepts."""
        super().__init__(client, spec, outbox=outbox, replicas=replicas)
        self.lease_s = lease_s
        self._handed = OrderedDict()
        self._cursors: dict[str, int] = {}
        self._touched = [self._named[each] for each in ("queue", "processing", "unsent", "since")]

    def add(self, op: str, ids: Iterable[str], request_id: str = "") -> Added:
        """Note that these ids need a run; each counts once, the order stays. The stream names who asked for it."""
        once = list(dict.fromkeys(ids))
        if op not in self.spec.sets:
            raise ValueError(f"{self.spec.name} knows no {op}")
        if not once:
            return Added([], [])
        superseded = self.spec.supersedes.get(op, ())
        sets = [self.spec.sets[each] for each in (op, *superseded)]
        arguments: list[Argument] = [int(self.outbox), op, ",".join(superseded), request_id, *once]
        at_us, *flags = _ADD(self._client, [*self._touched, *sets], arguments, replicas=self._replicas)
        new = [item for item, flag in zip(once, flags, strict=True) if flag]
        if self.outbox:
            for item in new:
                self._remember(f"{op}|{item}", int(at_us))
        return Added(new, [item for item, flag in zip(once, flags, strict=True) if not flag], int(at_us))

    def claim(self, item: str, token: str, *, force_op: str | None = None) -> Claim | Refused:
        """Take an item for `lease_s`; with `force_op` also when nobody has noted it."""
        if not token or "|" in token:
            raise ValueError("a claim needs a token of its own, without |")
        answer = self._run(_CLAIM, item, token, _ms(self.lease_s), force_op or "")
        if not isinstance(answer, list):
            return Refused.HELD if int(answer) == 0 else Refused.UNKNOWN
        fence, attempts, ops = answer
        return Claim(item, token, frozenset(ops.split(",")), int(fence), int(attempts))

    def renew(self, claim: Claim) -> bool:
        """Extend the lease; False means: stop before the next write."""
        return bool(self._run(_RENEW, claim.item, claim.token, _ms(self.lease_s)))

    def done(self, claim: Claim) -> bool:
        """End a run; what was added meanwhile is enqueued again."""
        return bool(self._run(_DONE, claim.item, claim.token))

    def fail(  # noqa: PLR0913
        self,
        claim: Claim,
        *,
        delay_s: float,
        counts: bool,
        limit: int,
        error: str,
        max_age_s: float = GIVE_UP_AFTER_S,
        exhausted: Literal["dead", "drop"] = "dead",
    ) -> Failed:
        """Give an item back for later, or up after `limit` counted attempts or `max_age_s` of failing."""
        how = "count" if counts else "keep"
        return self._fail(claim, _ms(delay_s), how, limit, _ms(max_age_s), error[:500], exhausted)

    def set_aside(self, claim: Claim, error: str) -> bool:
        """Make an item a dead letter at once."""
        return self._fail(claim, 0, "count", 0, 0, error[:500], "dead").kind == "dead"

    def postpone(self, claim: Claim, delay_s: float) -> bool:
        """Give an item back for later without a failure on its record."""
        return self._fail(claim, _ms(delay_s), "postpone", 0, 0, "", "dead").kind == "delayed"

    def previous_attempt_ms(self, item: str) -> int | None:
        """Tell the Redis time of the item's last failed attempt."""
        value = cast(Any, self._client.hget(self._named["attempts"], item))
        return int(value.split("|")[2]) if value else None

    def reap(self) -> Reaped:
        """Give back the items of dead workers and enqueue what has waited long enough."""
        expired = due = 0
        for _ in range(_REAP_ROUNDS):
            round_expired, round_due = self._run(_REAP, _REAP_AT_ONCE)
            expired, due = expired + round_expired, due + round_due
            if max(round_expired, round_due) < _REAP_AT_ONCE:
                break
        return Reaped(expired, due)

    def sweep(self, *, older_than_s: float | None = None) -> int:
        """Enqueue pending ids that nobody works on and no message announces; a few thousand a call."""
        patience = older_than_s if older_than_s is not None else _OUTBOX_PATIENCE_S * self.outbox
        return sum(self._sweep_set(key, _ms(patience)) for key in self.spec.sets.values())

    def stats(self) -> QueueStats:
        """Count what is where."""
        depth, processing, delayed, dead, unsent, oldest_ms, dead_ms = (int(value) for value in self._run(_STATS))
        return QueueStats(depth, processing, delayed, dead, unsent, oldest_ms / 1000, dead_ms / 1000)

    def _fail(self, claim: Claim, *args: Argument) -> Failed:
        kind, attempts = self._run(_FAIL, claim.item, claim.token, *args)
        return Failed(kind, int(attempts))

    def _sweep_set(self, key: str, patience_ms: int) -> int:
        swept = 0
        for _ in range(_SWEEP_PAGES):
            cursor, members = cast(Any, self._client.sscan(key, cursor=self._cursors.get(key, 0), count=_SWEEP_AT_ONCE))
            self._cursors[key] = int(cursor)
            if members:
                swept += int(self._run(_SWEEP, patience_ms, *members))
            if not int(cursor):
                break
        return swept


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
