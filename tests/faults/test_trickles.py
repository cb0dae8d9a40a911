"""An upstream that always says a little more: every call ends in time, and none fills the memory."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import requests

from shared.errors import UpstreamMalformedError, UpstreamTimeoutError, UpstreamUnavailableError
from shared.http import HttpClient, json_of
from shared.whole import LARGEST

TIMEOUT_S = 0.6
JSON = b"Content-Type: application/json\r\n"


@contextmanager
def answering(speak: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[int]]]:
    """Answer each connection by a function, on loopback; also gives a list with an entry for each connection."""
    listener, connections = socket.create_server(("127.0.0.1", 0)), []

    def serve(wire: socket.socket) -> None:
        with wire, contextlib.suppress(OSError):
            while wire.recv(65536):
                speak(wire)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                wire, _ = listener.accept()
                connections.append(1)
                threading.Thread(target=serve, args=(wire,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/", connections
    finally:
        listener.close()


def drip(head: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    def speak(wire: socket.socket) -> None:
        wire.sendall(b"HTTP/1.1 200 OK\r\n" + JSON + head + b"\r\n")
        for _ in range(200):
            time.sleep(0.1)
            wire.sendall(piece)

    return speak


@pytest.mark.parametrize(
    ("head", "piece"),
    [(b"Content-Length: 5000\r\n", b" "), (b"Transfer-Encoding: chunked\r\n", b"1\r\n \r\n"), (b"", b" ")],
    ids=["with a length", "chunked", "until the end"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_trickle_is_a_timeout_however_often_it_says_something(method: str, head: bytes, piece: bytes) -> None:
    with answering(drip(head, piece)) as (url, connections):
        started = time.monotonic()
        with pytest.raises(UpstreamTimeoutError):
            HttpClient("advoware", TIMEOUT_S).send(method, url)
        assert time.monotonic() - started < 6  # the trickle would last twenty seconds
        assert len(connections) == 1


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_an_answer_without_end_is_given_up_before_it_fills_the_memory(packed: bool) -> None:
    block = b" " * 1024 * 1024
    body = gzip.compress(block * 80, 1) if packed else block

    def speak(wire: socket.socket) -> None:
        kind = b"Content-Encoding: gzip\r\n" if packed else b""
        wire.sendall(b"HTTP/1.1 200 OK\r\n" + JSON + kind + b"\r\n")
        while True:
            wire.sendall(body)
            if packed:
                wire.shutdown(socket.SHUT_WR)
                return

    with answering(speak) as (url, _), pytest.raises(UpstreamMalformedError, match="too long"):
        HttpClient("advoware", 30).send("GET", url)


def test_a_long_answer_comes_whole_and_leaves_its_connection_in_use() -> None:
    body = b'"' + b"x" * (LARGEST // 8) + b'"'

    def speak(wire: socket.socket) -> None:
        wire.sendall(b"HTTP/1.1 200 OK\r\n" + JSON + b"Content-Length: %d\r\n\r\n" % len(body))
        wire.sendall(body)

    with answering(speak) as (url, connections):
        client = HttpClient("advoware", 10)
        for _ in range(3):
            assert len(json_of("advoware", client.send("GET", url))) == len(body) - 2
        assert len(connections) == 1


@pytest.mark.parametrize("head", [b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_a_cut_answer_breaks_off_and_is_asked_for_again_only_by_a_get(head: bytes) -> None:
    def speak(wire: socket.socket) -> None:
        wire.sendall(b"HTTP/1.1 200 OK\r\n" + JSON + head + b"\r\n3\r\n")
        wire.shutdown(socket.SHUT_RDWR)

    for method, tries in (("GET", 3), ("POST", 1)):
        with answering(speak) as (url, connections):
            with pytest.raises(UpstreamUnavailableError):
                HttpClient("advoware", 5, sleep=lambda _s: None).send(method, url)
            assert len(connections) == tries


def test_a_body_that_cannot_be_unpacked_is_an_error_of_ours() -> None:
    def speak(wire: socket.socket) -> None:
        wire.sendall(b"HTTP/1.1 200 OK\r\n" + JSON + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd")

    with answering(speak) as (url, _), pytest.raises((UpstreamUnavailableError, UpstreamMalformedError)):
        HttpClient("advoware", 5, sleep=lambda _s: None).send("GET", url)


def test_who_streams_gets_the_stream() -> None:
    with answering(drip(b"Content-Length: 3\r\n", b"x")) as (url, _):
        session = HttpClient("threecx", 5).session
        with session.get(url, stream=True, timeout=5) as answer:
            assert next(answer.iter_content(1)) == b"x"
        assert isinstance(answer, requests.Response)
