"""What the response cache keeps, and when it forgets."""

from __future__ import annotations

import fakeredis
import pytest
import redis

from functions.advoware_proxy.cache import LARGEST, Kept, ResponseCache, Rules, entry_key, generation_key
from functions.advoware_proxy.handler import fits, wants_cache
from functions.advoware_proxy.target import Target

AKTE, OTHER = Target("akten/1"), Target("employees")


class Failing(fakeredis.FakeRedis):
    """A Redis that can be switched off."""

    off = False

    def execute_command(self, *args, **options):
        if self.off:
            raise redis.ConnectionError
        return super().execute_command(*args, **options)


@pytest.fixture
def client():
    return Failing(decode_responses=True)


@pytest.fixture
def clock():
    return [0.0]


@pytest.fixture
def cache(client, clock):
    return ResponseCache(client, 5, clock=lambda: clock[0])


def fill(cache: ResponseCache, target: Target = AKTE, body: bytes = b"\x00\xffx", look=None) -> None:
    look = look or cache.look(target)
    cache.keep(target, Kept("OK", [("X-A", "1"), ("X-A", "2")], body, 1.0, look.generation), 60)


def test_what_was_kept_comes_back_byte_for_byte(cache):
    body = bytes(range(256))
    fill(cache, body=body)
    kept = cache.look(AKTE).kept
    assert (kept.body, kept.headers, kept.reason) == (body, [("X-A", "1"), ("X-A", "2")], "OK")
    assert kept.age_s(11.9) == 10


@pytest.mark.parametrize("other", ["akten/2", "akten/1/", "akten/1?", "akten/1?a=1", "Akten/1", "%61kten/1"])
def test_another_path_or_query_is_another_answer(cache, other):
    fill(cache)
    path, mark, query = other.partition("?")
    assert cache.look(Target(path, query if mark else None)).kept is None


def test_an_entry_lives_as_long_as_its_rule_says(cache, client):
    fill(cache)
    assert 0 < client.ttl(entry_key(AKTE)) <= 60


def test_the_order_of_a_query_counts(cache):
    fill(cache, Target("akten", "a=1&b=2"))
    assert cache.look(Target("akten", "b=2&a=1")).kept is None


@pytest.mark.parametrize("spelling", ["akten/77", "Akten", "AKTEN/1/x", "%61kten"])
def test_a_write_forgets_everything_under_the_same_first_segment(cache, spelling):
    fill(cache)
    fill(cache, OTHER)
    with cache.writing(Target(spelling)) as over:
        over()
    assert cache.look(AKTE).kept is None
    assert cache.look(OTHER).kept is not None


def test_a_write_forgets_at_its_beginning_and_nothing_is_kept_until_its_end(cache):
    fill(cache)
    with cache.writing(AKTE) as over:
        during = cache.look(AKTE)
        assert during.kept is None
        fill(cache, look=during)
        over()
    assert cache.look(AKTE).kept is None


def test_a_read_that_began_before_a_write_fills_nothing_after_it(cache):
    before = cache.look(AKTE)
    with cache.writing(AKTE) as over:
        over()
    fill(cache, look=before)
    assert cache.look(AKTE).kept is None


def test_a_read_that_began_during_a_write_fills_nothing_after_it(cache):
    with cache.writing(AKTE) as over:
        during = cache.look(AKTE)
        over()
    fill(cache, look=during)
    assert cache.look(AKTE).kept is None


def test_a_write_of_unknown_outcome_keeps_the_cache_shut_for_a_while(cache, client):
    with pytest.raises(TimeoutError), cache.writing(AKTE):
        raise TimeoutError
    assert cache.look(AKTE).generation == ""
    assert 5 < client.ttl(generation_key("akten")) <= 65


def test_a_write_while_redis_is_away_is_made_up_for_later(cache, client, clock):
    fill(cache)
    client.off = True
    with cache.writing(AKTE) as over:
        over()
    client.off, clock[0] = False, 5.0
    assert cache.look(AKTE).kept is None


def test_a_write_whose_end_redis_misses_keeps_the_cache_shut(cache, client, clock):
    fill(cache)
    with cache.writing(AKTE) as over:
        client.off = True
        over()
    client.off, clock[0] = False, 5.0
    assert cache.look(AKTE).kept is None


def test_a_lost_generation_forgets(cache, client):
    fill(cache)
    client.delete(generation_key("akten"))
    assert cache.look(AKTE).kept is None


def test_without_redis_there_is_no_cache_and_no_error(cache, client):
    client.off = True
    fill(cache)
    assert cache.look(AKTE) == ResponseCache(None, 5).look(AKTE)
    assert cache.look(AKTE).generation == ""


def test_a_long_body_is_not_kept(cache):
    fill(cache, body=b"x" * (LARGEST + 1))
    assert cache.look(AKTE).kept is None
    fill(cache, body=b"x" * LARGEST)
    assert cache.look(AKTE).kept is not None


def test_no_key_contains_what_was_asked_for(cache, client):
    fill(cache, Target("akten/Mustermann", "name=Mustermann"))
    assert not [key for key in client.scan_iter() if "Mustermann" in key or not key.startswith("advoware_cache:")]


@pytest.mark.parametrize(
    ("path", "seconds"),
    [("akten", 60), ("akten/1", 60), ("akten/kurz/1", 5), ("aktenx", 7), ("Akten", 7), ("nie", 0), ("x/akten", 7)],
)
def test_the_longest_rule_of_whole_segments_counts(path, seconds):
    rules = Rules(7, ("akten=60", "/akten/kurz/=5", "nie=0"))
    assert rules.seconds(Target(path)) == seconds


@pytest.mark.parametrize(("default", "rules", "wanted"), [(0, (), False), (0, ("a=0",), False), (1, (), True)])
def test_the_cache_is_off_where_nothing_is_ever_kept(default, rules, wanted):
    assert Rules(default, rules).any is wanted


@pytest.mark.parametrize(
    "asked",
    [
        {"HTTP_CACHE_CONTROL": "no-cache"},
        {"HTTP_CACHE_CONTROL": "max-age=60, No-Cache"},
        {"HTTP_CACHE_CONTROL": "max-age=0"},
        {"HTTP_PRAGMA": "no-cache"},
        {"HTTP_RANGE": "bytes=0-1"},
    ],
)
def test_who_wants_it_fresh_or_in_part_gets_it_from_advoware(asked):
    assert not wants_cache(asked)
    assert wants_cache({"HTTP_CACHE_CONTROL": "max-age=60"})


@pytest.mark.parametrize(
    ("accepts", "fit"),
    [("gzip, br", True), ("GZIP;q=0.5", True), ("*", True), ("br", False), ("gzip;q=0", False), ("", False)],
)
def test_a_packed_answer_is_for_those_who_can_unpack_it(accepts, fit):
    kept = Kept("OK", [("Content-Encoding", "gzip")], b"", 0.0)
    assert fits(kept, {"HTTP_ACCEPT_ENCODING": accepts}) is fit
    assert fits(Kept("OK", [], b"", 0.0), {})
