"""Decide when a call that changes nothing is sent again."""

from __future__ import annotations

import random

from shared.http import LONGEST_PAUSE_S, MAX_GET_RETRIES, retry_after_s

AGAIN_STATUS = frozenset({502, 503, 504})


def pause_s(attempt: int, status: int | None, retry_after: str | None = None) -> float | None:
    """Say how long to wait before the next sending of a GET, None to stop; no status means that there was no answer."""
    if attempt >= MAX_GET_RETRIES or (status is not None and status not in AGAIN_STATUS):
        return None
    wanted = retry_after_s(retry_after)
    if wanted is None:
        return random.uniform(0.05, 0.25) * (1 << attempt)  # noqa: S311 - jitter
    return wanted if wanted <= LONGEST_PAUSE_S else None
