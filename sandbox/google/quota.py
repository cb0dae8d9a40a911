"""Count quota units per user in a sliding minute and keep what was granted."""

from collections import deque
from collections.abc import Callable, Iterable
from itertools import chain

from sandbox.google.errors import GoogleError

WINDOW_S = 60.0
PATCH_UNITS = 3
REFUSALS = {
    "rateLimitExceeded": (403, "Rate Limit Exceeded"),
    "userRateLimitExceeded": (403, "User Rate Limit Exceeded"),
    "429": (429, "Rate Limit Exceeded"),
}


class Quota:
    """Grant at most `per_minute` units per user in any sixty seconds; None grants everything."""

    def __init__(self, clock: Callable[[], float], per_minute: int | None = 600) -> None:
        self.clock, self.per_minute = clock, per_minute
        self.refusal = "rateLimitExceeded"
        self.granted: dict[str, list[tuple[float, int]]] = {}
        self.refused: dict[str, int] = {}
        self._windows: dict[str, deque[tuple[float, int]]] = {}
        self._sums: dict[str, int] = {}

    def spend(self, user: str, units: int) -> None:
        """Take units for a call, or refuse it."""
        now, window = self.clock(), self._windows.setdefault(user, deque())
        while window and window[0][0] <= now - WINDOW_S:
            self._sums[user] -= window.popleft()[1]
        used = self._sums.get(user, 0)
        if self.per_minute is not None and used + units > self.per_minute:
            self.refused[user] = self.refused.get(user, 0) + 1
            status, message = REFUSALS[self.refusal]
            raise GoogleError(status, "rateLimitExceeded" if status == 429 else self.refusal, message)
        window.append((now, units))
        self._sums[user] = used + units
        self.granted.setdefault(user, []).append((now, units))

    def most_in_a_minute(self, user: str | None = None) -> int:
        """Tell the largest number of units that any sixty seconds saw, for a user or for all together."""
        grants = chain(*self.granted.values()) if user is None else self.granted.get(user, ())
        return most_in_window(sorted(grants))


def most_in_window(grants: Iterable[tuple[float, int]]) -> int:
    """Slide a window over grants that are in order of time."""
    window: deque[tuple[float, int]] = deque()
    total = most = 0
    for at, units in grants:
        window.append((at, units))
        total += units
        while window[0][0] <= at - WINDOW_S:
            total -= window.popleft()[1]
        most = max(most, total)
    return most
