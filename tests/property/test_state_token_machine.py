"""Whatever order misses, refusals, failures and outages come in, a token is fetched once; only a refused one goes."""

from __future__ import annotations

from typing import Any, ClassVar

import redis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from machines import fresh, how_long

from shared.state.token import FetchedToken, TokenCache, TokenKeys, TokenUnavailable

KEYS = TokenKeys.advoware()
PROCESSES = st.sampled_from([0, 1, 2])


class Wire:
    """One process's way to Redis, which can break."""

    def __init__(self, client: redis.Redis) -> None:
        self._client, self.broken = client, False

    def __getattr__(self, name: str) -> Any:
        if self.broken:
            raise redis.ConnectionError("nobody is there")
        return getattr(self._client, name)


class TokenMachine(RuleBasedStateMachine):
    """A model of the shared token, of each process's own copy, and of how often the upstream was asked."""

    cache_of: ClassVar[Any] = TokenCache

    @initialize()
    def start(self) -> None:
        self.client = fresh()
        self.now = 1000.0
        self.wires = [Wire(self.client) for _ in range(3)]
        self.caches = [
            type(self).cache_of(wire, KEYS, clock=lambda: self.now, sleep=lambda _s: None) for wire in self.wires
        ]
        self.shared, self.ageing = "", False
        self.copies: list[tuple[str, float]] = [("", 0.0)] * 3
        self.cool: list[float] = [0.0] * 3
        self.all_cool, self.fails = False, False
        self.fetches, self.seen = 0, ["nothing"]

    def _fetch(self) -> FetchedToken:
        self.fetches += 1
        if self.fails:
            raise OSError("the login failed")
        self.seen.append(f"t{self.fetches}")
        return FetchedToken(self.seen[-1], 3600)

    def _expected(self, process: int) -> tuple[str | None, int]:
        """Say which token a process gets (None: none) and how many requests that costs."""
        if self.cool[process] > self.now:
            return None, 0
        cost, fresh_one = 1, None if self.fails else f"t{self.fetches + 1}"
        if self.wires[process].broken:
            value, ends = self.copies[process]
            return (value, 0) if self.now < ends else (fresh_one, cost)
        if self.all_cool:
            return None, 0
        if self.shared and not self.ageing:
            return self.shared, 0
        if self.shared:
            return fresh_one or self.shared, cost
        return fresh_one, cost

    @rule(process=PROCESSES)
    def get(self, process: int) -> None:
        expected, cost = self._expected(process)
        before, shares = self.fetches, not self.wires[process].broken
        try:
            given = self.caches[process].get(self._fetch)
        except (TokenUnavailable, OSError):
            given = None
        assert (given, self.fetches - before) == (expected, cost)
        if given and (cost or shares):
            self.copies[process] = (given, self.now + 53 * 60)
        if given and cost and shares and not self.fails:
            self.shared, self.ageing = given, False
        self.client.delete(f"{KEYS.token}:failed")  # five seconds later

    @rule(process=PROCESSES, data=st.data())
    def refused(self, process: int, data: Any) -> None:
        """An upstream refuses a token; perhaps an old one that somebody still had."""
        token = data.draw(st.sampled_from(self.seen))
        self.caches[process].invalidate(token)
        if self.copies[process][0] == token:
            self.copies[process] = ("", 0.0)
        if token == self.shared and not self.wires[process].broken:
            self.shared, self.ageing = "", False

    @rule(process=PROCESSES)
    def refused_twice(self, process: int) -> None:
        self.caches[process].cooldown(30)
        self.cool[process] = self.now + 30
        self.all_cool = self.all_cool or not self.wires[process].broken

    @rule()
    def the_pause_ends(self) -> None:
        self.client.delete(f"{KEYS.token}:cooldown")
        self.now += 31
        self.all_cool = False
        self.client.delete(f"{KEYS.token}:refresh")

    @rule()
    def the_token_ends(self) -> None:
        self.client.delete(*KEYS.all)
        self.now += 54 * 60
        self.shared, self.ageing, self.all_cool = "", False, False

    @precondition(lambda self: self.shared)
    @rule()
    def the_token_grows_old(self) -> None:
        self.client.pexpire(KEYS.token, 60_000)
        self.client.set(KEYS.timestamp, str(int(self.client.time()[0]) - 3000), px=60_000)
        self.ageing = True

    @rule()
    def the_login_fails_or_works(self) -> None:
        self.fails = not self.fails

    @rule(process=PROCESSES)
    def redis_goes_or_comes_back(self, process: int) -> None:
        self.wires[process].broken = not self.wires[process].broken
        self.now += 2  # a process asks Redis again after a second

    @invariant()
    def redis_agrees_with_the_model(self) -> None:
        if not hasattr(self, "client"):
            return
        assert (self.client.get(KEYS.token) or "") == self.shared
        assert not self.client.exists(f"{KEYS.token}:refresh")
        assert bool(self.client.exists(KEYS.timestamp)) == bool(self.shared)


TokenMachine.TestCase.settings = how_long()
TestTokenMachine = TokenMachine.TestCase
