"""gunicorn's threads, without its waiting: whoever is silent costs no thread, whoever is slow costs nobody's place.

As it comes, each connection holds one of the few threads from its first moment, for as long as its caller likes, and
the loop that accepts all others waits for callers who do not hang up. Kong buffers requests, but not everybody comes
through Kong, and eight open lines must not keep a ninth caller from the application.
"""

from __future__ import annotations

import errno
import select
import socket
import time
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from functions.gunicorn_sockets import Joined, Refusal, Source, bid_farewell
from shared.log import get_log
from shared.threads import LONG_S, Threads

log = get_log(__name__)

SILENT_S = 10.0  # from the connection to its first byte
HEAD_S = 10.0  # from the first byte of a request to the end of its head
BODY_S = 20.0  # for its body; what has come of it gives more (SLOWEST)
LEFT_S = 5.0  # for what is left of a body that nobody read
NEXT_S = 0.001  # from an answer to the same caller's next request, if its thread is to take that too
YIELDS_S, MOST_YIELDED_S = 0.0002, 0.002  # for each connection, and in all, before taking one that others may take
STAND_INS = 120  # of all workers together


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
            bid_farewell(conn.sock, self.tpool.stand_in)
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
        req.body.hurry = source.hurry  # for whoever has answered before the body came
        try:
            return super().handle_request(req, conn)
        finally:
            source.hurry(LEFT_S)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Refuse what is no request in the words of all other refusals, and repeat nothing of it."""
        super().handle_error(req, Refusal(client), addr, exc)

    def _cap_keepalive(self, deadline: float) -> None:
        """Let a stop wait for silent connections no longer than for kept ones."""
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)


def _joined(application: Any, environ: Any, start_response: Any) -> Any:
    response = start_response.__self__
    response.sock = Joined(response)
    return application(environ, start_response)
