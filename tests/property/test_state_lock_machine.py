"""Whatever order triggers, expiry, renewals and releases come in, at most one holder passes its checkpoint."""

from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from machines import fresh, how_long

from shared.state import keys
from shared.state.lock import EmployeeLocks, HeldLock, LockLost, dirty_without_lock


class LockMachine(RuleBasedStateMachine):
    """A model of who holds the lock and whether a trigger waits; `locks_of` makes what is tried."""

    locks_of: ClassVar[Any] = EmployeeLocks

    @initialize()
    def start(self) -> None:
        self.client = fresh()
        self.now = 0.0
        self.locks = type(self).locks_of(self.client, clock=lambda: self.now, total_s=100_000)
        self.held: list[HeldLock] = []
        self.owner: HeldLock | None = None
        self.dirty = False
        self.fence = 0

    @rule()
    def trigger(self) -> None:
        won = self.locks.acquire("SB")
        if self.owner is None:
            assert won is not None
            assert won.fence > self.fence
            self.fence, self.owner = won.fence, won
            self.held.append(won)
        else:
            assert won is None
            self.dirty = True

    @rule()
    def the_lock_expires(self) -> None:
        """Let the five minutes pass for Redis and for every holder's own clock."""
        self.client.delete(keys.employee_lock("SB"))
        self.now += 301
        self.owner = None

    @rule()
    def an_operator_frees_it(self) -> None:
        assert self.locks.force_release("SB") == (self.owner is not None)
        self.owner = None

    @rule(seconds=st.integers(1, 120))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def renew(self, data) -> None:
        held = data.draw(st.sampled_from(self.held))
        assert not held.renew() or held is self.owner

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def checkpoint(self, data) -> None:
        held = data.draw(st.sampled_from(self.held))
        self.now += 101  # so that it has to ask
        try:
            held.checkpoint()
        except LockLost:
            return
        assert held is self.owner

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def clear(self, data) -> None:
        held = data.draw(st.sampled_from(self.held))
        assert held.clear_dirty() == (held is self.owner)
        self.dirty = self.dirty and held is not self.owner

    @precondition(lambda self: self.held)
    @rule(data=st.data(), final=st.booleans())
    def release(self, data, final: bool) -> None:
        held = data.draw(st.sampled_from(self.held))
        answer = held.release(final=final)
        if held is not self.owner:
            assert answer == "lost"
        elif answer == "again":
            assert self.dirty
            assert not final
        else:
            assert answer == "released"
            self.owner = None

    @invariant()
    def redis_agrees_with_the_model(self) -> None:
        if not hasattr(self, "client"):
            return
        assert self.locks.is_held("SB") == (self.owner is not None)
        assert bool(self.client.exists(keys.dirty("SB"))) == self.dirty
        assert dirty_without_lock(self.client) == (["SB"] if self.dirty and self.owner is None else [])


LockMachine.TestCase.settings = how_long()
TestLockMachine = LockMachine.TestCase
