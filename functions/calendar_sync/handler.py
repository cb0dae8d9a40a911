"""The shell of one employee's run: lock, run, status, once more when a trigger came meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import redis

from functions.calendar_sync.deps import Deps
from functions.calendar_sync.planner import Rules
from functions.calendar_sync.report import Report, empty_row, status_row
from functions.calendar_sync.run import Counted, Limit, Run
from functions.calendar_sync.sync import sync
from shared import metrics
from shared.clock import iso
from shared.errors import IntegrationError
from shared.events.task import LeaseLostError, PostponeError
from shared.google.errors import CalendarGoneError
from shared.log import get_log
from shared.mapping.berlin import sync_window
from shared.state.lock import HeldLock, LockLost

log = get_log(__name__)
LONGEST_POSTPONE_S = 30.0


class RunFailedError(IntegrationError):
    """A run ended failed; it is tried again at most twice, then only the status tells."""

    status, slug, title, retryable = 503, "run-failed", "The run failed", True


@dataclass(frozen=True)
class Order:
    """Whose calendars, an explicit privacy mode if there is one, and what may interrupt the run."""

    kuerzel: str
    full_content: bool | None = None
    stopping: threading.Event = field(default_factory=threading.Event)
    checkpoint: Callable[[], None] = lambda: None


def sync_employee(order: Order, deps: Deps) -> dict[str, Any]:
    """Run once, and again as long as triggers came meanwhile; returns the last status row.

    Raises PostponeError when somebody else runs or the run has to go on later, RunFailedError after a failed run.
    """
    lock = deps.locks.acquire(order.kuerzel)
    if lock is None:
        raise _later(order.kuerzel, deps)
    final = True
    try:
        while True:
            lock.clear_dirty()
            row = _one_run(order, deps, lock)
            final = row["state"] == "failed" or row["more"]
            if final or lock.release() != "again":
                break
    except LockLost:
        raise _later(order.kuerzel, deps) from None
    finally:
        if final:
            _release(lock)
    if row["more"]:
        raise PostponeError(0.0)
    if row["state"] == "failed":
        raise RunFailedError(row["error"])
    return row


def _later(kuerzel: str, deps: Deps) -> PostponeError:
    return PostponeError(min(max(deps.locks.rest_s(kuerzel), 0.1), LONGEST_POSTPONE_S))


def _release(lock: HeldLock) -> None:
    try:
        lock.release(final=True)
    except redis.RedisError:
        log.warning("lock_left_to_expire")


def _one_run(order: Order, deps: Deps, lock: HeldLock) -> dict[str, Any]:
    started, clock = deps.clock(), time.monotonic()
    report = Report()
    number = deps.memory.begin_run(order.kuerzel)
    before = deps.memory.status(order.kuerzel) or empty_row(order.kuerzel)
    deps.memory.remember_status(order.kuerzel, before | {"state": "running", "last_started": iso(started)})
    checks = (order.checkpoint, lock.checkpoint)
    limit = Limit(deps.settings.run_limit_s, order.stopping, checks, deps.monotonic)
    try:
        sync(make_run(order, deps, report, limit), deps.memory, deps.limits)
    except IntegrationError as error:
        report.error = error.slug
        if isinstance(error, CalendarGoneError):
            deps.calendars.forget(order.kuerzel)
        log.warning("run_failed", slug=error.slug)
    except (LockLost, LeaseLostError):
        raise  # another run writes the status
    except Exception as error:
        report.error = "unavailable" if isinstance(error, redis.RedisError) else "internal"
        _note(order.kuerzel, report, started, clock, deps)
        raise
    row = _note(order.kuerzel, report, started, clock, deps)
    deps.memory.end_run(order.kuerzel, number)
    return row


def _note(kuerzel: str, report: Report, started: Any, clock: float, deps: Deps) -> dict[str, Any]:
    seconds = time.monotonic() - clock
    row = status_row(kuerzel, report, iso(started), iso(deps.clock()), seconds)
    deps.memory.remember_status(kuerzel, row)
    metrics.SYNC_SECONDS.observe(seconds)
    for figure, value in report.figures().items():
        metrics.SYNC_CHANGES.labels(figure).inc(value)
    log.info(
        "run_ended",
        state=row["state"],
        duration_ms=round(seconds * 1000),
        advoware_calls=report.advoware_calls,
        google_calls=report.google_calls,
        **report.figures(),
    )
    return row


def make_run(order: Order, deps: Deps, report: Report, limit: Limit, calendar_id: str | None = None) -> Run:
    """Put together what a run works with; without a given calendar the employee's own is found or made."""

    def count(method: str) -> None:
        report.google_calls += int(method.startswith("events."))

    kuerzel = order.kuerzel
    google = deps.google.until(limit.deadline, count)
    if calendar_id is None:
        shared = deps.employees.known(kuerzel)
        calendar_id = deps.calendars.ensure(kuerzel, shared, lambda: deps.employees.email(kuerzel), google)
    return Run(
        kuerzel,
        calendar_id,
        Counted(deps.advoware, report, limit.check),
        google,
        make_rules(order, deps),
        deps.settings.reader(),
        report,
        limit.check,
        markers=deps.settings.calendar.marker,
        colleagues=lambda: [name for name in deps.employees.all() if name != kuerzel],
        now=lambda: deps.clock().timestamp(),
    )


def make_rules(order: Order, deps: Deps) -> Rules:
    """Say by which rules a run decides; `read_at` is now, because Advoware is read next."""
    calendar = deps.settings.calendar
    now = deps.clock()
    full = calendar.full_content if order.full_content is None else order.full_content
    return Rules(
        deps.settings.bases(),
        "f" if full else "a",
        calendar.placeholders,
        sync_window(now, calendar.past_days, calendar.future_days),
        now.timestamp(),
        calendar.intent_grace_s,
        deps.settings.advoware.write_enabled,
        calendar.conflict_policy,
        calendar.delete_policy,
        deps.memory.suspects(order.kuerzel),
    )
