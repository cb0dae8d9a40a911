"""The numbers of the token's protocol, each at its edge."""

import pytest

from shared.state.token import FetchedToken, TokenCache, TokenKeys, TokenUnavailable, lifetime_s
from shared.state.token_store import TokenStore

KEYS = TokenKeys.advoware()
TOKEN = "advoware_access_token"


class Clock:
    """Stands still until it is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(client) -> TokenStore:
    return TokenStore(client, KEYS)


def redis_now(client) -> float:
    seconds, micros = client.time()
    return seconds + micros / 1_000_000


def aged(client, rest_s: float, age_s: float) -> None:
    """Let there be a token of this age that ends in so long."""
    client.set(TOKEN, "old", px=int(rest_s * 1000))
    client.set("advoware_token_timestamp", f"{redis_now(client) - age_s:.3f}", px=int(rest_s * 1000))


def test_a_short_life_is_used_by_half_and_none_is_an_hour():
    assert [lifetime_s(each) for each in (0, 838, 840, 842, 3602, 10**6)] == [3180, 419, 420, 422, 3180, 3180]


@pytest.mark.parametrize(
    ("rest_s", "age_s", "ageing"),
    [(290, 2890, True), (310, 2870, False), (190, 1810, True), (210, 1790, False)],
)
def test_the_last_tenth_or_the_last_five_minutes_are_the_time_to_renew(client, store, rest_s, age_s, ageing):
    aged(client, rest_s, age_s)
    seen = store.read()
    assert seen.ageing is ageing
    assert rest_s - 8 < seen.rest_s <= rest_s
    assert (seen.token, seen.cooldown_s, seen.failure) == ("old", 0, "")


def test_a_token_without_a_timestamp_is_as_old_as_nothing(client, store):
    client.set(TOKEN, "old", px=100_000)
    assert not store.read().ageing
    assert 90 < store.read().rest_s <= 100
    client.set("advoware_token_timestamp", f"{redis_now(client) + 1000:.3f}", px=100_000)  # a clock that went back
    assert not store.read().ageing


def test_nothing_there_is_read_as_nothing(store):
    seen = store.read()
    assert (seen.token, seen.rest_s, seen.ageing, seen.cooldown_s, seen.failure) == ("", 0, False, 0, "")


def test_the_turn_to_refresh_lasts_fifteen_seconds_and_is_told_twice_alike(client, store):
    assert store.lock("me")
    assert store.lock("me")
    assert not store.lock("you")
    assert 10_000 < client.pttl(f"{TOKEN}:refresh") <= 15_000
    store.unlock("you", failed=True)
    assert client.get(f"{TOKEN}:refresh") == "me"
    assert not client.exists(f"{TOKEN}:failed")


def test_a_failure_is_told_for_five_seconds_and_success_is_not(client, store):
    store.lock("me")
    store.unlock("me", failed=False)
    assert not client.exists(f"{TOKEN}:refresh", f"{TOKEN}:failed")
    store.lock("me")
    store.unlock("me", failed=True)
    assert not client.exists(f"{TOKEN}:refresh")
    assert store.read().failure == client.get(f"{TOKEN}:failed") == "me"
    assert 2_000 < client.pttl(f"{TOKEN}:failed") <= 5_000


def test_a_token_is_kept_for_what_is_left_of_its_life(client, store):
    store.put("t", 100.0, 40.0)
    assert 50_000 < client.pttl(TOKEN) <= 60_000
    assert 50_000 < client.pttl("advoware_token_timestamp") <= 60_000
    assert abs(redis_now(client) - 40 - float(client.get("advoware_token_timestamp"))) < 5


def test_only_the_refused_token_is_forgotten_with_its_timestamp(client, store):
    store.put("t", 100.0, 0.0)
    assert not store.invalidate("other")
    assert client.exists(TOKEN, "advoware_token_timestamp") == 2
    assert store.invalidate("t")
    assert client.exists(TOKEN, "advoware_token_timestamp") == 0


def test_a_cooldown_lasts_half_a_minute_where_nobody_says_otherwise(client, store, clock):
    cache = TokenCache(client, KEYS, clock=clock)
    cache.cooldown()
    assert 20_000 < client.pttl(f"{TOKEN}:cooldown") <= 30_000
    assert 20 < store.read().cooldown_s <= 30
    with pytest.raises(TokenUnavailable, match="no token for 30 s") as caught:
        cache.get(lambda: FetchedToken("t"))
    assert caught.value.retry_after_s == 30
    store.cool_down(0.0001)
    assert 0 <= client.pttl(f"{TOKEN}:cooldown") <= 1 or not client.exists(f"{TOKEN}:cooldown")


def test_whoever_waits_looks_again_after_twenty_to_eighty_milliseconds(client, clock):
    client.set(f"{TOKEN}:refresh", "somebody", px=60_000)
    for luck, longest in ((0.0, 0.02), (1.0, 0.08)):
        naps: list[float] = []

        def nap(seconds: float, naps: list[float] = naps) -> None:
            naps.append(seconds)
            clock.now += 1.0 if len(naps) < 10 else 0.5

        clock.now = 0.0
        cache = TokenCache(client, KEYS, clock=clock, sleep=nap, random=lambda luck=luck: luck)
        with pytest.raises(TokenUnavailable) as caught:
            cache.get(lambda: FetchedToken("t"))
        assert caught.value.retry_after_s == 5
        assert naps == [pytest.approx(longest)] * 11  # 9 s, 9.5 s, 10 s: then it is enough


def test_a_dead_redis_is_asked_again_after_a_second(down, clock):
    cache = TokenCache(down, KEYS, clock=clock)
    asked = []
    for now in (0.0, 0.99, 1.0):
        clock.now, before = now, down.asked
        cache.get(lambda: FetchedToken("t", 3600))
        asked.append(down.asked > before)
    assert asked == [True, False, True]


def test_a_process_of_its_own_uses_its_token_to_the_end_of_its_life(clock):
    cache, tokens = TokenCache(None, KEYS, clock=clock), iter("ab")

    def fetch() -> FetchedToken:
        clock.now += 5.0
        return FetchedToken(next(tokens), 3600)

    assert cache.get(fetch) == "a"
    clock.now = 3179.9
    assert cache.get(fetch) == "a"
    clock.now = 3180.0  # counted from before it was asked for
    assert cache.get(fetch) == "b"


def test_what_redis_showed_is_used_without_it_until_it_ends(client, unreliable, clock):
    flaky = unreliable()
    aged(client, 1000, 0)
    cache = TokenCache(flaky, KEYS, clock=clock)
    assert cache.get(lambda: FetchedToken("new")) == "old"
    flaky.unsent = 10**6
    clock.now = 990.0
    assert cache.get(lambda: FetchedToken("new")) == "old"
    clock.now = 1000.0
    assert cache.get(lambda: FetchedToken("new")) == "new"


def test_a_token_that_took_longer_than_its_life_is_not_kept_for_others(client, clock):
    def slow() -> FetchedToken:
        clock.now += 30.0
        return FetchedToken("late", 60)

    assert TokenCache(client, KEYS, clock=clock).get(slow) == "late"
    assert not client.exists(TOKEN)


def test_a_token_shows_its_life_and_nothing_else():
    assert repr(FetchedToken("geheim", 60)) == "FetchedToken(life_s=60)"


def test_the_helpers_of_a_token_lie_beside_it():
    assert KEYS.all[2:] == [f"{TOKEN}:refresh", f"{TOKEN}:cooldown", f"{TOKEN}:failed"]


def test_a_cooldown_that_began_during_the_race_for_the_turn_counts(client, monkeypatch):
    cache, asked = TokenCache(client, KEYS), []
    win = cache._store.lock

    def late(owner: str) -> bool:
        client.set(f"{TOKEN}:cooldown", "1", px=30_000)
        return win(owner)

    monkeypatch.setattr(cache._store, "lock", late)
    with pytest.raises(TokenUnavailable):
        cache.get(lambda: asked.append(1) or FetchedToken("t"))
    assert asked == []
    assert not client.exists(f"{TOKEN}:refresh")


def test_a_failure_of_before_that_is_over_stops_nobody(client, monkeypatch):
    cache = TokenCache(client, KEYS)
    client.set(f"{TOKEN}:failed", "somebody", px=5_000)
    win = cache._store.lock

    def late(owner: str) -> bool:
        client.delete(f"{TOKEN}:failed")
        return win(owner)

    monkeypatch.setattr(cache._store, "lock", late)
    assert cache.get(lambda: FetchedToken("t")) == "t"


def test_without_redis_one_fetches_at_a_time_and_the_others_wait_ten_seconds(monkeypatch):
    cache, waits = TokenCache(None, KEYS), []

    class Taken:
        def acquire(self, timeout: float) -> bool:
            waits.append(timeout)
            return False

    monkeypatch.setattr(cache, "_one_at_a_time", Taken())
    with pytest.raises(TokenUnavailable):
        cache.get(lambda: FetchedToken("t"))
    assert waits == [10.0]


def test_a_token_fetched_in_an_outage_is_shared_once_redis_is_to_be_asked_again(client, unreliable, clock):
    for takes_s, shared in ((0.9, False), (1.0, True)):
        client.flushall()
        clock.now = 0.0
        cache = TokenCache(unreliable(unsent=3), KEYS, clock=clock)

        def fetch(takes_s: float = takes_s) -> FetchedToken:
            clock.now += takes_s
            return FetchedToken("t", 3600)

        assert cache.get(fetch) == "t"
        assert (client.get(TOKEN) == "t") is shared


def test_the_timestamp_is_redis_s_own_to_the_millisecond(client, store):
    for _ in range(9):
        before = redis_now(client)
        store.put("t", 100.0, 40.0)
        after = redis_now(client)
        assert before - 0.001 <= float(client.get("advoware_token_timestamp")) + 40 <= after + 0.001
