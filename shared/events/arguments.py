"""Keep the last explicit `full_content` of each employee until a run has used it, also when triggers coalesce."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    import redis

KEY: Final = "calendar_sync:args"
_FORGET: Final = """
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
"""


class Arguments:
    """The HASH `calendar_sync:args`: item → `true|<nonce>` or `false|<nonce>`; the nonce tells repeats apart."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def store(self, item: str, full_content: bool) -> None:
        """Remember what was asked for explicitly."""
        self._client.hset(KEY, item, f"{str(full_content).lower()}|{secrets.token_hex(4)}")

    def read(self, item: str) -> tuple[bool | None, str]:
        """Read it without forgetting it, with the mark that `forget` wants."""
        value = cast(Any, self._client.hget(KEY, item))
        return (None, "") if value is None else (str(value).startswith("true"), str(value))

    def forget(self, item: str, mark: str) -> None:
        """Forget what a run has used, unless something newer was asked for meanwhile."""
        if mark:
            self._client.eval(_FORGET, 1, KEY, item, mark)
