"""Work one item off: claim it, call its subscriber, and note how it ended."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from shared import metrics
from shared.clock import Clock, utc_now
from shared.errors import IntegrationError, NotConfiguredError, UpstreamError
from shared.events import topics
from shared.events.lease import Lease
from shared.events.task import LeaseLostError, PostponeError, SetAsideError, Subscriber, Task
from shared.last_look import looking
from shared.log import bound, get_log
from shared.settings.common import QueueSettings
from shared.web.problems import is_redis_error

if TYPE_CHECKING:
    from shared.events.arguments import Arguments
    from shared.state.queue import Claim, Evidence, WorkQueue

log = get_log(__name__)
Kind = Literal["done", "duplicate", "held", "delayed", "postponed", "dead", "dropped", "lost"]
AGAIN: Final = frozenset({"delayed", "postponed", "lost"})
_UPSTREAM_PAUSE_S = 5  # what an UpstreamError says by itself; only a longer wish is the upstream's own


@dataclass(frozen=True)
class Outcome:
    """How one delivery of an item ended, and when it is due again if it is."""

    kind: Kind
    delay_s: float = 0.0
    error: str = ""


class Runner:
    """Works off the items of one queue."""

    def __init__(  # noqa: PLR0913 - what it works with; most have a default
        self,
        queue: WorkQueue,
        subscribers: Mapping[str, Subscriber],
        settings: QueueSettings,
        *,
        evidence: Evidence | None = None,
        arguments: Arguments | None = None,
        clock: Clock = utc_now,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.queue = queue
        self._subscribers, self._settings = subscribers, settings
        self._evidence, self._arguments = evidence, arguments
        self._clock, self._jitter = clock, jitter

    def run(self, item: str, *, force_op: str | None = None, full_content: bool | None = None) -> Outcome:
        """Claim an item and work it off; with `force_op` also when nobody has noted it."""
        from shared.state.queue import Refused

        claimed_at = time.monotonic()
        claim = self.queue.claim(item, secrets.token_hex(16), force_op=force_op)
        if isinstance(claim, Refused):
            return Outcome("held" if claim is Refused.HELD else "duplicate")
        topic = topics.of_item(self.queue.spec.name, item, claim.ops)
        with bound(run_id=secrets.token_hex(6), topic=topic.name), Lease(self.queue, claim, claimed_at) as lease:
            outcome = self._work(claim, topic, lease, full_content)
        seconds = time.monotonic() - claimed_at
        metrics.WORK.labels(topic.name, outcome.kind).inc()
        metrics.WORK_SECONDS.labels(topic.name).observe(seconds)
        return outcome

    def _work(self, claim: Claim, topic: topics.Topic, lease: Lease, full_content: bool | None) -> Outcome:
        started = time.monotonic()
        stored, mark = self._arguments.read(claim.item) if self._arguments else (None, "")
        task = self._task(claim, topic, lease, full_content if stored is None else stored)
        outcome = self._call(claim, topic, task)
        if self._arguments and outcome.kind in {"done", "dropped", "dead"}:
            self._arguments.forget(claim.item, mark)
        write = log.warning if outcome.kind in {"dead", "dropped", "lost"} else log.info
        write(
            "work_ended",
            outcome=outcome.kind,
            attempts=claim.attempts,
            duration_ms=round((time.monotonic() - started) * 1000, 1),
            **({"slug": outcome.error, "delay_s": round(outcome.delay_s, 2)} if outcome.error else {}),
        )
        return outcome

    def _task(self, claim: Claim, topic: topics.Topic, lease: Lease, full_content: bool | None) -> Task:
        from shared.log import current

        return Task(
            topic=topic.name,
            item=claim.item,
            ops=claim.ops,
            data=topics.data_of(topic, claim.item, self._clock(), full_content),
            attempts=claim.attempts,
            fence=claim.fence,
            run_id=current("run_id"),
            checkpoint=lease.checkpoint,
            confirm=lease.confirm,
        )

    def _call(self, claim: Claim, topic: topics.Topic, task: Task) -> Outcome:
        subscriber = self._subscribers.get(topic.name)
        try:
            if subscriber is None:
                raise PostponeError(self._settings.retry_cap_s)
            with looking(task.checkpoint):
                subscriber.handle(task)
        except PostponeError as error:
            kept = self.queue.postpone(claim, error.delay_s)
            return Outcome("postponed", error.delay_s) if kept else Outcome("lost")
        except SetAsideError as error:
            kept = self.queue.set_aside(claim, error.slug)
            return Outcome("dead" if kept else "lost", error=error.slug)
        except LeaseLostError:
            return Outcome("lost")
        except Exception as error:  # noqa: BLE001 - every failure is noted with its attempt
            return self._failed(claim, subscriber, error)
        return Outcome("done" if self.queue.done(claim) else "lost")

    def _failed(self, claim: Claim, subscriber: Subscriber | None, error: Exception) -> Outcome:
        slug = slug_of(error)
        if slug == IntegrationError.slug:
            log.error("unexpected_error", exc=error)
        previous = self.queue.previous_attempt_ms(claim.item)
        own_limit = subscriber.limit if subscriber else None
        counts = own_limit is not None or self._counts(error, previous)
        delay_s = self._delay_s(claim.attempts, counts, previous, error)
        failed = self.queue.fail(
            claim,
            delay_s=delay_s,
            counts=counts,
            limit=own_limit or self._settings.retry_attempts,
            error=slug,
            exhausted=subscriber.exhausted if subscriber else "dead",
        )
        return Outcome(failed.kind, delay_s if failed.kind == "delayed" else 0.0, slug)

    def _counts(self, error: Exception, previous_ms: int | None) -> bool:
        """Tell a record that fails while others succeed from a time in which nobody succeeds."""
        if isinstance(error, UpstreamError) and error.retryable:
            return self._evidence is None or self._evidence.answered_since(error.upstream, previous_ms)
        return not (isinstance(error, NotConfiguredError) or is_redis_error(error))

    def _delay_s(self, attempts: int, counts: bool, previous_ms: int | None, error: Exception) -> float:
        """Double with each attempt; in an outage, which counts none, grow with the time since the last one."""
        base, cap = self._settings.retry_base_s, self._settings.retry_cap_s
        ceiling = min(cap, base * 2.0 ** min(attempts + 1, 40))
        lowest = min(base, cap)
        if not counts and previous_ms is not None:
            since_s = self._clock().timestamp() - previous_ms / 1000
            ceiling = min(cap, max(ceiling, 3 * since_s))
            lowest = max(lowest, ceiling / 2)
        wished = error.retry_after_s if isinstance(error, IntegrationError) else None
        if wished is not None and wished > _UPSTREAM_PAUSE_S:
            lowest = min(cap, max(lowest, float(wished)))
        return self._jitter(lowest, max(lowest, ceiling))


def slug_of(error: BaseException) -> str:
    """Name an error as a dead letter shows it."""
    if isinstance(error, IntegrationError):
        return error.slug
    return "unavailable" if is_redis_error(error) else IntegrationError.slug
