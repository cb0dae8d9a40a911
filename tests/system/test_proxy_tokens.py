"""One token for everybody: cold starts, revocation, endless refusal, and a Redis that goes away."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import proxy_rig as rig
import pytest
from redis_server import RedisServer
from redis_server import running as redis_running

from sandbox.faults import Fault
from shared.state import connection, keys
from shared.state.evidence import Evidence

REVOKED = {"status": 401, "json": {"error": "the token has ended"}}


@pytest.fixture(scope="module")
def standing() -> Iterator[rig.Recorder]:
    with rig.recording() as found:
        yield found


@pytest.fixture(scope="module")
def state() -> Iterator[RedisServer]:
    with redis_running() as found:
        yield found


@pytest.fixture(scope="module")
def server(standing, state, tmp_path_factory) -> Iterator[rig.Running]:
    with rig.running("framework", many_threads(standing, state.url), tmp_path_factory.mktemp("tokens")) as found:
        yield found


@pytest.fixture
def double(standing, state) -> rig.Recorder:
    """Give the double as if nobody had ever called, and a Redis without a token."""
    connection.connect(state.url, keys.DB_STATE).flushall()
    standing.forget()
    standing.revoke_all()
    standing.tokens.unlock()
    standing.tokens.requests = 0
    standing.tokens.new_token_ends_old = False
    return standing


@pytest.fixture
def fresh(double, state, tmp_path) -> Iterator[rig.Running]:
    """Run a server of its own, for tests after which it must not ask for a while."""
    with rig.running("framework", many_threads(double, state.url), tmp_path) as found:
        yield found


def many_threads(double: rig.Recorder, redis_url: str) -> dict[str, str]:
    return rig.settings(double, redis_url, THREADS="110")


def at_once(many: int, act: Callable[[int], int]) -> Counter[int]:
    barrier = Barrier(many)

    def one(number: int) -> int:
        barrier.wait()
        return act(number)

    with ThreadPoolExecutor(many) as pool:
        return Counter(pool.map(one, range(many)))


def call(server: rig.Running, target: str = "/advoware/echo", **more) -> int:
    return rig.get(server.port, target, **more)[0]


def test_a_hundred_cold_callers_ask_for_one_token(server, double):
    double.board.add(Fault("delay", path="Token", seconds=0.3))
    assert at_once(100, lambda _: call(server)) == {200: 100}
    assert double.tokens.requests == 1


@pytest.mark.parametrize("ends_old", [False, True])
def test_a_token_revoked_under_fifty_callers_is_replaced_once_and_no_call_fails(server, double, ends_old):
    double.tokens.new_token_ends_old = ends_old
    assert call(server) == 200
    double.revoke_all()
    bodies = at_once(50, lambda n: call(server, method="POST" if n % 2 else "GET", body=b"x" * n if n % 2 else b""))
    assert bodies == {200: 50}
    assert double.tokens.requests == 2


def test_a_token_that_ends_again_and_again_under_load_fails_no_call(server, double):
    call(server)
    done = Event()

    def revoke() -> int:
        times = 0
        while not done.wait(0.25):
            double.revoke_all()
            times += 1
        return times

    with ThreadPoolExecutor(13) as pool:
        revoking = pool.submit(revoke)
        statuses = Counter(pool.map(lambda _: call(server), range(300)))
        done.set()
        times = revoking.result()
    assert statuses == {200: 300}
    assert double.tokens.requests <= times + 1


def test_calls_through_the_proxy_show_everybody_whether_advoware_answers(fresh, double, state):
    evidence = Evidence(connection.connect(state.url, keys.DB_STATE))
    assert call(fresh) == 200
    heard = evidence.heard()["advoware"]
    assert heard.good_ms
    assert heard.failed_ms is None
    double.board.add(Fault("status", path="echo", status=503))
    assert call(fresh, method="POST") == 503
    heard = evidence.heard()["advoware"]
    assert (heard.failure, bool(heard.failed_ms)) == ("503", True)


def test_the_replay_carries_the_same_body(server, double):
    call(server)
    double.revoke_all()
    body = bytes(range(256)) * 4096
    assert call(server, method="PUT", body=body) == 200
    first, second = [seen for seen in double.seen if seen.method == "PUT"]
    assert (first.sha256, first.length) == (second.sha256, len(body))
    assert first.header("Authorization") != second.header("Authorization")


def test_a_body_too_long_to_keep_is_a_502_and_the_next_call_has_a_new_token(server, double):
    call(server)
    double.revoke_all()
    status, _, body = rig.get(server.port, "/advoware/echo", method="POST", body=b"x" * (1024 * 1024 + 1))
    assert (status, json.loads(body)["type"].rpartition("/")[2]) == (502, "advoware-authentication")
    assert call(server, method="POST", body=b"x" * (1024 * 1024 + 1)) == 200


def test_endless_401_is_a_502_after_one_replay_and_then_nobody_asks_for_a_while(fresh, double, state):
    server = fresh
    double.board.add(Fault("status", path="^/echo", times=None, **REVOKED))
    status, headers, body = rig.get(server.port, "/advoware/echo")
    assert status == 502
    assert json.loads(body)["type"].rpartition("/")[2] == "advoware-authentication"
    assert headers["content-type"] == "application/problem+json"
    assert double.board.count(path_contains="/echo") == 2
    assert double.tokens.requests == 2
    assert at_once(20, lambda _: call(server)) == {503: 20}
    assert (double.board.count(path_contains="/echo"), double.tokens.requests) == (2, 2)
    status, headers, body = rig.get(server.port, "/advoware/echo")
    assert 20 < int(headers["retry-after"]) <= 30
    client = connection.connect(state.url, keys.DB_STATE)
    assert 20_000 < client.pttl(f"{keys.ADVOWARE_TOKEN}:cooldown") <= 30_000
    assert server.lines("advoware_refuses_fresh_token")


def test_a_refused_login_is_a_502_and_asked_for_once(fresh, double):
    server = fresh
    double.board.add(Fault("status", path="Token", times=None, **REVOKED))
    status, _, body = rig.get(server.port, "/advoware/echo")
    assert (status, json.loads(body)["type"].rpartition("/")[2]) == (502, "advoware-authentication")
    assert call(server) == 503
    assert double.board.count(path_contains="Token") == 1


@pytest.mark.parametrize(
    ("fault", "expected"),
    [({"kind": "status", "status": 500}, 502), ({"kind": "drop_before"}, 502), ({"kind": "html"}, 502)],
)
def test_a_token_service_in_trouble_is_a_502(server, double, fault, expected):
    double.board.add(Fault(path="Token", times=None, **fault))
    status, _, body = rig.get(server.port, "/advoware/echo")
    assert (status, json.loads(body)["status"]) == (expected, expected)
    assert not double.seen


def test_redis_stopped_in_mid_load_fails_no_call(server, double, state):
    def load(number: int) -> int:
        if number == 150:
            state.kill()
        if number == 450:
            state.start()
        return call(server, method="PUT" if number % 5 == 0 else "GET")

    with ThreadPoolExecutor(12) as pool:
        statuses = Counter(pool.map(load, range(800)))
    assert statuses == {200: 800}
    assert double.tokens.requests <= 3


def test_without_redis_from_the_start_there_is_one_token_per_process(double, tmp_path):
    env = rig.settings(double, "redis://127.0.0.1:1", THREADS="64")
    with rig.running("framework", env, tmp_path) as server:
        assert at_once(50, lambda _: call(server)) == {200: 50}
        assert double.tokens.requests == 1
        double.revoke_all()
        assert at_once(50, lambda _: call(server)) == {200: 50}
        assert double.tokens.requests == 2


def test_missing_settings_are_a_503_that_names_them(double, tmp_path: Path):
    env = rig.settings(double, "redis://127.0.0.1:1") | {"ADVOWARE_APP_ID": "", "ADVOWARE_PASSWORD": ""}
    with rig.running("framework", env, tmp_path) as server:
        status, headers, body = rig.get(server.port, "/advoware/echo")
        problem = json.loads(body)
    assert status == 503
    assert problem["type"].rpartition("/")[2] == "not-configured"
    assert "ADVOWARE_APP_ID" in problem["detail"]
    assert "ADVOWARE_PASSWORD" in problem["detail"]
    assert headers["retry-after"].isdigit()


def test_two_processes_share_one_token(double, state, tmp_path):
    env = rig.settings(double, state.url)
    with rig.running("framework", env, tmp_path) as one, rig.running("framework", env, tmp_path) as two:
        assert at_once(40, lambda n: call(one if n % 2 else two)) == {200: 40}
        assert double.tokens.requests == 1
        double.revoke_all()
        assert at_once(40, lambda n: call(one if n % 2 else two)) == {200: 40}
        assert double.tokens.requests == 2


def test_a_token_is_renewed_when_its_life_ends(server, double, state):
    call(server)
    client = connection.connect(state.url, keys.DB_STATE)
    assert 0 < client.pttl(keys.ADVOWARE_TOKEN) <= 53 * 60_000
    client.delete(keys.ADVOWARE_TOKEN, keys.ADVOWARE_TOKEN_TIMESTAMP)
    assert call(server) == 200
    assert double.tokens.requests == 2
    assert time.time() - float(client.get(keys.ADVOWARE_TOKEN_TIMESTAMP)) < 10
