"""One sync per employee: a lock with an owner, a fence, renewal, and a memory for triggers that came too soon."""

import os
import secrets
import time
from collections.abc import Callable
from typing import Literal, cast

import redis

from shared.state import keys
from shared.state.script import Script

_ACQUIRE, _RENEW, _RELEASE, _CLEAR = (
    Script(f"lock_{name}.lua", repeatable=True) for name in ("acquire", "renew", "release", "clear")
)
TTL_S = 300.0
RENEW_EVERY_S = 100.0
MARGIN_S = 45.0  # one outside call of 30 s and 15 s of drift
TOTAL_S = 30 * 60.0  # a run that hangs frees its lock
_RETRY_S = 1.0

Clock = Callable[[], float]


class LockLost(Exception):  # noqa: N818 - the spoken name
    """The lock is not ours any more, or may not be by the time a write arrives."""


class HeldLock:
    """A lock that was won; ask `checkpoint` before every outside write."""

    def __init__(self, locks: "EmployeeLocks", kuerzel: str, token: str, fence: int, started: float) -> None:
        """Count every deadline from before the request that won or renewed the lock."""
        self.kuerzel, self.fence = kuerzel, fence
        self._locks, self._token = locks, token
        self._ends = started + locks.total_s
        self._renewed = self._tried = started
        self._lost = False

    def renew(self) -> bool:
        """Extend the lock if it is still ours; False means lost."""
        started = self._locks.clock()
        self._tried = started
        if self._lost or not self._ask(_RENEW, self._locks.ttl_ms):
            self._lost = True
            return False
        self._renewed = started
        return True

    def checkpoint(self) -> None:
        """Raise LockLost unless a write that starts now will end under our lock."""
        now = self._locks.clock()
        if not self._safe(now):
            raise LockLost(self.kuerzel)
        if now - self._renewed < self._locks.renew_every_s or now - self._tried < self._locks.retry_s:
            return
        try:
            kept = self.renew()
        except redis.RedisError:
            kept = True  # unknown; the local deadline decides
        if not kept or not self._safe(self._locks.clock()):
            raise LockLost(self.kuerzel)

    def clear_dirty(self) -> bool:
        """Forget the triggers so far; do this before reading, so that later ones are seen."""
        return self._ask(_CLEAR)

    def release(self, *, final: bool = False) -> Literal["released", "again", "lost"]:
        """Free the lock; "again" keeps it, because a trigger came meanwhile. `final` frees it even so."""
        started = self._locks.clock()
        over = final or self._lost or started > self._ends - self._locks.margin_s
        keys_ = [keys.employee_lock(self.kuerzel), keys.dirty(self.kuerzel)]
        answer = str(_RELEASE(self._locks.client, keys_, [self._token, self._locks.ttl_ms, int(over)]))
        if answer == "again":
            self._renewed = self._tried = started
        else:
            self._lost = True
        return cast(Literal["released", "again", "lost"], answer)

    def _safe(self, now: float) -> bool:
        return not self._lost and now < min(self._renewed + self._locks.ttl_s - self._locks.margin_s, self._ends)

    def _ask(self, script: Script, *args: int) -> bool:
        keys_ = [keys.employee_lock(self.kuerzel), keys.dirty(self.kuerzel)]
        return bool(script(self._locks.client, keys_, [self._token, *args]))


class EmployeeLocks:
    """The locks of all employees."""

    def __init__(
        self, client: redis.Redis, *, ttl_s: float = TTL_S, clock: Clock = time.monotonic, total_s: float = TOTAL_S
    ) -> None:
        """Derive renewal and safety margin from the lifetime, so that short ones work too."""
        self.client, self.ttl_s, self.clock, self.total_s = client, ttl_s, clock, total_s
        self.ttl_ms = int(ttl_s * 1000)
        self.renew_every_s = min(RENEW_EVERY_S, ttl_s / 3)
        self.margin_s = min(MARGIN_S, ttl_s / 2)
        self.retry_s = min(_RETRY_S, ttl_s / 10)
        self._unanswered: dict[str, str] = {}

    def acquire(self, kuerzel: str) -> HeldLock | None:
        """Win the lock, or leave a mark that makes its holder run once more."""
        token, started = self._unanswered.pop(kuerzel, None) or new_token(), self.clock()
        keys_ = [keys.employee_lock(kuerzel), keys.dirty(kuerzel), keys.fence(kuerzel)]
        try:
            fence = int(_ACQUIRE(self.client, keys_, [token, self.ttl_ms]))
        except redis.RedisError:
            self._unanswered[kuerzel] = token  # it may have won; the next try must not meet its own lock
            raise
        return HeldLock(self, kuerzel, token, fence, started) if fence else None

    def is_held(self, kuerzel: str) -> bool:
        """Say whether somebody holds the lock."""
        return bool(self.client.exists(keys.employee_lock(kuerzel)))

    def rest_s(self, kuerzel: str) -> float:
        """Tell how long the lock lives if nobody renews it; 0 when it is free."""
        return max(0.0, self.client.pttl(keys.employee_lock(kuerzel)) / 1000)

    def force_release(self, kuerzel: str) -> bool:
        """Free a stuck lock for an operator; its holder notices at the next renewal."""
        return bool(self.client.delete(keys.employee_lock(kuerzel)))


def new_token() -> str:
    """Make what nobody else can guess, with the name of this process for whoever looks at the lock."""
    return f"{secrets.token_hex(16)}@{os.uname().nodename}:{os.getpid()}"


def holder_of(token: str) -> str:
    """Name the machine and process that a lock's token was made for; nothing for a token of another kind."""
    return token.partition("@")[2]


def dirty_without_lock(client: redis.Redis) -> list[str]:
    """List employees whose trigger waits although nobody is at work."""
    marks = client.scan_iter(match=f"{keys.DIRTY_PREFIX}*", count=500)
    waiting = sorted({str(mark).removeprefix(keys.DIRTY_PREFIX) for mark in marks})
    return [kuerzel for kuerzel in waiting if not client.exists(keys.employee_lock(kuerzel))]
