"""The all-in-one under gunicorn, as the container runs it."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from processes import children, environment, eventually, get, process
from redis_server import free_port, running

GUNICORN = ("-m", "gunicorn", "-c", "functions/gunicorn_conf.py")
SECRETS = {
    "GATEWAY_SECRET": "gate",
    "ESPOCRM_WEBHOOK_SECRETS": "w1:secret",
    "VERMIETERHELDEN_WEBHOOK_SECRET": "geheim-123",
    "THREECX_WEBHOOK_SECRET": "geheim-123",
    "LEAD_ENCRYPTION_KEY": "A" * 43 + "=",
}


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with running() as server:
        yield server.url


def test_a_metrics_directory_of_the_operator_is_emptied_at_start(redis_url, tmp_path):
    left = tmp_path / "metrics" / "counter_1.db"
    left.parent.mkdir()
    left.write_bytes(b"old")
    port = free_port()
    env = environment(
        REDIS_URL=redis_url,
        PORT=str(port),
        HOST="127.0.0.1",
        PROMETHEUS_MULTIPROC_DIR=str(left.parent),
        WORKERS="2",
        TOY_LOG="/dev/null",
    )
    with process(*GUNICORN, "toy_process:app", env=env, log=tmp_path / "stderr"):
        eventually(lambda: get(f"http://127.0.0.1:{port}/health")[0] == 200)
        assert not left.exists()
        assert b"bitbylaw_http_requests_total" in get(f"http://127.0.0.1:{port}/metrics")[1]


@pytest.fixture
def served(redis_url: str, tmp_path: Path) -> Iterator[tuple[str, Path, object]]:
    """Serve the toy with two workers."""
    port = free_port()
    env = environment(
        REDIS_URL=redis_url, WORKERS="2", THREADS="4", PORT=str(port), HOST="127.0.0.1", TOY_LOG=str(tmp_path / "log")
    )
    with process(*GUNICORN, "toy_process:app", env=env, log=tmp_path / "stderr") as server:
        eventually(lambda: get(f"http://127.0.0.1:{port}/health")[0] == 200)
        yield f"http://127.0.0.1:{port}", tmp_path / "stderr", server


def test_two_workers_count_every_request_once(served):
    base, _, _ = served
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda n: get(f"{base}/toy?n={n}")[0], range(500))) == {200}
    wanted = b'bitbylaw_http_requests_total{method="GET",status="200",target="toy"} 500.0'
    assert wanted in get(base + "/metrics")[1]


def test_a_killed_worker_leaves_its_figures_and_no_files(redis_url, tmp_path):
    port, figures = free_port(), tmp_path / "figures"
    env = environment(REDIS_URL=redis_url, WORKERS="2", PORT=str(port), HOST="127.0.0.1", TOY_LOG="/dev/null")
    env |= {"PROMETHEUS_MULTIPROC_DIR": str(figures)}
    with process(*GUNICORN, "toy_process:app", env=env, log=tmp_path / "stderr") as server:
        base = f"http://127.0.0.1:{port}"
        eventually(lambda: get(f"{base}/health")[0] == 200)
        for number in range(20):
            assert get(f"{base}/toy?n={number}")[0] == 200
        killed = children(server.pid)
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: not set(killed) & set(children(server.pid)) and get(f"{base}/health")[0] == 200)
        wanted = b'bitbylaw_http_requests_total{method="GET",status="200",target="toy"} 20.0'
        eventually(lambda: wanted in get(f"{base}/metrics")[1])
        assert not [each.name for pid in killed for each in figures.glob(f"*_{pid}.db")]


def test_no_answer_names_a_version_and_no_line_a_query(served):
    base, stderr, _ = served
    status, _, headers = get(base + "/toy?number=0511123456")
    assert status == 200
    assert headers["server"] == "gunicorn"
    assert not [name for name in headers if name.startswith("access-control")]
    text = stderr.read_text()
    assert "0511123456" not in text
    assert [json.loads(line) for line in text.splitlines()]


def test_a_chunked_body_over_the_limit_is_a_413(served):
    base, _, _ = served
    port = int(base.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as wire:
        wire.sendall(b"POST /toy/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"

        def push() -> None:
            try:
                for _ in range(18):
                    wire.sendall(chunk)
                wire.sendall(b"0\r\n\r\n")
            except OSError:
                pass

        threading.Thread(target=push, daemon=True).start()
        assert wire.recv(200).startswith(b"HTTP/1.1 413")


def test_who_sends_a_long_body_in_vain_still_gets_to_see_the_answer(served):
    port = int(served[0].rsplit(":", 1)[1])
    head = b"POST /toy/nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 900000\r\n\r\n"
    for _ in range(40):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as wire:
            wire.sendall(head)
            wire.sendall(b"x" * 900_000)
            time.sleep(0.01)
            assert wire.recv(12) == b"HTTP/1.1 404"
            while wire.recv(65536):
                pass


def test_sigterm_finishes_and_exits_cleanly(served):
    _, _, server = served
    started = time.monotonic()
    server.send_signal(signal.SIGTERM)
    assert server.wait(10) == 0
    assert time.monotonic() - started < 10


def test_an_unsafe_production_is_refused_in_one_line(redis_url, tmp_path):
    env = environment(REDIS_URL=redis_url, ENVIRONMENT="production", PORT=str(free_port()))
    with process(*GUNICORN, "functions.app:app", env=env, log=tmp_path / "stderr") as server:
        assert server.wait(20) != 0
    lines = (tmp_path / "stderr").read_text().strip().splitlines()
    assert len(lines) == 1, lines
    for name in (*SECRETS, "appendonly", "appendfsync"):
        assert name in lines[0]


def test_unreadable_settings_are_refused_in_one_line_everywhere(tmp_path):
    env = environment(MAX_BODY_BYTES="many", CALENDAR_MAX_PARALLEL="0", PORT=str(free_port()))
    with process(*GUNICORN, "functions.app:app", env=env, log=tmp_path / "stderr") as server:
        assert server.wait(20) != 0
    lines = (tmp_path / "stderr").read_text().strip().splitlines()
    assert len(lines) == 1, lines
    assert "MAX_BODY_BYTES" in lines[0]
    assert "CALENDAR_MAX_PARALLEL" in lines[0]


def test_production_starts_without_redis_but_is_not_ready(tmp_path):
    port = free_port()
    env = environment(
        REDIS_URL="redis://127.0.0.1:1", ENVIRONMENT="production", PORT=str(port), HOST="127.0.0.1", TOY_LOG="/dev/null"
    )
    with process(*GUNICORN, "toy_process:app", env=env | SECRETS, log=tmp_path / "stderr"):
        eventually(lambda: get(f"http://127.0.0.1:{port}/health")[0] == 200)
        status, body, _ = get(f"http://127.0.0.1:{port}/ready", {"Authorization": "Bearer gate"})
        assert status == 503
        assert "redis: cannot be reached" in json.loads(body)["missing"]
        assert "ADVOWARE_API_KEY" in json.loads(body)["missing"]
        warnings = [json.loads(line) for line in (tmp_path / "stderr").read_text().splitlines()]
        assert [line["event"] for line in warnings].count("settings_missing") == 1


def test_a_single_function_is_refused_for_its_own_reasons_only(redis_url, tmp_path):
    env = environment(REDIS_URL=redis_url, ENVIRONMENT="production", TOY_LOG="/dev/null")
    function = ("-m", "functions_framework", "--target", "toy", "--source", "tests/entries/toy_main.py")
    with process(*function, "--port", str(free_port()), env=env, log=tmp_path / "stderr") as server:
        assert server.wait(20) != 0
    lines = (tmp_path / "stderr").read_text().strip().splitlines()
    assert lines == ["bitbylaw: start refused: GATEWAY_SECRET is missing"]


def test_a_single_function_checks_the_store_at_first_use_and_in_ready(redis_url, tmp_path):
    port = free_port()
    env = environment(REDIS_URL=redis_url, ENVIRONMENT="production", TOY_LOG="/dev/null", GATEWAY_SECRET="gate")
    function = ("-m", "functions_framework", "--target", "toy", "--source", "tests/entries/toy_main.py")
    with process(*function, "--port", str(port), env=env, log=tmp_path / "stderr"):
        base = f"http://127.0.0.1:{port}"
        eventually(lambda: get(base + "/health")[0] == 200)
        assert b"appendfsync" in get(base + "/ready", {"X-Gateway-Secret": "gate"})[1]
        status, body, _ = get(base + "/toy/lead.received/lead-1", {"X-Gateway-Secret": "gate"}, b"")
        assert status == 503
        assert json.loads(body)["type"].endswith("/not-configured")
