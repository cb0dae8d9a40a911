"""Whatever order takes, pauses, drains and outages come in, nobody gets more than burst and rate allow, or less."""

from __future__ import annotations

from typing import Any, ClassVar

import redis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from machines import fresh, how_long

from shared.state import keys
from shared.state.bucket import Bucket

BURST, RATE = 7, 8  # a minute: so slow that the time the test itself takes does not matter
PER_S = (RATE - BURST) / 60
NEARLY = 0.2


class Wire:
    """One process's way to Redis, which can break."""

    def __init__(self, client: redis.Redis) -> None:
        self._client, self.broken = client, False

    def __getattr__(self, name: str) -> Any:
        if self.broken:
            raise redis.ConnectionError("nobody is there")
        return getattr(self._client, name)


class BucketMachine(RuleBasedStateMachine):
    """A model of how full the shared bucket is; two processes take from it, the second may lose Redis."""

    bucket_of: ClassVar[Any] = Bucket

    @initialize()
    def start(self) -> None:
        self.client = fresh(2)
        self.now, self.level, self.lonely = 1000.0, float(BURST), BURST / 4
        self.granted, self.began = 0, 1000.0
        self.wires = [Wire(self.client) for _ in range(2)]
        self.buckets = [
            type(self).bucket_of(wire, rate_per_minute=RATE, burst=BURST, clock=lambda: self.now) for wire in self.wires
        ]

    @rule(process=st.sampled_from([0, 1]), units=st.integers(1, 3))
    def take(self, process: int, units: int) -> None:
        wait = self.buckets[process].take(units)
        if self.wires[process].broken:
            self._took_alone(units, wait)
            return
        if wait == 0:
            assert self.level + NEARLY >= units
            self.level -= units
            self.granted += units
        else:
            assert self.level < units + NEARLY
            assert abs(wait - (units - self.level) / PER_S) < NEARLY / PER_S + 1

    def _took_alone(self, units: int, wait: float) -> None:
        """Without Redis a process keeps to a quarter."""
        needed = min(units, BURST / 4)
        assert (wait == 0) == (self.lonely >= needed) or abs(self.lonely - needed) < 1e-6
        if wait == 0:
            self.lonely -= units

    @rule(seconds=st.integers(1, 300))
    def time_passes(self, seconds: int) -> None:
        self._turn(-seconds)
        self.now += seconds
        self.level = min(BURST, self.level + seconds * PER_S)
        self.lonely = min(BURST / 4, self.lonely + seconds * PER_S / 4)

    @rule(seconds=st.integers(1, 300))
    def the_clock_of_redis_goes_back(self, seconds: int) -> None:
        """Nothing is refilled, nothing is lost; who asks for more than there is notices it."""
        if self.level < BURST - NEARLY:
            assert self.buckets[0].take(BURST) > 0  # what came in so far is counted
            self._turn(seconds)
            assert self.buckets[0].take(BURST) > 0

    def _turn(self, seconds: int) -> None:
        ts = self.client.hget(keys.GOOGLE_BUCKET, "ts")
        if ts:
            self.client.hset(keys.GOOGLE_BUCKET, "ts", int(ts) + seconds * 1_000_000)

    @rule()
    def google_complains(self) -> None:
        self.buckets[0].drain()
        self.level = 0.0

    @rule()
    def nobody_asks_for_long(self) -> None:
        self.client.delete(keys.GOOGLE_BUCKET)  # its time had come: it was full long before
        self.now += 2 * BURST / PER_S + 1
        self.level, self.lonely = float(BURST), BURST / 4

    @rule()
    def redis_goes_or_comes_back(self) -> None:
        self.wires[1].broken = not self.wires[1].broken
        self.time_passes(2)  # a process asks Redis again after a second

    @invariant()
    def the_rate_is_kept(self) -> None:
        if not hasattr(self, "client"):
            return
        assert self.granted <= BURST + NEARLY + (self.now - self.began) * PER_S
        stored = self.client.hget(keys.GOOGLE_BUCKET, "tokens")
        assert stored is None or -1e-9 <= float(stored) <= BURST
        assert stored is None or self.client.pttl(keys.GOOGLE_BUCKET) > 1000 * BURST / PER_S


BucketMachine.TestCase.settings = how_long()
TestBucketMachine = BucketMachine.TestCase
