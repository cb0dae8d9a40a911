"""The worker as a process: it survives kills, outages and poison, and stops when told."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from processes import HERE, environment, eventually, get, process
from redis_server import RedisServer, free_port, running

from shared.state.connection import connect
from shared.state.queue import LEADS, WorkQueue

TOY = str(HERE / "toy_process.py")
Environ = Callable[..., dict[str, str]]


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with running() as started:
        yield started


@pytest.fixture
def queue(server: RedisServer) -> WorkQueue:
    return WorkQueue(connect(server.url, 0), LEADS)


@pytest.fixture
def env(server: RedisServer, tmp_path: Path) -> Environ:
    fast = {
        "REDIS_URL": server.url,
        "TOY_LOG": str(tmp_path / "toy.log"),
        "QUEUE_LEASE_SECONDS": "2",
        "QUEUE_REAP_SECONDS": "0.1",
        "RETRY_BASE_SECONDS": "0.05",
        "RETRY_CAP_SECONDS": "0.2",
        "RETRY_ATTEMPTS": "4",
    }
    return lambda **more: environment(**(fast | more))


def lines(tmp_path: Path) -> list[str]:
    log = tmp_path / "toy.log"
    return log.read_text().splitlines() if log.exists() else []


def done(tmp_path: Path) -> set[str]:
    return {line.split()[0] for line in lines(tmp_path) if line.endswith("done")}


def test_one_poison_item_dies_alone(env, server, queue, tmp_path):
    good = {f"good-{n}" for n in range(20)}
    queue.add("intake", ["poison-1", *good])
    with process(TOY, env=env(), log=tmp_path / "stderr"):
        eventually(lambda: queue.stats().dead == 1 and done(tmp_path) == good)
        eventually(lambda: connect(server.url, 0).xlen("lead:queue") == 0)
    assert Counter(line.split()[0] for line in lines(tmp_path))["poison-1"] == 4
    letter = queue.dead(count=9)[0]
    assert (letter.item, letter.attempts, letter.error) == ("poison-1", 4, "upstream-rejected")
    assert queue.stats().depth == 0


def test_what_goes_on_at_once_waits_for_no_care_of_the_queue(env, queue, tmp_path):
    with process(TOY, env=env(QUEUE_REAP_SECONDS="600"), log=tmp_path / "stderr"):
        queue.add("intake", ["piecemeal-1"])
        eventually(lambda: done(tmp_path) == {"piecemeal-1"}, 60)
    assert len(lines(tmp_path)) == 3  # begun, begun again, done


def test_an_outage_dead_letters_nothing(env, queue, tmp_path):
    queue.add("intake", [f"outage-{n}" for n in range(3)])
    with process(TOY, env=env(), log=tmp_path / "stderr"):
        eventually(lambda: len(lines(tmp_path)) > 24)
    assert queue.stats().dead == 0
    assert queue.stats().depth + queue.stats().processing == 3


def test_the_work_of_a_killed_worker_is_taken_over(env, queue, tmp_path):
    queue.add("intake", ["slow-1"])
    with process(TOY, env=env(TOY_SLOW="60"), log=tmp_path / "stderr") as first:
        eventually(lambda: lines(tmp_path))
        first.send_signal(signal.SIGKILL)
        first.wait()
        with process(TOY, env=env(TOY_SLOW="0.1"), log=tmp_path / "stderr"):
            eventually(lambda: done(tmp_path) == {"slow-1"})
    workers = {line.split()[1] for line in lines(tmp_path) if not line.endswith("done")}
    assert len(workers) == 2
    eventually(lambda: queue.stats().depth == 0)


def test_two_workers_share_the_work_and_do_nothing_twice(env, queue, tmp_path):
    items = {f"slow-{n}" for n in range(40)}
    with (
        process(TOY, env=env(TOY_SLOW="0.05"), log=tmp_path / "stderr"),
        process(TOY, env=env(TOY_SLOW="0.05"), log=tmp_path / "stderr"),
    ):
        eventually(lambda: (tmp_path / "stderr").read_text().count("worker_started") == 2)
        queue.add("intake", items)
        eventually(lambda: done(tmp_path) == items)
    runs = [line for line in lines(tmp_path) if not line.endswith("done")]
    assert len(runs) == 40
    assert len({line.split()[1] for line in runs}) == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_runs_end_and_exits_cleanly(env, queue, tmp_path, number):
    with process(TOY, env=env(TOY_SLOW="60"), log=tmp_path / "stderr") as worker:
        queue.add("intake", ["slow-1"])
        eventually(lambda: lines(tmp_path))
        queue.add("intake", ["later-2"])
        started = time.monotonic()
        worker.send_signal(number)
        assert worker.wait(10) == 0
    assert time.monotonic() - started < 10
    assert done(tmp_path) == {"slow-1"}


def test_without_redis_it_waits_and_goes_on(env, server, queue, tmp_path):
    with process(TOY, env=env(), log=tmp_path / "stderr") as worker:
        eventually(lambda: "worker_started" in (tmp_path / "stderr").read_text())
        server.stop()
        time.sleep(1.0)
        assert worker.poll() is None
        server.start()
        queue.add("intake", ["good-1"])
        eventually(lambda: done(tmp_path) == {"good-1"}, 20)


def test_a_flushed_redis_costs_the_queue_but_not_the_worker(env, server, queue, tmp_path):
    with process(TOY, env=env(), log=tmp_path / "stderr"):
        queue.add("intake", ["good-1"])
        eventually(lambda: done(tmp_path) == {"good-1"})
        connect(server.url, 0).flushall()
        queue.add("intake", ["good-2"])
        eventually(lambda: "good-2" in done(tmp_path))


def test_it_answers_health_ready_and_metrics_on_its_port(env, queue, tmp_path):
    port = free_port()
    queue.add("intake", ["good-1"])
    with process(TOY, env=env(WORKER_HTTP_PORT=str(port)), log=tmp_path / "stderr"):
        base = f"http://127.0.0.1:{port}"
        eventually(lambda: get(base + "/health")[0] == 200)
        eventually(lambda: done(tmp_path))
        eventually(
            lambda: b'bitbylaw_work_total{outcome="done",topic="lead.received"} 1.0' in get(base + "/metrics")[1]
        )
        assert b'bitbylaw_queue_depth{queue="lead"}' in get(base + "/metrics")[1]
        assert get(base + "/ready")[0] in {200, 503}
        assert get(base + "/health")[2]["server"] == "bitbylaw"
        assert get(base + "/nothing")[0] == 404


def test_its_lines_name_no_item(env, queue, tmp_path):
    queue.add("intake", ["good-1", "bug-1"])
    with process(TOY, env=env(), log=tmp_path / "stderr"):
        eventually(lambda: queue.stats().dead == 1)
    text = (tmp_path / "stderr").read_text()
    assert "work_ended" in text
    assert "Groß" not in text
    assert "good-1" not in text


def test_production_refuses_an_unsafe_worker(env, tmp_path):
    with process("-m", "functions.worker", env=env(ENVIRONMENT="production"), log=tmp_path / "stderr") as worker:
        assert worker.wait(20) != 0
    text = (tmp_path / "stderr").read_text().strip()
    assert len(text.splitlines()) == 1
    assert "GATEWAY_SECRET" in text
    assert "appendfsync" in text
    assert os.linesep not in text
