"""Keep a claim alive while its item is worked on, and say at once when it is lost."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING

from shared.events.task import LeaseLostError
from shared.web.problems import is_redis_error

if TYPE_CHECKING:
    from shared.state.queue import Claim, WorkQueue


class Lease:
    """Renews every third of the lease in a thread of its own; the local clock starts before each request."""

    def __init__(self, queue: WorkQueue, claim: Claim, claimed_at: float) -> None:
        self._queue, self._claim = queue, claim
        self._ends = claimed_at + queue.lease_s
        self._over, self._lost = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def __enter__(self) -> Lease:
        """Start renewing."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop renewing."""
        self._over.set()

    def checkpoint(self) -> None:
        """Raise LeaseLostError unless the claim is still ours for sure."""
        if self._lost.is_set() or time.monotonic() >= self._ends:
            raise LeaseLostError

    def confirm(self) -> None:
        """Raise LeaseLostError unless Redis itself says that the claim is ours; a flush takes it without a word."""
        self._renewed()
        self.checkpoint()

    def _renewed(self) -> bool:
        started = time.monotonic()
        if not self._queue.renew(self._claim):
            self._lost.set()
            return False
        self._ends = started + self._queue.lease_s
        return True

    def _keep(self) -> None:
        while not self._over.wait(self._queue.lease_s / 3):
            try:
                kept = self._renewed()
            except Exception as error:
                if not is_redis_error(error):
                    raise
                continue  # unknown; the local end decides
            if not kept:
                return
