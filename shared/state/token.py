"""One access token for all processes: fetched once, renewed ahead of time, forgotten only when refused."""

import contextlib
import random as random_module
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import redis

from shared.state.token_store import Seen, TokenKeys, TokenStore

__all__ = ["FetchedToken", "TokenCache", "TokenKeys", "TokenUnavailable", "lifetime_s"]

LONGEST_S = 53 * 60.0
WAIT_S = 10.0
RETRY_AFTER_S = 5.0
TRY_REDIS_AGAIN_S = 1.0

_NOTHING = ("", float("-inf"))

Clock = Callable[[], float]


class TokenUnavailable(Exception):  # noqa: N818 - the spoken name
    """There is no token now; asking again after `retry_after_s` may help."""

    def __init__(self, retry_after_s: float = RETRY_AFTER_S) -> None:
        """Say when to ask again."""
        super().__init__(f"no token for {retry_after_s:.0f} s")
        self.retry_after_s = retry_after_s


@dataclass(frozen=True)
class FetchedToken:
    """A token as the upstream gave it, with the life it announced."""

    value: str
    life_s: float | None = None

    def __repr__(self) -> str:
        """Keep the secret out of logs."""
        return f"FetchedToken(life_s={self.life_s})"


Fetch = Callable[[], FetchedToken]


def lifetime_s(life_s: float | None) -> float:
    """Decide how long to use a token that lives so long: never into its last minutes, at most 53 minutes."""
    life = life_s if life_s else 60 * 60.0
    return min(LONGEST_S, max(life / 2, life - 7 * 60))


class TokenCache:
    """Hands out the shared token; without Redis each process has its own."""

    def __init__(
        self,
        client: redis.Redis | None,
        keys: TokenKeys,
        *,
        clock: Clock = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = random_module.random,
    ) -> None:
        """Remember the last token seen, for the time when Redis cannot be asked."""
        self._store = TokenStore(client, keys) if client is not None else None
        self._clock, self._sleep, self._random = clock, sleep, random
        self._copy = _NOTHING
        self._cool_until = self._down_until = float("-inf")
        self._one_at_a_time = threading.Lock()

    def get(self, fetch: Fetch) -> str:
        """Return a valid token; among all who miss it, one fetches."""
        self._respect(self._cool_until - self._clock())
        if self._store is None or self._clock() < self._down_until:
            return self._alone(fetch)
        try:
            return self._together(self._store, fetch)
        except redis.RedisError:
            self._down_until = self._clock() + TRY_REDIS_AGAIN_S
            return self._alone(fetch)

    def invalidate(self, failed: str) -> None:
        """Forget a token that the upstream refused; a newer one stays."""
        if self._copy[0] == failed:
            self._copy = _NOTHING
        if self._store is not None:
            with contextlib.suppress(redis.RedisError):
                self._store.invalidate(failed)

    def cooldown(self, seconds: float = 30.0) -> None:
        """Stop asking for a while after a second refusal: more of them could lock the account."""
        self._cool_until = self._clock() + seconds
        if self._store is not None:
            with contextlib.suppress(redis.RedisError):
                self._store.cool_down(seconds)

    def _together(self, store: TokenStore, fetch: Fetch) -> str:
        owner, gives_up, seen = secrets.token_hex(16), self._clock() + WAIT_S, store.read()
        earlier = seen.failure
        while True:
            self._respect(seen.cooldown_s)
            if seen.token and (not seen.ageing or seen.failure):
                return self._keep(seen)
            if store.lock(owner):
                return self._refresh(store, owner, fetch, earlier)
            if seen.token:
                return self._keep(seen)
            if self._clock() >= gives_up:
                raise TokenUnavailable
            self._sleep(0.02 + 0.06 * self._random())
            seen = store.read()

    def _refresh(self, store: TokenStore, owner: str, fetch: Fetch, earlier: str) -> str:
        failed = False
        try:
            seen = store.read()  # somebody may have been faster
            self._respect(seen.cooldown_s)
            if seen.token and not seen.ageing:
                return self._keep(seen)
            if seen.failure not in ("", earlier):
                raise TokenUnavailable  # the one we waited for failed; a crowd must not try in turn
            try:
                return self._fetch(fetch)
            except Exception:
                failed = True
                if not seen.token:
                    raise
                return self._keep(seen)
        finally:
            with contextlib.suppress(redis.RedisError):
                store.unlock(owner, failed=failed)

    def _alone(self, fetch: Fetch) -> str:
        if not self._one_at_a_time.acquire(timeout=WAIT_S):
            raise TokenUnavailable
        try:
            value, ends = self._copy
            return value if self._clock() < ends else self._fetch(fetch)
        finally:
            self._one_at_a_time.release()

    def _fetch(self, fetch: Fetch) -> str:
        started = self._clock()
        token = fetch()
        ttl_s, age_s = lifetime_s(token.life_s), self._clock() - started
        self._copy = (token.value, started + ttl_s)
        if self._store is not None and age_s < ttl_s and self._clock() >= self._down_until:
            with contextlib.suppress(redis.RedisError):
                self._store.put(token.value, ttl_s, age_s)
        return token.value

    def _keep(self, seen: Seen) -> str:
        self._copy = (seen.token, self._clock() + seen.rest_s)
        return seen.token

    def _respect(self, cooldown_s: float) -> None:
        if cooldown_s > 0:
            raise TokenUnavailable(cooldown_s)
