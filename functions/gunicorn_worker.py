"""gunicorn's threads, without its waiting: whoever is silent costs no thread, whoever is slow costs nobody's place.

As it comes, each connection holds one of the few threads from its first moment, for as long as its caller likes, and
the loop that accepts all others waits for callers who do not hang up. Kong buffers requests, but not everybody comes
through Kong, and eight open lines must not keep a ninth caller from the application.
"""

from __future__ import annotations

import errno
import json
import secrets
import select
import socket
import struct
import time
from collections.abc import Callable
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from shared.log import get_log
from shared.threads import LONG_S, Threads
from shared.web.common import SECURITY_HEADERS
from shared.web.problems import TYPE_BASE

log = get_log(__name__)

SILENT_S = 10.0  # from the connection to its first byte
HEAD_S = 10.0  # from the first byte of a request to the end of its head
BODY_S = 20.0  # for its body, and another second for each SLOWEST bytes that came
SLOWEST = 8 * 1024
LEFT_S = 5.0  # for what is left of a body that nobody read
SEND_S = 60  # for one piece of an answer that its caller does not take
FAREWELL_S, FAREWELL_BYTES = 2.0, 64 * 1024  # for a caller to hang up, so that the end of an answer is not cut off
NEXT_S = 0.001  # from an answer to the same caller's next request, if its thread is to take that too
SOON_S = 0.02  # a wait for a caller that nobody need stand in for
_TITLES = {
    400: "Unreadable request",
    403: "Forbidden",
    414: "URI too long",
    417: "Expectation failed",
    431: "Headers too large",
    501: "Not implemented",
}
YIELDS_S, MOST_YIELDED_S = 0.0002, 0.002  # for each connection, and in all, before taking one that others may take
STAND_INS = 120  # of all workers together


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
        there = _is_readable(self._sock, self._left_s, self._waits)
        self._left_s -= time.monotonic() - began
        if there:
            return
        if self._in_body:
            raise TimeoutError("the caller is too slow")
        raise ConnectionResetError(errno.ECONNRESET, "the caller is too slow")


class _Refusal:
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


class _Joined:
    """Stands for the socket an answer is written to: its head goes out together with the first piece of its body."""

    def __init__(self, response: Any) -> None:
        self._sock, self._response, self._head = response.sock, response, b""

    def sendall(self, data: bytes) -> None:
        """Send, or keep a head whose body follows at once."""
        if not self._response.sent and self._response.response_length and not self._response._omits_body:
            self._head += data
            return
        self._sock.sendall(self._head + data)
        self._head = b""


def _joined(application: Any, environ: Any, start_response: Any) -> Any:
    response = start_response.__self__
    response.sock = _Joined(response)
    return application(environ, start_response)


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """As many requests at work as there are threads; callers who keep us waiting come on top."""

    def get_thread_pool(self) -> Threads:
        """Make the threads."""
        return Threads(self.cfg.threads, max(self.cfg.threads, STAND_INS // self.cfg.workers))

    def load_wsgi(self) -> None:
        """Load the application; each of its answers takes one packet where it fits into one."""
        super().load_wsgi()
        self.wsgi: Any = partial(_joined, self.wsgi)

    def run(self) -> None:
        """Serve; whatever ends that, no idle thread keeps the process, so that another one takes its place."""
        try:
            super().run()
        finally:
            self.tpool.shutdown(wait=False)

    def accept(self, listener: socket.socket) -> None:
        """Take the next connection; where descriptors run out, take fewer from now on instead of ending.

        Of several workers the one that has just taken one is the first to see the next, and would end up with most:
        connections are kept for long. Whoever has fewer gets there first.
        """
        if self.cfg.workers > 1 and self.tpool.has_free():
            time.sleep(min(self.nr_conns * YIELDS_S, MOST_YIELDED_S))
        try:
            super().accept(listener)
        except OSError as error:
            if error.errno not in {errno.EMFILE, errno.ENFILE}:
                raise
            self.worker_connections = max(1, self.nr_conns * 3 // 4)  # Redis and upstreams need some too
            log.warning("connections_limited", total=self.worker_connections)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Wait for what happens next; not for long while requests wait for a thread."""
        super().wait_for_and_dispatch_events(min(timeout, LONG_S) if self.tpool.relieve() else timeout)

    def enqueue_req(self, conn: Any) -> None:
        """Give a connection to a thread once it has said something."""
        if conn.initialized or conn.data_ready:
            super().enqueue_req(conn)
            return
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + SILENT_S
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def handle(self, conn: Any) -> Any:
        """Handle one request, in a thread."""
        if self.cfg.is_ssl:  # there the socket is another one only after the handshake
            return super().handle(conn)
        conn.sock.setblocking(True)
        conn.init()
        source = conn.parser.unreader.sock
        if source is conn.sock:
            source = conn.parser.unreader.sock = Source(conn.sock, self.tpool.stand_in)
        source.expect(HEAD_S)
        goes_on = super().handle(conn)
        while goes_on and self._is_next(conn):
            source.expect(HEAD_S)
            goes_on = super().handle(conn)
        if not goes_on:
            _bid_farewell(conn.sock, self.tpool.stand_in)
        return goes_on

    def _is_next(self, conn: Any) -> bool:
        """Wait a moment for the caller's next request: the way back through the loop costs more than its answer."""
        if not self.alive or conn.parser.unreader.buf.getvalue() or not self.tpool.again():
            return False
        poll = select.poll()
        poll.register(conn.sock, select.POLLIN)
        return bool(poll.poll(NEXT_S * 1000))

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Let the application answer, with a time for the body."""
        source = conn.parser.unreader.sock
        if source is conn.sock:
            return super().handle_request(req, conn)
        source.expect(BODY_S, body=True)
        try:
            return super().handle_request(req, conn)
        finally:
            source.hurry(LEFT_S)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Refuse what is no request in the words of all other refusals, and repeat nothing of it."""
        super().handle_error(req, _Refusal(client), addr, exc)

    def _cap_keepalive(self, deadline: float) -> None:
        """Let a stop wait for silent connections no longer than for kept ones."""
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)


def _is_readable(sock: socket.socket, within_s: float, waits: Callable[[], None]) -> bool:
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    soon_s = max(0.0, min(SOON_S, within_s))
    if poll.poll(soon_s * 1000):
        return True
    waits()
    return bool(poll.poll(max(0.0, within_s - soon_s) * 1000))


def _bid_farewell(sock: socket.socket, waits: Callable[[], None]) -> None:
    """Wait here until the caller hangs up, so that the loop that closes the socket need not."""
    ends, left = time.monotonic() + FAREWELL_S, FAREWELL_BYTES
    try:
        sock.shutdown(socket.SHUT_WR)
        while left > 0 and _is_readable(sock, ends - time.monotonic(), waits):
            data = sock.recv(4096, socket.MSG_DONTWAIT)
            left = left - len(data) if data else 0
        sock.shutdown(socket.SHUT_RD)
    except OSError:  # it has gone: nothing is left to wait for
        return
