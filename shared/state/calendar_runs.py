"""What everybody may know of calendar runs: the status rows, and the held plans that a person can release.

| key in DB 1 | type | lifetime | content |
|---|---|---|---|
| `calendar_sync:status` | HASH | none | kuerzel → the status row |
| `calendar_sync:holds:{kuerzel}` | SET | none | hashes of plans that wait for a person |
| `calendar_sync:released:{kuerzel}` | SET | 7 days | hashes that a person released and no run has used yet |
| `calendar_sync:employees` | STRING | 1 day | when Advoware was asked, and kuerzel → digest of the address |
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import redis

STATUS: Final = "calendar_sync:status"
EMPLOYEES: Final = "calendar_sync:employees"
_HOLDS: Final = "calendar_sync:holds:"
_RELEASED: Final = "calendar_sync:released:"
WEEK_S: Final = 7 * 24 * 3600


def statuses(client: redis.Redis) -> dict[str, dict[str, Any]]:
    """Give all status rows."""
    rows: Any = client.hgetall(STATUS)
    return {str(kuerzel): json.loads(str(text)) for kuerzel, text in rows.items()}


def remembered(client: redis.Redis) -> tuple[float, dict[str, str]] | None:
    """Give the last list of employees with the time of asking; None when there is none or it is unreadable."""
    text = client.get(EMPLOYEES)
    try:
        value = json.loads(str(text)) if text else None
        return (float(value["at"]), dict(value["people"])) if value else None
    except (ValueError, TypeError, KeyError):
        return None


@dataclass(frozen=True)
class Holds:
    """The plans that wait for a person."""

    client: redis.Redis

    def waiting(self, kuerzel: str) -> frozenset[str]:
        """Name the hashes that wait."""
        return _texts(self.client.smembers(_HOLDS + kuerzel))

    def released(self, kuerzel: str) -> frozenset[str]:
        """Name the released hashes that no run has used yet."""
        return _texts(self.client.smembers(_RELEASED + kuerzel))

    def remember(self, kuerzel: str, hashes: Iterable[str]) -> None:
        """Replace the hashes that wait."""
        members, pipe = list(hashes), self.client.pipeline(transaction=True)
        pipe.delete(_HOLDS + kuerzel)
        if members:
            pipe.sadd(_HOLDS + kuerzel, *members)
        pipe.execute()

    def release(self, kuerzel: str, mark: str) -> bool:
        """Let the plan with this hash go on in the next run; False when no plan waits under it."""
        moved = self.client.smove(_HOLDS + kuerzel, _RELEASED + kuerzel, mark)
        if moved:
            self.client.expire(_RELEASED + kuerzel, WEEK_S)
        return bool(moved)

    def use(self, kuerzel: str, rest: Iterable[str] = ()) -> None:
        """Forget the released hashes, except for those of what could not be done yet."""
        members, pipe = list(rest), self.client.pipeline(transaction=True)
        pipe.delete(_RELEASED + kuerzel)
        if members:
            pipe.sadd(_RELEASED + kuerzel, *members)
            pipe.expire(_RELEASED + kuerzel, WEEK_S)
        pipe.execute()


def _texts(members: Any) -> frozenset[str]:
    return frozenset(str(member) for member in members)
