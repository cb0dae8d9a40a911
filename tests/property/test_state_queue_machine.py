"""Whatever order adds, workers, failures and crashes come in, the queue loses nothing and runs nothing twice."""

from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from machines import fresh, how_long

from shared.state.queue import PARTIES, Claim, Refused, WorkQueue

IDS = st.sampled_from(["a", "b", "c"])
OPS = st.sampled_from(["create", "update", "delete"])
LIMIT = 3
QUEUE = "vmh:beteiligte"


class QueueMachine(RuleBasedStateMachine):
    """A model of which ops each id waits for, who works on it and how often it has failed; `queue_of` is tried."""

    queue_of: ClassVar[Any] = WorkQueue

    @initialize()
    def start(self) -> None:
        self.client = fresh()
        self.queue = type(self).queue_of(self.client, PARTIES)
        self.waiting: dict[str, set[str]] = {item: set() for item in "abc"}
        self.leases: dict[str, Claim] = {}
        self.stale: list[Claim] = []
        self.attempts = dict.fromkeys("abc", 0)
        self.delayed: set[str] = set()
        self.letters: dict[str, int] = dict.fromkeys("abc", 0)
        self.tokens = self.fence = 0

    @rule(op=OPS, item=IDS)
    def add(self, op: str, item: str) -> None:
        added = self.queue.add(op, [item])
        assert (added.new == [item]) == (op not in self.waiting[item])
        self.waiting[item].add(op)
        if op == "delete":
            self.waiting[item] = {"delete"}

    @rule(item=IDS)
    def claim(self, item: str) -> None:
        self.tokens += 1
        claim = self.queue.claim(item, f"t{self.tokens}")
        if item in self.leases:
            assert claim is Refused.HELD
        elif not self.waiting[item]:
            assert claim is Refused.UNKNOWN
        else:
            assert isinstance(claim, Claim)
            assert claim.ops == self.waiting[item]
            assert claim.fence > self.fence
            assert claim.attempts == self.attempts[item]
            assert self.queue.claim(item, claim.token) == claim
            self.leases[item], self.fence, self.waiting[item] = claim, claim.fence, set()
            self.delayed.discard(item)

    def _end(self, item: str) -> Claim:
        claim = self.leases.pop(item)
        self.stale.append(claim)
        return claim

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def done(self, data) -> None:
        item = data.draw(st.sampled_from(sorted(self.leases)))
        assert self.queue.done(self._end(item))
        self.attempts[item] = 0

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), counts=st.booleans(), drop=st.booleans())
    def fail(self, data, counts: bool, drop: bool) -> None:
        item = data.draw(st.sampled_from(sorted(self.leases)))
        claim = self._end(item)
        how = "drop" if drop else "dead"
        failed = self.queue.fail(claim, delay_s=60, counts=counts, limit=LIMIT, error="x", exhausted=how)
        self.attempts[item] += counts
        assert failed.attempts == self.attempts[item]
        if counts and self.attempts[item] >= LIMIT:
            assert failed.kind == ("dropped" if drop else "dead")
            self.attempts[item] = 0
            if not drop:
                self.letters[item] += 1
                self.waiting[item] = set()
        else:
            assert failed.kind == "delayed"
            self.waiting[item] |= claim.ops
            self.delayed.add(item)

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def postpone(self, data) -> None:
        item = data.draw(st.sampled_from(sorted(self.leases)))
        claim = self._end(item)
        assert self.queue.postpone(claim, 60)
        self.waiting[item] |= claim.ops
        self.delayed.add(item)

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def crash_and_reap(self, data) -> None:
        item = data.draw(st.sampled_from(sorted(self.leases)))
        claim = self._end(item)
        self.client.zadd(f"{QUEUE}:processing", {item: 1})
        assert self.queue.reap().expired == 1
        self.waiting[item] |= claim.ops

    @precondition(lambda self: self.delayed)
    @rule(data=st.data())
    def time_passes(self, data) -> None:
        item = data.draw(st.sampled_from(sorted(self.delayed)))
        self.client.zadd(f"{QUEUE}:delayed", {item: 1})
        assert self.queue.reap().due == 1
        self.delayed.discard(item)

    @precondition(lambda self: self.stale)
    @rule(data=st.data())
    def a_late_worker_changes_nothing(self, data) -> None:
        claim = data.draw(st.sampled_from(self.stale))
        assert not self.queue.renew(claim)
        assert not self.queue.done(claim)
        assert not self.queue.postpone(claim, 1)
        assert self.queue.fail(claim, delay_s=0, counts=True, limit=1, error="late").kind == "lost"

    @precondition(lambda self: any(self.letters.values()))
    @rule()
    def redrive(self) -> None:
        letter = self.queue.dead(count=1)[0]
        assert self.queue.redrive(letter.id)
        self.letters[letter.item] -= 1
        self.waiting[letter.item] |= letter.ops

    @rule()
    def the_stream_is_lost_and_swept(self) -> None:
        self.client.delete(f"{QUEUE}:queue")
        self.queue.sweep()

    @invariant()
    def redis_agrees_with_the_model(self) -> None:
        if not hasattr(self, "client"):
            return
        for op, key in PARTIES.sets.items():
            assert self.client.smembers(key) == {item for item, ops in self.waiting.items() if op in ops}
        assert set(self.client.zrange(f"{QUEUE}:processing", 0, -1)) == set(self.leases)
        assert set(self.client.hkeys(f"{QUEUE}:owner")) == set(self.leases)
        assert set(self.client.zrange(f"{QUEUE}:delayed", 0, -1)) == self.delayed
        assert self.queue.stats().dead == sum(self.letters.values())
        alive = set(self.leases) | {item for item, ops in self.waiting.items() if ops}
        assert set(self.client.zrange(f"{QUEUE}:since", 0, -1)) == alive

    @invariant()
    def whoever_waits_is_announced_delayed_or_at_work(self) -> None:
        if not hasattr(self, "client"):
            return
        announced = {fields["item"] for _, fields in self.client.xrange(f"{QUEUE}:queue")}
        for item, ops in self.waiting.items():
            assert not ops or item in announced | self.delayed | set(self.leases)


QueueMachine.TestCase.settings = how_long()
TestQueueMachine = QueueMachine.TestCase
