"""What dedup, lock, token and proxy path have to do, as lists of complaints about whatever implementation is given."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import redis
from calendar_wire import Crash
from points import KINDS, Points, WatchedRedis

from shared.state.token import FetchedToken

Complaints = list[str]


class Interleaved(Points):
    """Runs something else in the middle, before one call."""

    def __init__(self, before: int, other: Callable[[], None]) -> None:
        super().__init__()
        self._before, self._other = before, other

    def touch(self, name: str, do: Callable[[], Any], lost: Exception) -> Any:
        if len(self.names) == self._before:
            self._other()
        return super().touch(name, do, lost)


def _everything(dedup: Any, versions: dict[str, int]) -> dict[str, list[int]]:
    """Work everything off, and note which version of a record each run has read."""
    read: dict[str, list[int]] = {}
    for _ in range(3):
        dedup.time_passes()
        while taken := dedup.take():
            item, how = taken
            read.setdefault(item, []).append(versions.get(item, 0))
            dedup.done(item, how)
    return read


def dedup(make: Callable[[redis.Redis], Any], client: redis.Redis) -> Complaints:
    """Two at once, an accident at every call, an edit during a run, a dead worker, a day, two kinds of event."""
    told = [
        *_two_deliveries(make, client),
        *_an_accident_anywhere(make, client),
        *_an_edit_during_a_run(make, client),
        *_a_dead_worker(make, client),
        *_a_long_day(make, client),
        *_two_kinds(make, client),
    ]
    client.flushall()
    return told


def _two_deliveries(make: Any, client: redis.Redis) -> Iterator[str]:
    for place in range(6):
        client.flushall()
        points = Interleaved(place, lambda: make(client).deliver(["a"]))
        make(WatchedRedis.of(points, client)).deliver(["a"])
        runs = _everything(make(client), {})
        if len(runs.get("a", [])) != 1:
            yield "race"
            return


def _an_accident_anywhere(make: Any, client: redis.Redis) -> Iterator[str]:
    for place in range(6):
        for kind in KINDS:
            client.flushall()
            points = Points()
            points.arm(place, kind)
            with suppress(Crash, redis.RedisError):
                make(WatchedRedis.of(points, client)).deliver(["a"])
            make(client).deliver(["a"])  # the sender tells it again
            if not _everything(make(client), {}).get("a"):
                yield "crash"
                return


def _an_edit_during_a_run(make: Any, client: redis.Redis) -> Iterator[str]:
    client.flushall()
    it, versions = make(client), {"a": 1}
    it.deliver(["a"])
    item, how = it.take()
    versions["a"] = 2
    it.deliver(["a"])
    it.done(item, how)
    if _everything(it, versions).get("a", [1])[-1] != 2:
        yield "edit during a run"


def _a_dead_worker(make: Any, client: redis.Redis) -> Iterator[str]:
    client.flushall()
    make(client).deliver(["a"])
    make(client).take()
    make(client).deliver(["a"])
    if not _everything(make(client), {}).get("a"):
        yield "dead worker"


def _a_long_day(make: Any, client: redis.Redis) -> Iterator[str]:
    client.flushall()
    make(client).deliver(["a"])
    for key in client.scan_iter():
        if client.ttl(key) > 0:
            yield "pending ids end by themselves"
            return


def _two_kinds(make: Any, client: redis.Redis) -> Iterator[str]:
    client.flushall()
    it = make(client)
    it.deliver(["a"], "create")
    it.deliver(["a"], "update")
    if it.take() and it.take():
        yield "two runs of one id at once"


def lock(make: Callable[[redis.Redis], Any], client: redis.Redis) -> Complaints:
    """Who was too slow frees nobody's lock and writes no more; a trigger is kept; a lost answer harms nobody."""
    told = []
    client.flushall()
    slow, quick = make(client), make(client)
    held = slow.acquire()
    client.delete("calendar_sync:lock:SB")  # five minutes pass for Redis
    slow.time_passes(301)
    second = quick.acquire()
    if slow.may_write(held):
        told.append("two write at once")
    slow.release(held)
    if make(client).acquire() is not None:
        told.append("freed another's lock")
    client.flushall()
    held = quick.acquire()
    slow.acquire()
    if second is None or quick.release(held) != "again":
        told.append("trigger forgotten")
    client.flushall()
    points = Points()
    points.arm(0, "answer lost")
    unlucky = make(WatchedRedis.of(points, client))
    got = None
    for _ in range(2):
        with suppress(redis.RedisError):
            got = got or unlucky.acquire()
    if got is None:
        told.append("locked out by its own lock")
    client.flushall()
    return told


class Office:
    """A token service that counts, slow enough for a crowd to gather."""

    def __init__(self, *, fails: bool = False) -> None:
        self.asked, self.fails = 0, fails
        self._guard = threading.Lock()

    def __call__(self) -> FetchedToken:
        with self._guard:
            self.asked += 1
            number = self.asked
        threading.Event().wait(0.15)
        if self.fails:
            raise OSError("refused")
        return FetchedToken(f"t{number}", 3600)


def token(make: Callable[[redis.Redis], Any], client: redis.Redis) -> Complaints:
    """A crowd causes one request, also after a refusal and when the login fails; old news harms no new token."""
    told = []
    for name, office in (("stampede", Office()), ("crowd at a failing login", Office(fails=True))):
        client.flushall()
        _crowd(lambda office=office: make(client).get(office), 50)
        if office.asked != 1:
            told.append(name)
    client.flushall()
    office, caches = Office(), [make(client) for _ in range(8)]
    [stale] = {each.get(office) for each in caches}
    for each in caches:
        each.invalidate(stale)
        each.get(office)
    if office.asked != 2:
        told.append("one refusal, many requests")
    if client.exists("advoware_token_timestamp") and client.ttl("advoware_token_timestamp") < 0:
        told.append("the timestamp outlives its token")
    client.flushall()
    return told


def _crowd(call: Callable[[], Any], size: int) -> Counter[str]:
    gate = threading.Barrier(size)

    def one(_: int) -> str:
        gate.wait(20)
        try:
            return str(call())
        except Exception as error:  # noqa: BLE001 - a token or none
            return type(error).__name__

    with ThreadPoolExecutor(size) as pool:
        return Counter(pool.map(one, range(size)))


BASE = "https://www2.advo-net.example:90/api/v1/"
HONEST = (
    "akten",
    "akten/",
    "akten/M%C3%BCller%20GmbH",
    "akten/4711/dokumente?x=1&x=2&y=%2F..%2F",
    "beteiligte/a%3Bb",
    "termine?von=2026-11-24T08:00:00%2B01:00",
    "a/%C3%84%C3%96",
    "a+b",
)
HOSTILE = (
    *("../admin", "a/../../admin", "%2e%2e/admin", "%2e%2e/%2e%2e/admin", "..%2f..%2fadmin", "a/%2e%2e%2f%2e%2e%2fx"),
    *("//evil.example/x", "/evil", "http://evil.example/x", "https:evil.example", "%2f%2fevil.example/x"),
    *("a;b", "a\\..\\b", "a%5c..%5cb", "a%00b", "a%252e%252e/b", "./a", "a/./b", "a//b", ".", ".."),
)


def path(send: Callable[[str], str | None]) -> Complaints:
    """Nothing leaves the base, nothing is tidied up, and what is honest arrives as it was sent."""
    told = []
    for raw in (*HONEST, *HOSTILE):
        url = send(raw)
        if url is None:
            if raw in HONEST:
                told.append(f"refused {raw}")
            continue
        there, here = urlsplit(url), urlsplit(BASE)
        inside = (there.scheme, there.netloc) == (here.scheme, here.netloc) and there.path.startswith(here.path)
        if not inside or url != BASE + raw or raw in HOSTILE:
            told.append(raw)
    return told
