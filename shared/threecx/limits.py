"""How often a machine has dialled: counters in Redis, taken before the call and given back only if none was placed.

One call for each lead (180 days), three for each number and day (two days), so many in an hour; keys are keyed hashes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from shared.threecx.seal import Sealer

if TYPE_CHECKING:
    import redis

LIMIT: Final = "threecx:dialled:"  # STRING counter, lifetimes as above
_TAKE: Final = """
for place, key in ipairs(KEYS) do
  if tonumber(redis.call('GET', key) or '0') >= tonumber(ARGV[place * 2 - 1]) then return place end
end
for place, key in ipairs(KEYS) do
  redis.call('INCR', key)
  redis.call('EXPIRE', key, ARGV[place * 2])
end
return 0
"""


@dataclass(frozen=True)
class Limit:
    """At most so many calls under one name in a time."""

    name: str
    most: int
    seconds: int


class DialLimits:
    """Takes several limits at once or none of them."""

    def __init__(self, client: redis.Redis, sealer: Sealer) -> None:
        self._client, self._sealer = client, sealer

    def take(self, limits: list[Limit]) -> Limit | None:
        """Count a call; give the first limit that it would exceed, and then count nothing. Never sent twice."""
        args = [each for limit in limits for each in (limit.most, limit.seconds)]
        place = int(cast(Any, self._client.eval(_TAKE, len(limits), *map(self._key, limits), *args)))
        return limits[place - 1] if place else None

    def give_back(self, limits: list[Limit]) -> None:
        """Take a call off the count that was surely not placed."""
        pipe = self._client.pipeline(transaction=True)
        for limit in limits:
            pipe.decr(self._key(limit))
        pipe.execute()

    def _key(self, limit: Limit) -> str:
        return LIMIT + self._sealer.mark(limit.name)
