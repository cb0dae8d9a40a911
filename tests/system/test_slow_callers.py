"""Callers who are slow or silent or do not hang up, and upstreams that hang, keep nobody else from the application."""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import pytest
import redis
from processes import children, environment, eventually, get, process
from redis_server import RedisServer, free_port, running

from functions import gunicorn_sockets, gunicorn_worker

PATH = "/vmh/webhook/beteiligte/update"
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n".encode()
BODY = json.dumps([{"id": "6a1b2c3d4e5f60718"}]).encode()
WHOLE = HEAD + f"Content-Length: {len(BODY)}\r\n\r\n".encode()
JSON = {"Content-Type": "application/json"}
ADVOWARE = {
    "ADVOWARE_APP_ID": "a",
    "ADVOWARE_API_KEY": "a2V5",
    "ADVOWARE_KANZLEI": "k",
    "ADVOWARE_USER": "u",
    "ADVOWARE_PASSWORD": "p",
}
CLOSE = b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
GO_ON = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
Serve = Callable[..., tuple[int, "subprocess.Popen[bytes]"]]


@pytest.fixture(scope="module")
def store() -> Iterator[RedisServer]:
    with running() as server:
        yield server


@pytest.fixture
def serve(store: RedisServer, tmp_path: Path) -> Iterator[Serve]:
    with contextlib.ExitStack() as stack:

        def start(conf: str = "functions/gunicorn_conf.py", **more: str) -> tuple[int, subprocess.Popen[bytes]]:
            port = free_port()
            env = environment(REDIS_URL=store.url, PORT=str(port), HOST="127.0.0.1", THREADS="2", **more)
            arguments = ("-m", "gunicorn", "-c", conf, "functions.app:app")
            server = stack.enter_context(process(*arguments, env=env, log=tmp_path / "stderr"))
            eventually(lambda: is_served(port))
            return port, server

        yield start


def is_served(port: int) -> bool:
    return get(f"http://127.0.0.1:{port}/health")[0] == 200


@contextlib.contextmanager
def callers(port: int, count: int, said: bytes) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        lines = [stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10)) for _ in range(count)]
        for line in lines:
            line.sendall(said)
        yield lines


def is_closed(line: socket.socket, drop: bytes) -> bool:
    """Say a little more, at the pace of a slow caller, and tell whether nobody listens any more."""
    time.sleep(0.1)
    try:
        line.sendall(drop)
    except ConnectionError:
        return True
    return False


def rest(line: socket.socket) -> bytes:
    """Read until the other side hangs up; a reset is an end too."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while piece := line.recv(4096):
            found += piece
    return found


@pytest.mark.parametrize(
    "said", [b"", HEAD, WHOLE, WHOLE + BODY[:5]], ids=["nothing", "half a head", "no body", "half"]
)
def test_others_are_served_while_callers_are_silent(serve, said):
    port, _ = serve()
    with callers(port, 20, said):
        assert all(is_served(port) for _ in range(3))


def test_others_are_served_while_callers_do_not_hang_up(serve):
    port, _ = serve()
    with callers(port, 10, CLOSE) as lines:
        assert all(rest(line).startswith(b"HTTP/1.1 200 ") for line in lines)
        assert is_served(port)  # each would hold the loop for two seconds


def connections(pid: int, port: int) -> int:
    """Count the connections to a port that a process holds."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    links = {f"socket:[{row[9]}]" for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "01"}
    found = 0
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found += os.readlink(each) in links
    return found


def test_several_workers_share_the_connections(serve):
    port, server = serve(WORKERS="2")
    eventually(lambda: len(children(server.pid)) == 2)
    workers, fewer = children(server.pid), 0
    for _ in range(5):
        with callers(port, 20, b""):
            eventually(lambda: sum(connections(pid, port) for pid in workers) == 20)
            fewer += min(connections(pid, port) for pid in workers)
        eventually(lambda: not any(connections(pid, port) for pid in workers))
    assert fewer >= 35  # of 50; left to themselves one of both takes most, and the other has less than 20


def test_an_answer_comes_in_one_piece(serve):
    port, _ = serve()
    with callers(port, 1, b"") as (line,):
        for _ in range(50):
            line.sendall(GO_ON)
            head, _, body = line.recv(4096).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            assert body.endswith(b"}")
        line.sendall(GO_ON.replace(b"GET", b"OPTIONS") + CLOSE.replace(b"GET", b"HEAD"))
        assert re.findall(rb"HTTP/1.1 (\d+) ", rest(line)) == [b"405", b"405"]


@pytest.mark.parametrize(("length", "at_once"), [(3, False), (0, True), (None, True)])
def test_only_a_head_whose_body_is_about_to_come_waits_for_it(length, at_once):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        answer = SimpleNamespace(sock=ours, response_length=length, _omits_body=False)
        joined = gunicorn_sockets.Joined(answer)
        joined.sendall(b"head")
        theirs.setblocking(False)
        with contextlib.nullcontext() if at_once else pytest.raises(BlockingIOError):
            assert theirs.recv(10) == b"head"
        joined.sendall(b"abc")
        joined.sendall(b"def")
        assert theirs.recv(20) == (b"" if at_once else b"head") + b"abcdef"


def chat(line: socket.socket, until: threading.Event, said: list[int]) -> None:
    """Ask again as soon as there is an answer."""
    while not until.is_set():
        line.sendall(GO_ON)
        answer = b""
        while b"\r\n\r\n" not in answer or not answer.endswith(b"}"):
            answer += line.recv(4096)
        assert answer.startswith(b"HTTP/1.1 200 "), answer
        said.append(1)


@pytest.mark.parametrize("count", [2, 6])
def test_others_are_served_while_callers_never_pause(serve, count):
    port, _ = serve()
    ends, said = threading.Event(), list[int]()
    with callers(port, count, b"") as lines, ThreadPoolExecutor(count) as pool:
        chats = [pool.submit(chat, line, ends, said) for line in lines]
        try:
            eventually(lambda: len(said) > 100)
            assert all(is_served(port) for _ in range(20))
        finally:
            ends.set()
    for each in chats:
        each.result()


@pytest.mark.parametrize(("says", "alive", "free", "taken"), [(1, 1, 1, 1), (0, 1, 1, 0), (1, 0, 1, 0), (1, 1, 0, 0)])
def test_the_thread_that_answered_takes_the_next_request_too(says, alive, free, taken):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(GO_ON * says)
        unreader = SimpleNamespace(buf=BytesIO())
        conn = SimpleNamespace(sock=ours, parser=SimpleNamespace(unreader=unreader))
        worker = SimpleNamespace(alive=bool(alive), tpool=SimpleNamespace(again=lambda: bool(free)))
        assert gunicorn_worker.PatientWorker._is_next(worker, conn) == bool(taken)
        unreader.buf.write(b"already read: the socket alone does not tell")
        assert not gunicorn_worker.PatientWorker._is_next(worker, conn)


@pytest.mark.parametrize(("said", "taken", "goes_on"), [(b"abc", 3, False), (b"ab", 2, True)])
def test_one_thread_takes_requests_until_none_comes_or_the_last_was_answered(monkeypatch, said, taken, goes_on):
    handled: list[bytes] = []

    def one(_worker: object, conn: SimpleNamespace) -> bool:
        handled.append(conn.sock.recv(1))
        return len(handled) < 3

    monkeypatch.setattr(gunicorn_worker.ThreadWorker, "handle", one)
    worker = gunicorn_worker.PatientWorker.__new__(gunicorn_worker.PatientWorker)
    worker.cfg, worker.alive = SimpleNamespace(is_ssl=False), True
    worker.tpool = SimpleNamespace(again=lambda: True, stand_in=lambda: None)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(said)
        if not goes_on:
            theirs.shutdown(socket.SHUT_WR)
        parser = SimpleNamespace(unreader=SimpleNamespace(sock=ours, buf=BytesIO()))
        assert worker.handle(SimpleNamespace(sock=ours, parser=parser, init=lambda: None)) == goes_on
    assert len(handled) == taken


def test_who_waits_for_a_caller_counts_only_until_that_caller_is_done(serve):
    port, server = serve()
    for _ in range(3):
        with callers(port, 20, WHOLE) as lines:
            assert is_served(port)
            for line in lines:
                line.sendall(BODY)
            assert all(b" 200 " in line.recv(4096) for line in lines)
    (worker,) = children(server.pid)
    eventually(lambda: len(list(Path(f"/proc/{worker}/task").iterdir())) <= 4)


@pytest.mark.parametrize("said", [b"", HEAD], ids=["nothing", "half a head"])
def test_who_never_comes_to_the_end_of_a_head_is_hung_up_on(serve, said):
    port, _ = serve("tests/system/hasty_conf.py")
    with callers(port, 1, said) as (line,):
        assert rest(line) == b""


def test_a_head_that_comes_in_drops_is_hung_up_on_too(serve):
    port, _ = serve("tests/system/hasty_conf.py")
    with callers(port, 1, HEAD) as (line,):
        assert any(is_closed(line, b"x") for _ in range(100))


@pytest.mark.parametrize("drops", [False, True])
def test_a_body_that_does_not_end_is_a_503_and_nothing_is_stored(serve, store, drops):
    state = redis.Redis.from_url(store.url, db=1)
    state.flushdb()
    port, _ = serve("tests/system/hasty_conf.py")
    with callers(port, 1, WHOLE) as (line,):
        line.settimeout(0.1)
        found, ends = b"", time.monotonic() + 10
        while b"\r\n\r\n" not in found and time.monotonic() < ends:
            if drops:
                line.sendall(b" ")
            with contextlib.suppress(TimeoutError):
                found += line.recv(4096)
    assert found.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nRetry-After: " in found
    assert not state.exists("vmh:beteiligte:update_pending")


@pytest.mark.parametrize(
    ("path", "length", "sent", "status"),
    [(PATH, 20_000_000, b"", 413), (PATH, 20_000_000, b"[", 413), ("/x", 9, b"", 404)],
)
def test_who_waits_for_a_refusal_before_the_body_gets_it(serve, path, length, sent, status):
    port, _ = serve()
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    with callers(port, 1, head.encode() + sent) as (line,):
        assert line.recv(4096).startswith(f"HTTP/1.1 {status} ".encode())  # a body has 20 s, this line 10


def test_a_body_in_pieces_is_taken(serve):
    port, _ = serve("tests/system/hasty_conf.py")
    with callers(port, 1, b"") as (line,):
        for piece in (WHOLE[:20], WHOLE[20:], BODY[:9], BODY[9:]):
            line.sendall(piece)
            time.sleep(0.2)  # the pace of the caller
        assert line.recv(4096).startswith(b"HTTP/1.1 200 ")


def test_others_are_served_while_an_upstream_hangs(serve):
    with socket.create_server(("127.0.0.1", 0), backlog=100) as upstream:
        address = f"http://127.0.0.1:{upstream.getsockname()[1]}"
        port, _ = serve(ADVOWARE_API_BASE_URL=f"{address}/", ADVOWARE_AUTH_URL=f"{address}/token", **ADVOWARE)
        with callers(port, 20, b"GET /advoware/employees HTTP/1.1\r\nHost: a\r\n\r\n"):
            for number in range(3):
                status, _, _ = get(
                    f"http://127.0.0.1:{port}{PATH}", JSON, json.dumps([{"id": f"{number:017x}"}]).encode()
                )
                assert status == 200


def test_where_descriptors_run_out_some_callers_wait_and_the_worker_goes_on(serve):
    port, server = serve("tests/system/hasty_conf.py")
    (worker,) = children(server.pid)
    resource.prlimit(worker, resource.RLIMIT_NOFILE, (100, 100))
    with callers(port, 150, b""):
        eventually(lambda: is_served(port))
    assert children(server.pid) == [worker]


@pytest.mark.parametrize(
    ("said", "status", "slug"),
    [
        (b"GEHEIM\r\n\r\n", 400, "unreadable-request"),
        (b"GET /health HTTP/1.1\r\nHost: a\r\nGeheim Name: x\r\n\r\n", 400, "unreadable-request"),
        (b"GET /" + b"geheim" * 2000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, "uri-too-long"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nA: " + b"geheim" * 5000 + b"\r\n\r\n", 431, "headers-too-large"),
    ],
)
def test_what_is_no_request_is_refused_like_everything_else(serve, said, status, slug):
    port, _ = serve()
    with callers(port, 1, said) as (line,):
        head, _, body = rest(line).partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    for header in (b"Content-Type: application/problem+json", b"X-Content-Type-Options: nosniff", b"Connection: close"):
        assert header in head
    document = json.loads(body)
    assert (document["status"], document["type"].rpartition("/")[2]) == (status, slug)
    assert b"geheim" not in (head + body).lower()


def test_a_worker_whose_loop_breaks_ends_and_is_replaced(serve):
    port, server = serve("tests/system/broken_conf.py")
    (worker,) = children(server.pid)
    assert get(f"http://127.0.0.1:{port}/health", {"X-Break": "loop"})[0] in {0, 200}
    eventually(lambda: children(server.pid) not in ([], [worker]) and is_served(port))


def test_silent_callers_do_not_hold_up_a_stop(serve):
    port, server = serve()
    with callers(port, 5, b""):
        assert is_served(port)
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=15) == 0  # the grace is 25 s


def test_a_caller_is_not_slow_while_somebody_else_takes_the_time():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        source = gunicorn_sockets.Source(ours, lambda: None)
        source.expect(1.0, body=True)
        time.sleep(1.2)  # an upstream that is slow to take what came before
        threading.Timer(0.1, theirs.sendall, (b"more",)).start()
        assert source.recv(10) == b"more"
        with pytest.raises(TimeoutError):
            source.recv(10)


def test_an_answer_that_its_caller_does_not_take_is_given_up(monkeypatch):
    monkeypatch.setattr(gunicorn_sockets, "SEND_S", 1)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        gunicorn_sockets.Source(ours, lambda: None)
        with pytest.raises(BlockingIOError):
            ours.sendall(b"x" * 50_000_000)
