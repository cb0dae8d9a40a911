"""A token is fetched once for everybody, never used too long, and forgotten only when it is the one refused."""

import threading
import time

import pytest

from shared.state.token import FetchedToken, TokenCache, TokenKeys, TokenUnavailable, lifetime_s

KEYS = TokenKeys.advoware()


class Upstream:
    """Hands out numbered tokens, slowly, and may be told to fail."""

    def __init__(self, life_s: float | None = 3600, takes_s: float = 0.0) -> None:
        self.life_s, self.takes_s, self.calls, self.fails = life_s, takes_s, 0, 0
        self._guard = threading.Lock()

    def __call__(self) -> FetchedToken:
        with self._guard:
            self.calls += 1
            number = self.calls
            failing, self.fails = self.fails > 0, self.fails - 1
        time.sleep(self.takes_s)
        if failing:
            raise OSError("login failed")
        return FetchedToken(f"token-{number}", self.life_s)


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()


@pytest.fixture
def cache(client) -> TokenCache:
    return TokenCache(client, KEYS)


@pytest.mark.parametrize(
    ("life_s", "ttl_s"), [(None, 53 * 60), (3600, 53 * 60), (7200, 53 * 60), (1200, 780), (600, 300), (60, 30)]
)
def test_a_token_is_used_for_a_part_of_its_life(life_s, ttl_s):
    assert lifetime_s(life_s) == ttl_s


def test_token_and_timestamp_are_kept_and_end_together(cache, client, upstream):
    assert cache.get(upstream) == cache.get(upstream) == "token-1"
    assert client.get("advoware_access_token") == "token-1"
    assert abs(float(client.get("advoware_token_timestamp")) - time.time()) < 5
    assert 53 * 60_000 - 5000 < client.pttl("advoware_access_token") <= 53 * 60_000
    assert abs(client.pttl("advoware_access_token") - client.pttl("advoware_token_timestamp")) < 50
    assert not client.exists("advoware_access_token:refresh")


def test_the_age_counts_from_before_the_request(client):
    ticks = iter([0.0, 0.0, 0.0, 0.0, 100.0, 100.0, 100.0])
    cache = TokenCache(client, KEYS, clock=lambda: next(ticks, 100.0))
    cache.get(Upstream())
    assert client.pttl("advoware_access_token") <= (53 * 60 - 100) * 1000
    assert abs(time.time() - 100 - float(client.get("advoware_token_timestamp"))) < 5


def test_a_hundred_cold_callers_make_one_request(client, together):
    upstream = Upstream(takes_s=0.15)
    tokens = together(lambda _: TokenCache(client, KEYS).get(upstream), threads=100)
    assert set(tokens) == {"token-1"}
    assert upstream.calls == 1


def test_fifty_callers_refused_at_once_make_one_request(client, together, upstream):
    caches = [TokenCache(client, KEYS) for _ in range(50)]
    assert caches[0].get(upstream) == "token-1"
    upstream.takes_s = 0.05

    def refused(n: int) -> str:
        caches[n].invalidate("token-1")
        return caches[n].get(upstream)

    assert set(together(refused, threads=50)) == {"token-2"}
    assert upstream.calls == 2


def test_a_newer_token_survives_the_refusal_of_an_older_one(cache, client, upstream):
    cache.get(upstream)
    cache.invalidate("token-0")
    assert cache.get(upstream) == "token-1"
    cache.invalidate("token-1")
    assert not client.exists("advoware_access_token", "advoware_token_timestamp")
    assert cache.get(upstream) == "token-2"


def age(client, rest_ms: int) -> None:
    """Let the token in Redis be nearly over."""
    client.set("advoware_token_timestamp", f"{time.time() - 53 * 60 + rest_ms / 1000:.3f}", px=rest_ms)
    client.pexpire("advoware_access_token", rest_ms)


def test_one_caller_renews_ahead_and_nobody_waits_for_it(client, together, upstream):
    cache = TokenCache(client, KEYS)
    cache.get(upstream)
    age(client, 4 * 60_000)
    upstream.takes_s = 0.3
    started = time.monotonic()
    waits = []

    def call(_: int) -> str:
        token = cache.get(upstream)
        waits.append(time.monotonic() - started)
        return token

    tokens = together(call, threads=20)
    assert upstream.calls == 2
    assert tokens.count("token-2") == 1
    assert tokens.count("token-1") == 19
    assert sorted(waits)[-2] < 0.3
    assert cache.get(upstream) == "token-2"


def test_a_token_with_five_minutes_left_is_not_renewed_yet(cache, client, upstream):
    cache.get(upstream)
    age(client, 6 * 60_000)
    assert cache.get(upstream) == "token-1"


def test_a_renewal_ahead_that_fails_leaves_the_old_token_in_use(cache, client, upstream):
    cache.get(upstream)
    age(client, 4 * 60_000)
    upstream.fails = 1
    assert cache.get(upstream) == "token-1"
    assert cache.get(upstream) == "token-1"
    assert upstream.calls == 2


def test_a_failed_login_is_one_login_for_all_who_wait(client, together):
    upstream = Upstream(takes_s=0.3)
    upstream.fails = 1

    def call(_: int) -> str:
        try:
            return TokenCache(client, KEYS).get(upstream)
        except (OSError, TokenUnavailable) as error:
            return type(error).__name__

    answers = together(call, threads=10)
    assert answers.count("OSError") == 1
    assert answers.count("TokenUnavailable") == 9
    assert upstream.calls == 1
    assert TokenCache(client, KEYS).get(upstream) == "token-2"


def test_who_waits_ten_seconds_in_vain_is_told_to_come_back(client, upstream):
    client.set("advoware_access_token:refresh", "somebody", px=60_000)
    now, naps = [0.0], []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        now[0] += seconds

    cache = TokenCache(client, KEYS, clock=lambda: now[0], sleep=sleep)
    with pytest.raises(TokenUnavailable) as caught:
        cache.get(upstream)
    assert caught.value.retry_after_s == 5
    assert 10 <= now[0] < 10.1
    assert all(0.02 <= nap <= 0.08 for nap in naps)
    assert upstream.calls == 0
    assert client.get("advoware_access_token:refresh") == "somebody"


def test_who_fetched_too_slowly_does_not_end_the_turn_of_the_next(cache, client):
    def slow() -> FetchedToken:
        client.set("advoware_access_token:refresh", "the next one", px=15_000)
        return FetchedToken("late", 3600)

    assert cache.get(slow) == "late"
    assert client.get("advoware_access_token:refresh") == "the next one"


def test_a_cooldown_stops_every_process(client, upstream):
    TokenCache(client, KEYS).cooldown(30)
    with pytest.raises(TokenUnavailable) as caught:
        TokenCache(client, KEYS).get(upstream)
    assert 29 < caught.value.retry_after_s <= 30
    assert upstream.calls == 0


def test_a_cooldown_ends(client, upstream):
    cache = TokenCache(client, KEYS)
    cache.cooldown(0.05)
    with pytest.raises(TokenUnavailable):
        cache.get(upstream)
    time.sleep(0.07)
    assert cache.get(upstream) == "token-1"


def test_without_redis_each_process_has_one_token_of_its_own(down, together):
    upstream = Upstream(takes_s=0.02)
    now = [0.0]
    cache = TokenCache(down, KEYS, clock=lambda: now[0])
    assert set(together(lambda _: cache.get(upstream), threads=16)) == {"token-1"}
    now[0] = 53 * 60 - 1
    assert cache.get(upstream) == "token-1"
    now[0] = 53 * 60 + 1
    assert cache.get(upstream) == "token-2"
    cache.invalidate("token-2")
    assert cache.get(upstream) == "token-3"
    cache.cooldown(30)
    with pytest.raises(TokenUnavailable):
        cache.get(upstream)


def test_no_client_at_all_works_like_an_outage(upstream):
    cache = TokenCache(None, KEYS)
    assert cache.get(upstream) == cache.get(upstream) == "token-1"
    cache.invalidate("token-1")
    assert cache.get(upstream) == "token-2"


def test_an_outage_goes_on_with_the_shared_token(client, unreliable, upstream):
    flaky = unreliable()
    now = [0.0]
    cache = TokenCache(flaky, KEYS, clock=lambda: now[0])
    assert cache.get(upstream) == "token-1"
    flaky.unsent = 10**6
    assert cache.get(upstream) == "token-1"
    asked = flaky.sends
    assert cache.get(upstream) == "token-1"
    assert flaky.sends == asked  # not every caller waits for a dead server
    flaky.unsent = 0
    now[0] = 2.0
    client.set("advoware_access_token", "token-of-another", px=10**6)
    assert cache.get(upstream) == "token-of-another"


def test_a_flush_during_the_wait_costs_one_request(cache, client, upstream):
    cache.get(upstream)
    client.flushall()
    assert cache.get(upstream) == "token-2"


def test_google_tokens_have_keys_of_their_own(client, upstream):
    TokenCache(client, TokenKeys.google("ab12")).get(upstream)
    assert set(client.keys()) == {"google_access_token:ab12", "google_access_token:ab12:timestamp"}


def test_a_token_does_not_show_itself():
    assert "secret" not in repr(FetchedToken("secret", 60))
