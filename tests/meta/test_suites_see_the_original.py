"""Our suites pass on what we have and report every known defect of the predecessor's way; else they prove nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import pytest
import redis
import suites
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from originals import OriginalDedup, OriginalLock, OriginalToken, original_url
from test_state_lock_machine import LockMachine
from test_state_token_machine import TokenMachine

from functions.advoware_proxy.target import read_target
from shared.errors import IntegrationError
from shared.state.lock import EmployeeLocks, HeldLock, LockLost
from shared.state.queue import PARTIES, Claim, WorkQueue
from shared.state.token import TokenCache, TokenKeys


class OurDedup:
    """The work queue under the suite's verbs."""

    def __init__(self, client: redis.Redis) -> None:
        self._queue, self._client = WorkQueue(client, PARTIES), client

    def deliver(self, ids: list[str], op: str = "update") -> None:
        self._queue.add(op, ids)

    def take(self) -> tuple[str, Any] | None:
        for message in self._queue.read("w", count=1, block_ms=0):
            claim = self._queue.claim(message.item, secrets.token_hex(4))
            if isinstance(claim, Claim):
                return claim.item, (claim, message)
            self._queue.ack(message.stream_id)
            return self.take()
        return None

    def done(self, _item: str, how: Any) -> None:
        claim, message = how
        self._queue.done(claim)
        self._queue.ack(message.stream_id)

    def time_passes(self) -> None:
        for item in self._client.zrange("vmh:beteiligte:processing", 0, -1):
            self._client.zadd("vmh:beteiligte:processing", {item: 1})
        self._queue.reap()


class OurLock:
    """The employees' lock under the suite's verbs."""

    def __init__(self, client: redis.Redis) -> None:
        self._now = 0.0
        self._locks = EmployeeLocks(client, clock=lambda: self._now)

    def acquire(self) -> HeldLock | None:
        return self._locks.acquire("SB")

    def may_write(self, held: HeldLock) -> bool:
        try:
            held.checkpoint()
        except LockLost:
            return False
        return True

    def release(self, held: HeldLock) -> str:
        return held.release()

    def time_passes(self, seconds: float) -> None:
        self._now += seconds


def our_url(raw: str) -> str | None:
    try:
        return suites.BASE + read_target({"RAW_URI": f"/advoware/{raw}"}).raw
    except IntegrationError:
        return None


def our_token(client: redis.Redis) -> TokenCache:
    return TokenCache(client, TokenKeys.advoware())


EVERY_DEFECT = {
    "dedup": {
        "race",
        "crash",
        "edit during a run",
        "dead worker",
        "pending ids end by themselves",
        "two runs of one id at once",
    },
    "lock": {"two write at once", "freed another's lock", "trigger forgotten", "locked out by its own lock"},
    "token": {"stampede", "crowd at a failing login", "one refusal, many requests", "the timestamp outlives its token"},
}
SUITES: dict[str, tuple[Callable[..., list[str]], Any, Any]] = {
    "dedup": (suites.dedup, OurDedup, OriginalDedup),
    "lock": (suites.lock, OurLock, OriginalLock),
    "token": (suites.token, our_token, OriginalToken),
}


@pytest.mark.parametrize("name", SUITES)
def test_the_suite_has_nothing_to_say_against_ours(client: redis.Redis, name: str) -> None:
    suite, ours, _ = SUITES[name]
    assert suite(ours, client) == []


@pytest.mark.parametrize("name", SUITES)
def test_the_suite_reports_every_defect_of_the_original(client: redis.Redis, name: str) -> None:
    suite, _, original = SUITES[name]
    assert set(suite(original, client)) == EVERY_DEFECT[name]


def test_the_path_suite_passes_ours_and_reports_the_original() -> None:
    assert suites.path(our_url) == []
    told = suites.path(lambda raw: original_url(suites.BASE, raw))
    assert {"../admin", "%2e%2e/%2e%2e/admin", "//evil.example/x", "http://evil.example/x", "a%252e%252e/b"} <= set(
        told
    )
    assert "akten/4711/dokumente?x=1&x=2&y=%2F..%2F" not in told  # it does not complain of everything


class LockAsBefore:
    """The original's lock with the methods that the state machine calls."""

    def __init__(self, client: redis.Redis, **_: Any) -> None:
        self._client = client
        self._fence = 0

    def acquire(self, kuerzel: str) -> Any:
        self._fence += 1
        won = self._client.set(f"calendar_sync:lock:{kuerzel}", "1", nx=True, ex=300)
        return (
            _HeldAsBefore(self._client, self._fence)
            if won
            else self._client.set(f"calendar_sync:dirty:{kuerzel}", 1) and None
        )

    def is_held(self, kuerzel: str) -> bool:
        return bool(self._client.exists(f"calendar_sync:lock:{kuerzel}"))

    def force_release(self, kuerzel: str) -> bool:
        return bool(self._client.delete(f"calendar_sync:lock:{kuerzel}"))


class _HeldAsBefore:
    def __init__(self, client: redis.Redis, fence: int) -> None:
        self._client, self.fence = client, fence

    def renew(self) -> bool:
        return bool(self._client.expire("calendar_sync:lock:SB", 300))

    def checkpoint(self) -> None:
        """Ask nobody."""

    def clear_dirty(self) -> bool:
        self._client.delete("calendar_sync:dirty:SB")
        return True

    def release(self, *, final: bool = False) -> str:
        del final
        self._client.delete("calendar_sync:lock:SB")
        return "released"


class TokenAsBefore(OriginalToken):
    """The original's token with the methods that the state machine calls."""

    def __init__(self, client: Any, _keys: TokenKeys, **_: Any) -> None:
        super().__init__(client)

    def cooldown(self, _seconds: float) -> None:
        """Never rest."""


class LockMachineAsBefore(LockMachine):
    locks_of = LockAsBefore


class TokenMachineAsBefore(TokenMachine):
    cache_of = TokenAsBefore


@pytest.mark.parametrize("machine", [LockMachineAsBefore, TokenMachineAsBefore])
def test_the_state_machines_find_the_original_out(machine: type[RuleBasedStateMachine]) -> None:
    brief = settings(
        max_examples=500,
        stateful_step_count=30,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    with pytest.raises((AssertionError, redis.RedisError)):
        run_state_machine_as_test(machine, settings=brief)
