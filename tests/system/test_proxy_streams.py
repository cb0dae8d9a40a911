"""Bodies stream in bounded memory, and an answer that broke off never looks whole."""

from __future__ import annotations

import hashlib
import json
import socket
import time
from collections.abc import Iterator
from threading import Event, Thread

import proxy_rig as rig
import pytest
from redis_server import running as redis_running

from sandbox.advoware import pattern
from sandbox.faults import Fault

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def double() -> Iterator[rig.Recorder]:
    with rig.recording() as found:
        yield found


@pytest.fixture(scope="module")
def wire() -> Iterator[rig.Wire]:
    found = rig.Wire()
    yield found
    found.close()


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with redis_running() as state:
        yield state.url


@pytest.fixture(scope="module")
def server(double, redis_url, tmp_path_factory) -> Iterator[rig.Running]:
    with rig.running("framework", rig.settings(double, redis_url), tmp_path_factory.mktemp("streams")) as found:
        yield found


@pytest.fixture(scope="module")
def wired(double, wire, redis_url, tmp_path_factory) -> Iterator[rig.Running]:
    """Run the proxy in front of an upstream that answers with bytes given by the test."""
    more = {"ADVOWARE_API_BASE_URL": f"http://127.0.0.1:{wire.port}/base/", "ADVOWARE_TIMEOUT_SECONDS": "1"}
    env = rig.settings(double, redis_url, ADVOWARE_CACHE_RULES="kept=60", **more)
    with rig.running("framework", env, tmp_path_factory.mktemp("wired")) as found:
        yield found


@pytest.fixture(autouse=True)
def _fresh(double, wire) -> None:
    double.forget()
    wire.reply, wire.pause_s, wire.silent, wire.calls = b"", 0.0, False, 0


class Watch:
    """Sees how much memory a server took at most while it was watched."""

    def __init__(self, server: rig.Running) -> None:
        self._server, self._done, self.most = server, Event(), 0
        self._before = server.rss()

    def __enter__(self):
        self._thread = Thread(target=self._look)
        self._thread.start()
        return self

    def _look(self) -> None:
        while not self._done.wait(0.01):
            self.most = max(self.most, self._server.rss())

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    @property
    def growth(self) -> int:
        return self.most - self._before


def download(port: int, length: int, query: str = "", pause_s: float = 0.0) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with socket.create_connection(("127.0.0.1", port), timeout=20) as out:
        out.sendall(f"GET /advoware/bytes/{length}{query} HTTP/1.0\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += out.recv(1000)
        part = head.partition(b"\r\n\r\n")[2] or out.recv(1000)
        while part:
            digest.update(part)
            size += len(part)
            time.sleep(pause_s)
            part = out.recv(256 * 1024)
    return size, digest.hexdigest()


@pytest.mark.parametrize("query", ["", "?chunked=1"])
def test_fifty_megabytes_come_down_in_bounded_memory(server, query):
    length = 50 * MIB
    download(server.port, 1000)
    with Watch(server) as watch:
        size, digest = download(server.port, length, query)
    assert (size, digest) == (length, hashlib.sha256(pattern(length)).hexdigest())
    assert watch.growth < 64 * MIB
    assert watch.growth < 16 * MIB, "far more than a few buffers"


def test_a_slow_reader_makes_nobody_collect(server):
    with Watch(server) as watch:
        size, _ = download(server.port, 20 * MIB, pause_s=0.002)
    assert size == 20 * MIB
    assert watch.growth < 16 * MIB


@pytest.mark.parametrize("chunked", [False, True])
def test_twenty_megabytes_go_up_in_bounded_memory(server, double, chunked):
    body = pattern(20 * MIB)
    rig.get(server.port, "/advoware/echo")
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
    head = f"POST /advoware/echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{length}\r\n\r\n".encode()
    with Watch(server) as watch, socket.create_connection(("127.0.0.1", server.port), timeout=20) as out:
        out.sendall(head)
        for start in range(0, len(body), MIB):
            part = body[start : start + MIB]
            out.sendall(b"%x\r\n%b\r\n" % (len(part), part) if chunked else part)
        out.sendall(b"0\r\n\r\n" if chunked else b"")
        status, _, _ = rig.parse(rig.read_all(out))
    assert (status, double.last.length) == (200, len(body))
    assert double.last.sha256 == hashlib.sha256(body).hexdigest()
    assert watch.growth < 64 * MIB
    assert watch.growth < 16 * MIB, "far more than a few buffers"


def test_an_answer_begins_before_it_is_complete(wired, wire):
    rig.get(wired.port, "/advoware/a", method="POST")
    wire.reply = b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000
    wire.pause_s = 0.5
    with socket.create_connection(("127.0.0.1", wired.port), timeout=5) as out:
        out.sendall(b"GET /advoware/a HTTP/1.1\r\nHost: a\r\n\r\n")
        started = time.monotonic()
        assert out.recv(100)
        assert time.monotonic() - started < 0.5


WHOLE = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 1500\r\n\r\n" + b"0123456789abcde" * 100,
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    + (b"96\r\n" + b"0123456789abcde" * 10 + b"\r\n") * 10
    + b"0\r\n\r\n",
}


def is_whole(answer: bytes) -> bool:
    """Tell whether a client would take this for a complete answer with status 200."""
    try:
        status, headers, body = rig.parse(answer)
    except (ValueError, IndexError):
        return False
    if status != 200:
        return False
    return "content-length" not in headers or len(body) == int(headers["content-length"])


@pytest.mark.parametrize("framing", WHOLE)
@pytest.mark.parametrize("path", ["a", "kept/a"])
def test_an_answer_cut_anywhere_never_looks_whole(wired, wire, framing, path):
    whole = WHOLE[framing]
    wire.reply = whole
    assert is_whole(rig.raw(wired.port, b"POST /advoware/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
    for cut in sorted({*range(0, len(whole), 64), *range(0, 60, 5), len(whole) - 1}):
        wire.reply = whole[:cut]
        request = (
            f"GET /advoware/{path}?{cut} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            if cut > 100 or path != "a"
            else f"PUT /advoware/{path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )
        answer = rig.raw(wired.port, request.encode(), finish=False)
        assert not is_whole(answer), (cut, answer)
        if not answer.startswith(b"HTTP/1.1 200"):
            assert rig.parse(answer)[0] == 502


@pytest.mark.parametrize("framing", WHOLE)
def test_an_old_client_too_sees_that_an_answer_broke_off(wired, wire, framing):
    wire.reply = WHOLE[framing][:700]
    with socket.create_connection(("127.0.0.1", wired.port), timeout=5) as out:
        out.sendall(b"GET /advoware/a HTTP/1.0\r\n\r\n")
        received, broke = b"", False
        try:
            while part := out.recv(65536):
                received += part
        except ConnectionResetError:
            broke = True
    assert broke or not is_whole(received) or b" 502 " in received[:20]


def test_a_broken_answer_says_so_in_its_line(wired, wire):
    wire.reply = WHOLE["length"][:500]
    rig.get(wired.port, "/advoware/a", "X-Request-ID: broken-1")
    time.sleep(0.2)
    (line,) = [line for line in wired.lines() if line["request_id"] == "broken-1"]
    assert (line["outcome"], line["status"]) == ("broken", 200)
    assert 0 < line["bytes_out"] < 1500


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"HTTP/1.1 200",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 99 Low\r\n\r\n",
        b"HTTP/1.1 1000 High\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon here\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\n" + b"X-A: 1\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 70_000 + b"\r\n\r\n",
        b"\x16\x03\x01",
    ],
)
def test_what_is_no_http_becomes_a_502(wired, wire, reply):
    wire.reply = reply
    status, headers, body = rig.get(wired.port, "/advoware/a", method="POST", body=b"x")
    assert (status, json.loads(body)["type"].rpartition("/")[2]) == (502, "advoware-unreachable")
    assert headers["cache-control"] == "no-store"
    assert wire.calls == 1


@pytest.mark.parametrize(
    ("reply", "body", "length"),
    [
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", b"until the end", None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nodd", b"odd", None),
        (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", b"ok", "2"),
        (b"HTTP/1.1 200 O\xe4K\r\nContent-Length: 2\r\n\r\nokmore", b"ok", "2"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            b"ok",
            None,
        ),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok", "2"),
        (b"HTTP/1.1 200 OK\r\nX-A: 1\r\n  folded\r\nX-B: \x01\r\nContent-Length: 2\r\n\r\nok", b"ok", "2"),
    ],
)
def test_odd_but_readable_answers_pass(wired, wire, reply, body, length):
    wire.reply = reply
    status, headers, found = rig.get(wired.port, "/advoware/a")
    assert (status, found, headers.get("content-length")) == (200, body, length)
    assert "\x01" not in str(headers)


def test_the_base_path_stands_before_every_endpoint(wired, wire):
    wire.reply = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/base/x\r\nContent-Length: 0\r\n\r\n"
    status, headers, _ = rig.get(wired.port, "/advoware/akten/")
    assert (status, "location" in headers) == (302, False)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_silence_is_a_504_and_never_asked_again(wired, wire, method):
    wire.silent = True
    started = time.monotonic()
    status, _, body = rig.get(wired.port, "/advoware/a", method=method)
    assert (status, json.loads(body)["type"].rpartition("/")[2]) == (504, "advoware-timeout")
    assert wire.calls == 1
    assert 0.9 < time.monotonic() - started < 3


def test_nobody_there_is_a_502(double, redis_url, tmp_path):
    more = {"ADVOWARE_API_BASE_URL": "http://127.0.0.1:1/"}
    with rig.running("framework", rig.settings(double, redis_url, **more), tmp_path) as server:
        status, _, body = rig.get(server.port, "/advoware/a")
        assert (status, json.loads(body)["title"]) == (502, "Advoware cannot be reached")
        assert b"127.0.0.1" not in body


@pytest.mark.parametrize("status", [502, 503, 504])
@pytest.mark.parametrize(("method", "calls"), [("GET", 3), ("POST", 1), ("PUT", 1), ("DELETE", 1)])
def test_only_a_get_is_repeated_and_the_last_answer_is_passed_on(server, double, status, method, calls):
    double.board.add(Fault("status", path="^/x", status=status, text="kaputt", times=None))
    found, _, body = rig.get(server.port, "/advoware/x", method=method)
    assert (found, body) == (status, b"kaputt")
    assert double.board.count(path_contains="/x") == calls


@pytest.mark.parametrize(("method", "status", "calls"), [("GET", 200, 2), ("POST", 502, 1), ("DELETE", 502, 1)])
def test_a_dropped_connection_is_tried_again_for_a_get_only(server, double, method, status, calls):
    double.board.add(Fault("drop_before", path="^/echo", times=1))
    assert rig.get(server.port, "/advoware/echo", method=method)[0] == status
    assert double.board.count(path_contains="/echo") == calls


@pytest.mark.parametrize("status", [500, 429, 404])
def test_other_failures_are_not_repeated(server, double, status):
    double.board.add(Fault("status", path="^/x", status=status, times=None))
    assert rig.get(server.port, "/advoware/x")[0] == status
    assert double.board.count(path_contains="/x") == 1


def test_a_caller_who_leaves_early_costs_nobody_else_anything(server):
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as out:
            out.sendall(b"GET /advoware/bytes/5000000 HTTP/1.1\r\nHost: a\r\n\r\n")
            out.recv(1000)
    assert rig.get(server.port, "/advoware/bytes/10")[2] == pattern(10)


def test_a_caller_who_breaks_off_an_upload_writes_nothing(server, double):
    head = b"POST /advoware/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n"
    for sent in (b"x" * 10, b"x" * 2_000_000):
        assert not rig.raw(server.port, head + sent).startswith(b"HTTP/1.1 2")
    time.sleep(0.2)
    assert not [seen for seen in double.seen if seen.length == 3_000_000]
    assert rig.get(server.port, "/advoware/echo", method="POST", body=b"x")[0] == 200
