"""An access token in Redis: what all processes share, each step one script."""

from dataclasses import dataclass

import redis

from shared.state import keys
from shared.state.script import Script

_READ, _PUT, _LOCK, _UNLOCK, _INVALIDATE = (
    Script(f"token_{name}.lua", repeatable=True) for name in ("read", "put", "lock", "unlock", "invalidate")
)
REFRESH_LOCK_MS = 15_000  # the token call ends after 8 s
FAILURE_MARK_MS = 5_000
AHEAD_S = 5 * 60.0


@dataclass(frozen=True)
class TokenKeys:
    """Where a token lies; its helpers share the prefix."""

    token: str
    timestamp: str

    @classmethod
    def advoware(cls) -> "TokenKeys":
        """Name Advoware's token."""
        return cls(keys.ADVOWARE_TOKEN, keys.ADVOWARE_TOKEN_TIMESTAMP)

    @classmethod
    def google(cls, subject_hash: str) -> "TokenKeys":
        """Name the Google token of one subject."""
        token = keys.google_access_token(subject_hash)
        return cls(token, f"{token}:timestamp")

    @property
    def all(self) -> list[str]:
        """List token, timestamp, refresh lock (15 s), cooldown (30 s) and failure mark (5 s)."""
        return [self.token, self.timestamp, *(f"{self.token}:{name}" for name in ("refresh", "cooldown", "failed"))]


@dataclass(frozen=True)
class Seen:
    """What one look found; `ageing` says that somebody should renew it ahead of time."""

    token: str
    rest_s: float
    ageing: bool
    cooldown_s: float
    failure: str


class TokenStore:
    """The shared half of the token cache."""

    def __init__(self, client: redis.Redis, token_keys: TokenKeys) -> None:
        """Work on the keys of one token."""
        self._client, self._keys = client, token_keys.all

    def read(self) -> Seen:
        """Look at token, age, cooldown and the last failure at once."""
        token, rest, whole, cooldown, failure = _READ(self._client, self._keys)
        rest_s = int(rest) / 1000
        return Seen(token, rest_s, rest_s < min(AHEAD_S, int(whole) / 10_000), int(cooldown) / 1000, failure)

    def put(self, value: str, ttl_s: float, age_s: float) -> None:
        """Keep a token until `ttl_s` after it was asked for, `age_s` ago."""
        _PUT(self._client, self._keys[:2], [value, int((ttl_s - age_s) * 1000), int(age_s * 1000)])

    def lock(self, owner: str) -> bool:
        """Become the one who refreshes."""
        return bool(_LOCK(self._client, self._keys[2:3], [owner, REFRESH_LOCK_MS]))

    def unlock(self, owner: str, *, failed: bool) -> None:
        """Let the next one refresh, and tell those who wait when it went wrong."""
        _UNLOCK(self._client, [self._keys[2], self._keys[4]], [owner, FAILURE_MARK_MS if failed else 0])

    def invalidate(self, failed: str) -> bool:
        """Forget a token that was refused, unless it has been replaced already."""
        return bool(_INVALIDATE(self._client, self._keys[:2], [failed]))

    def cool_down(self, seconds: float) -> None:
        """Stop everybody from asking for a while."""
        self._client.set(self._keys[3], "1", px=max(1, int(seconds * 1000)))
