"""One run for one employee: read both, plan, apply, remember."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

import redis

from functions.calendar_sync.apply import carry_out
from functions.calendar_sync.guard import Deletion, Limits, guard, marks
from functions.calendar_sync.memory import Memory
from functions.calendar_sync.plan import Adopt, Anonymise, Cancel, Delete, Merge, Step
from functions.calendar_sync.planner import decide
from functions.calendar_sync.reading import MAX_FAILURES_IN_A_ROW, Known, Reading, read_both
from functions.calendar_sync.run import Run, StopRun
from shared.advoware.errors import NoTokenError as NoAdvowareTokenError
from shared.errors import IntegrationError, UpstreamAuthenticationError, UpstreamRejectedError
from shared.google.errors import (
    CalendarGoneError,
    EventChangedError,
    EventGoneError,
    NoTokenError,
    OutOfTimeError,
    QuotaExhaustedError,
)
from shared.log import get_log
from shared.state.lock import LockLost

log = get_log(__name__)
ENDS_THE_RUN = (
    QuotaExhaustedError,
    UpstreamAuthenticationError,
    NoTokenError,
    NoAdvowareTokenError,
    CalendarGoneError,
)


def sync(run: Run, memory: Memory, limits: Limits) -> None:
    """Bring both calendars of one employee in step and fill the report; what cannot go on raises.

    The sync token is kept only after a clean and complete run, and it predates the run's own writes, so the next
    delta shows them once; they equal their bases and cause nothing.
    """
    known = recall(run, memory)
    if run.rules.mode == "f":
        memory.remember_swept(run.kuerzel, False)  # before the first text is written
    try:
        reading = read_both(run, known)
        _apply(reading, run, memory, limits, known.released)
        _remember(reading, run, memory)
    except (StopRun, OutOfTimeError):
        run.report.more = True
        memory.forget_cancelled(run.kuerzel, run.report.restored)
        memory.remember_read(run.kuerzel, None)
    except (IntegrationError, LockLost, redis.RedisError):
        _forget(run, memory)
        raise


def recall(run: Run, memory: Memory) -> Known:
    """Give what earlier runs left behind; the first anonymous run also looks at past events."""
    swept = memory.swept(run.kuerzel)
    return Known(
        memory.last_read(run.kuerzel),
        memory.released(run.kuerzel),
        run.rules.mode == "a" and not swept,
        memory.mark(run.kuerzel),
        memory.cancelled(run.kuerzel),
    )


def steps_of(reading: Reading, run: Run) -> list[Step]:
    """Decide every pair, links first so that nothing is created beside what exists already."""
    steps = [step for pair in reading.pairs for step in decide(pair, run.rules)]
    steps += [Anonymise(theirs) for theirs in reading.showing]
    order = {Adopt: 0, Merge: 1}
    return sorted(steps, key=lambda step: order.get(type(step), 2))


def _apply(reading: Reading, run: Run, memory: Memory, limits: Limits, released: frozenset[str]) -> None:
    deletions: list[Deletion] = []
    waiting = deque(steps_of(reading, run))
    attempts = Attempts(run)
    while waiting:
        step = waiting.popleft()
        if isinstance(step, Cancel | Delete):
            deletions.append(step)
        else:
            waiting.extendleft(attempts.make(step))
    allowed, holds = guard(deletions, reading.seen.linked, limits, run.kuerzel, released)
    run.report.holds = [*([reading.hold] if reading.hold else []), *holds]
    memory.remember_cancelled(run.kuerzel, [step.theirs.id for step in allowed if isinstance(step, Cancel)])
    for hold in run.report.holds:
        log.warning("deletions_held", direction=hold.direction, count=hold.count)
    left = list(allowed)
    try:
        for deletion in allowed:
            if attempts.succeeds(deletion):
                left.remove(deletion)
    finally:  # a person let all of them pass: what of it is left needs no second word
        if released:
            memory.use_release(run.kuerzel, marks(left, run.kuerzel))


class Attempts:
    """Carries steps out one by one; the failure of one does not stop the others."""

    def __init__(self, run: Run) -> None:
        self._run, self._in_a_row = run, 0

    def make(self, step: Step) -> Sequence[Step]:
        """Carry one step out; gives the steps that follow from it."""
        report = self._run.report
        try:
            following = carry_out(step, self._run)
        except ENDS_THE_RUN:
            raise
        except OutOfTimeError as error:
            raise StopRun from error
        except (EventChangedError, EventGoneError):
            report.skip()  # somebody was faster; the next run decides with fresh data
            return ()
        except IntegrationError as error:
            report.fail()
            log.warning("step_failed", action=type(step).__name__, slug=error.slug)
            self._in_a_row += int(error.retryable)
            if self._in_a_row >= MAX_FAILURES_IN_A_ROW and not isinstance(error, UpstreamRejectedError):
                raise
            return ()
        self._in_a_row = 0
        return following

    def succeeds(self, step: Step) -> bool:
        """Carry one step out; tells whether it is done."""
        failed = self._run.report.failed
        self.make(step)
        return self._run.report.failed == failed


def _remember(reading: Reading, run: Run, memory: Memory) -> None:
    report = run.report
    clean = report.clean and not report.holds and not report.failed and bool(reading.seen.token)
    several = tuple(sorted({*reading.seen.several, *report.replaced}))
    memory.remember_read(run.kuerzel, replace(reading.seen, several=several) if clean else None)
    if clean:
        memory.remember_mark(run.kuerzel, reading.mark)
    memory.forget_cancelled(run.kuerzel, report.restored)
    memory.remember_suspects(run.kuerzel, report.suspects)
    memory.remember_holds(run.kuerzel, report.holds)
    if clean and run.rules.mode == "a":
        memory.remember_swept(run.kuerzel, True)


def _forget(run: Run, memory: Memory) -> None:
    try:
        memory.forget_cancelled(run.kuerzel, run.report.restored)
        memory.remember_read(run.kuerzel, None)
    except redis.RedisError:
        log.warning("memory_unreachable")
