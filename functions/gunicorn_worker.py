"""gunicorn's threads, without its waiting: whoever is silent costs no thread, whoever is slow costs nobody's place.

As it comes, each connection holds one of the few threads from its first moment, for as long as its caller likes, and
the loop that accepts all others waits for callers who do not hang up. Kong buffers requests, but not everybody comes
through Kong, and eight open lines must not keep a ninth caller from the application.
"""

from __future__ import annotations

import errno
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from selectors import EVENT_READ
from typing import Any, TypeVar

from gunicorn.workers.gthread import ThreadWorker

SILENT_S = 10.0  # from the connection to its first byte
HEAD_S = 10.0  # from the first byte of a request to the end of its head
BODY_S = 20.0  # for its body, and another second for each SLOWEST bytes that came
SLOWEST = 8 * 1024
LEFT_S = 5.0  # for what is left of a body that nobody read
SEND_S = 60  # for one piece of an answer that its caller does not take
FAREWELL_S, FAREWELL_BYTES = 2.0, 64 * 1024  # for a caller to hang up, so that the end of an answer is not cut off
SOON_S = 0.02  # a wait for a caller that nobody need stand in for
LONG_S = 0.2  # at work for longer, one waits for somebody else: an upstream, another run
STAND_INS = 120  # of all workers together
T = TypeVar("T")
_Job = tuple["Future[Any]", Callable[[], Any]]


@dataclass(eq=False)
class _Place:
    """One thread: since when it has been at its job (0: at none), and whether it ends with it."""

    since: float = 0.0
    replaced: bool = False


class Threads(Executor):
    """So many threads at work, and another one for each that waits for somebody, up to a limit."""

    def __init__(self, at_work: int, stand_ins: int) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock, self._left, self._places = threading.Lock(), stand_ins, set[_Place]()
        self._own = threading.local()
        for _ in range(at_work):
            self._start()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Have something done by the next thread that is free."""
        future: Future[T] = Future()
        self._jobs.put((future, partial(fn, *args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002 - nobody asks for it
        """Let every thread end after what it is doing; the process waits for that, but the arbiter has an end."""
        for _ in list(self._places):
            self._jobs.put(None)

    def stand_in(self) -> None:
        """Start another thread in the place of the one that calls this, which ends with its present job."""
        self._replace(self._own.place)

    def relieve(self) -> bool:
        """Start threads in the place of those that are long at their job if others wait; tells whether any do."""
        waiting = self._jobs.qsize()
        if waiting:
            before = time.monotonic() - LONG_S
            late = [place for place in list(self._places) if 0 < place.since < before and not place.replaced]
            for place in late[:waiting]:
                self._replace(place)
        return waiting > 0

    def _replace(self, place: _Place) -> None:
        with self._lock:
            if place.replaced or not self._left:
                return
            try:
                self._start()
            except RuntimeError:  # the system gives no more threads: others wait, as they would behind any limit
                return
            place.replaced = True
            self._left -= 1

    def _start(self) -> None:
        place = _Place()
        threading.Thread(target=self._work, args=(place,)).start()
        self._places.add(place)

    def _work(self, place: _Place) -> None:
        self._own.place = place
        while not place.replaced and (job := self._jobs.get()):
            place.since = time.monotonic()
            _do(*job)
            place.since, job = 0.0, None
        with self._lock:
            self._places.discard(place)
            self._left += place.replaced


def _do(future: Future[Any], job: Callable[[], Any]) -> None:
    try:
        result = job()
    except BaseException as error:  # noqa: BLE001 - told by whoever asks the future
        future.set_exception(error)
    else:
        future.set_result(result)


class Source:
    """What the parser reads from: a socket that tells when it has to wait for its caller, and does not for ever."""

    def __init__(self, sock: socket.socket, waits: Callable[[], None]) -> None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", SEND_S, 0))
        self._sock, self._waits = sock, waits
        self._ends, self._in_body = 0.0, False

    def expect(self, seconds: float, *, body: bool = False) -> None:
        """Begin to wait for a head or a body."""
        self._ends, self._in_body = time.monotonic() + seconds, body

    def hurry(self, seconds: float) -> None:
        """Wait for what is left, but not long."""
        self._ends = min(self._ends, time.monotonic() + seconds)

    def recv(self, size: int) -> bytes:
        """Receive what is there, or wait for it; a TimeoutError ends a body, a head ends as if its caller had gone."""
        while True:
            try:
                data = self._sock.recv(size, socket.MSG_DONTWAIT)
            except BlockingIOError:
                self._wait()
            else:
                self._ends += len(data) / SLOWEST
                return data

    def _wait(self) -> None:
        if _is_readable(self._sock, self._ends, self._waits):
            return
        if self._in_body:
            raise TimeoutError("the caller is too slow")
        raise ConnectionResetError(errno.ECONNRESET, "the caller is too slow")


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """As many requests at work as there are threads; callers who keep us waiting come on top."""

    def get_thread_pool(self) -> Threads:
        """Make the threads."""
        return Threads(self.cfg.threads, max(self.cfg.threads, STAND_INS // self.cfg.workers))

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Wait for what happens next; not for long while requests wait for a thread."""
        super().wait_for_and_dispatch_events(min(timeout, LONG_S / 2) if self.tpool.relieve() else timeout)

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
        if not goes_on:
            _bid_farewell(conn.sock, self.tpool.stand_in)
        return goes_on

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

    def _cap_keepalive(self, deadline: float) -> None:
        """Let a stop wait for silent connections no longer than for kept ones."""
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)


def _is_readable(sock: socket.socket, ends: float, waits: Callable[[], None]) -> bool:
    poll, now = select.poll(), time.monotonic()
    poll.register(sock, select.POLLIN)
    if poll.poll(max(0.0, min(SOON_S, ends - now)) * 1000):
        return True
    waits()
    return bool(poll.poll(max(0.0, ends - time.monotonic()) * 1000))


def _bid_farewell(sock: socket.socket, waits: Callable[[], None]) -> None:
    """Wait here until the caller hangs up, so that the loop that closes the socket need not."""
    ends, left = time.monotonic() + FAREWELL_S, FAREWELL_BYTES
    try:
        sock.shutdown(socket.SHUT_WR)
        while left > 0 and _is_readable(sock, ends, waits) and (data := sock.recv(4096, socket.MSG_DONTWAIT)):
            left -= len(data)
        sock.shutdown(socket.SHUT_RD)
    except OSError:  # it has gone: nothing is left to wait for
        return
