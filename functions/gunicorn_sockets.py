"""The sockets behind a request: one that does not wait for ever, and what stands for one where an answer is written."""

from __future__ import annotations

import errno
import json
import secrets
import select
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

from shared.web.common import SECURITY_HEADERS
from shared.web.problems import TYPE_BASE

SLOWEST = 8 * 1024  # so many bytes give their caller another second
SEND_S = 60  # for one piece of an answer that its caller does not take
FAREWELL_S, FAREWELL_BYTES = 2.0, 64 * 1024  # for a caller to hang up, so that the end of an answer is not cut off
SOON_S = 0.02  # a wait for a caller that nobody need stand in for
_TITLES = {
    400: "Unreadable request",
    403: "Forbidden",
    414: "URI too long",
    417: "Expectation failed",
    431: "Headers too large",
    501: "Not implemented",
}


class Source:
    """What the parser reads from: a socket that tells when it has to wait for its caller, and does not for ever.

    Only the waiting counts: a caller is not slow while an upstream takes its time with what came before.
    """

    def __init__(self, sock: socket.socket, waits: Callable[[], None]) -> None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", SEND_S, 0))
        self._sock, self._waits = sock, waits
        self._left_s, self._in_body = 0.0, False

    def expect(self, seconds: float, *, body: bool = False) -> None:
        """Begin to wait for a head or a body."""
        self._left_s, self._in_body = seconds, body

    def hurry(self, seconds: float) -> None:
        """Wait for what is left, but not long."""
        self._left_s = min(self._left_s, seconds)

    def recv(self, size: int) -> bytes:
        """Receive what is there, or wait for it; a TimeoutError ends a body, a head ends as if its caller had gone."""
        while True:
            try:
                data = self._sock.recv(size, socket.MSG_DONTWAIT)
            except BlockingIOError:
                self._wait()
            else:
                self._left_s += len(data) / SLOWEST
                return data

    def _wait(self) -> None:
        began = time.monotonic()
        there = is_readable(self._sock, self._left_s, self._waits)
        self._left_s -= time.monotonic() - began
        if there:
            return
        if self._in_body:
            raise TimeoutError("the caller is too slow")
        raise ConnectionResetError(errno.ECONNRESET, "the caller is too slow")


class Refusal:
    """Stands for the socket where gunicorn writes a page of its own: only that page's status goes out."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def gettimeout(self) -> float:
        """Say that writing does not block, so that nothing is changed about it."""
        return 0.0

    def sendall(self, page: bytes) -> None:
        """Write the problem document that stands for a page."""
        status, request_id = int(page.split(b" ", 2)[1]), secrets.token_hex(16)
        title = _TITLES.get(status, "Internal error")
        document = {
            "type": TYPE_BASE + title.lower().replace(" ", "-"),
            "title": title,
            "status": status,
            "detail": title,
            "instance": f"#{request_id}",
        }
        body = json.dumps(document, separators=(",", ":"))
        headers = {
            "Connection": "close",
            "Content-Type": "application/problem+json",
            "Content-Length": str(len(body)),
            "X-Request-ID": request_id,
            **SECURITY_HEADERS,
        }
        lines = [f"HTTP/1.1 {status} {title}", *(f"{name}: {value}" for name, value in headers.items())]
        self._sock.sendall("\r\n".join([*lines, "", body]).encode())


class Joined:
    """Stands for the socket an answer is written to: its head goes out together with the first piece of its body."""

    def __init__(self, response: Any) -> None:
        self._sock, self._head = response.sock, b""
        self._response = response  # until its head comes: else both would keep each other for the garbage collector

    def sendall(self, data: bytes) -> None:
        """Send; the first piece is the head, and is kept while a body follows at once."""
        response, self._response = self._response, None
        if response and response.response_length and not response._omits_body:
            self._head = data
            return
        self._sock.sendall(self._head + data)
        self._head = b""


def is_readable(sock: socket.socket, within_s: float, waits: Callable[[], None]) -> bool:
    """Wait so long for a caller, and say `waits` once that takes more than a moment."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    soon_s = max(0.0, min(SOON_S, within_s))
    if poll.poll(soon_s * 1000):
        return True
    waits()
    return bool(poll.poll(max(0.0, within_s - soon_s) * 1000))


def bid_farewell(sock: socket.socket, waits: Callable[[], None]) -> None:
    """Wait here until the caller hangs up, so that the loop that closes the socket need not."""
    ends, left = time.monotonic() + FAREWELL_S, FAREWELL_BYTES
    try:
        sock.shutdown(socket.SHUT_WR)
        while left > 0 and is_readable(sock, ends - time.monotonic(), waits):
            data = sock.recv(4096, socket.MSG_DONTWAIT)
            left = left - len(data) if data else 0
        sock.shutdown(socket.SHUT_RD)
    except OSError:  # it has gone: nothing is left to wait for
        return
