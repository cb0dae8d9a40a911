"""A last look just before a write leaves the process: whoever was stopped for long must not write any more.

Between a check of a lease and the call that it allows lie reads of Redis, a token and the making of a request.
A process that is stopped there and wakes up when somebody else has taken over would write a second time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_here = threading.local()


@contextmanager
def looking(check: Callable[[], None]) -> Iterator[None]:
    """Have every write of this thread checked; `check` raises where it must not happen."""
    before = getattr(_here, "check", None)
    _here.check = check
    try:
        yield
    finally:
        _here.check = before


def look() -> None:
    """Check, if anybody wants it."""
    check = getattr(_here, "check", None)
    if check is not None:
        check()
