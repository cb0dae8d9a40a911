"""One lead on its way: what was done already, and how each outside record comes to exist exactly once."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from shared.errors import UpstreamError, UpstreamMalformedError, UpstreamTimeoutError
from shared.events.task import PostponeError, Task
from shared.log import get_log

if TYPE_CHECKING:
    from shared.state.leads import LeadStore, Record

log = get_log(__name__)
BROKEN_SETTLE_S = 1.0  # a connection that broke: what it began ends soon
TIMED = frozenset("judged crm_id conflict replied called mailed proven released party".split())
Found = dict[str, Any]


class ErasedError(Exception):
    """Somebody erased the lead while it was in hand: write nothing more, and clear away what was written."""


class Journey:
    """The notes of one lead's work; every step is noted, so that a repeat goes on where the last one ended."""

    def __init__(self, store: LeadStore, record: Record, task: Task, settle_s: float) -> None:
        self.store, self.lead_id, self.task = store, record.lead_id, task
        self._notes, self._settle_s = dict(record.notes), settle_s
        self.created: set[str] = set()  # the steps whose record this very run has created

    def note(self, name: str) -> str:
        """Give one note, or an empty text."""
        return self._notes.get(name, "")

    def look(self) -> None:
        """Stop where somebody else may be at work, or where the lead was erased."""
        self.task.checkpoint()
        if self.store.is_erased(self.lead_id):
            raise ErasedError(self.lead_id)

    def open_s(self) -> float:
        """Tell for how long something that was sent may still arrive."""
        ends = (int(value or 0) for name, value in self._notes.items() if name.endswith(_until("")))
        return max(0.0, (max(ends, default=0) - _now_ms()) / 1000)

    def write(self, drop: tuple[str, ...] = (), /, **values: str | int) -> None:
        """Write notes."""
        values |= {time_of(name): _now_ms() for name in values if name in TIMED}
        if not self.store.note(self.lead_id, drop, **values) and self.store.is_erased(self.lead_id):
            raise ErasedError(self.lead_id)
        for name in drop:
            self._notes.pop(name, None)
        self._notes |= {name: str(value) for name, value in values.items()}

    def ensure(
        self, step: str, find: Callable[[], str | None], create: Callable[[], Found], *, surely_none: bool = False
    ) -> str:
        """Give the id of the record of a step: noted, found, or created when surely nobody has created it."""
        if self.note(step):
            return self.note(step)
        found = None if surely_none and not self.note(_until(step)) else find()
        if found is None:
            self._wait_for_an_open_call(step)
            self.task.checkpoint()
            found = str(self._create(step, create)["id"])
            self.created.add(step)
        self.write((_until(step),), **{step: found})
        return found

    def _wait_for_an_open_call(self, step: str) -> None:
        left_s = (int(self.note(_until(step)) or 0) - _now_ms()) / 1000
        if left_s > 0:
            log.info("lead_waits_for_open_call", lead_id=self.lead_id, delay_s=round(left_s, 1))
            raise PostponeError(left_s + 0.05)

    def _create(self, step: str, create: Callable[[], Found]) -> Found:
        """Note before a call until when its outcome may be unknown, and after it what is known by then."""
        self.write(**{_until(step): _now_ms() + int(self._settle_s * 1000)})
        try:
            return create()
        except UpstreamTimeoutError:
            self.write(**{_until(step): _now_ms() + int(self._settle_s * 500)})
            raise
        except UpstreamError as error:
            broken = error.upstream_status is None or isinstance(error, UpstreamMalformedError)
            self.write(**{_until(step): _now_ms() + int(BROKEN_SETTLE_S * 1000) if broken else 0})
            raise


def time_of(step: str) -> str:
    """Name the note of when a step was done (ms)."""
    return f"{step}_at"


def _until(step: str) -> str:
    return f"{step}_until"


def _now_ms() -> int:
    return int(time.time() * 1000)
