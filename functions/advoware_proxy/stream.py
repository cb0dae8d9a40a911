"""Carry one call to Advoware and its answer back, piece by piece, over connections that stay open.

`requests` and `urllib3` tidy up paths and add headers of their own; a transparent proxy must do neither, so this
speaks with `http.client`.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from io import BufferedReader
from select import select
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from functions.advoware_proxy.body import CHUNK, Body
from functions.advoware_proxy.errors import CutShortError, LateError, UnreachableError
from functions.advoware_proxy.passage import Headers
from shared import metrics

CONNECT_S = 5.0
POOLED = 64
IDLE_S = {"GET": 30.0}  # a call that may be repeated can risk a connection that is just being closed
IDLE_WRITE_S = 2.0
_RESTS = 64 * 1024


class Pool:
    """Connections to one host, the youngest first."""

    def __init__(self, base_url: str, timeout_s: float) -> None:
        """Take the base; `path` is what stands before every endpoint."""
        base = urlsplit(base_url)
        self.host, self.path, self._timeout_s = base.netloc.rpartition("@")[2], base.path or "/", timeout_s
        self._name, self._port = base.hostname or "", base.port
        self._tls = ssl.create_default_context() if base.scheme == "https" else None
        self._free: list[tuple[HTTPConnection, float]] = []
        self._lock = Lock()

    def take(self, longest_idle_s: float) -> HTTPConnection:
        """Give a connection that was used a moment ago and is still open, or a new one."""
        while True:
            with self._lock:
                connection, since = self._free.pop() if self._free else (None, 0.0)
            if connection is None:
                return self._connect()
            if time.monotonic() - since <= longest_idle_s and not _has_spoken(connection):
                return connection
            connection.close()

    def give_back(self, connection: HTTPConnection) -> None:
        """Keep a connection whose answer was read to the end."""
        with self._lock:
            if connection.sock is not None and len(self._free) < POOLED:
                self._free.append((connection, time.monotonic()))
                return
        connection.close()

    def _connect(self) -> HTTPConnection:
        connect_s = min(CONNECT_S, self._timeout_s)
        if self._tls is None:
            connection = HTTPConnection(self._name, self._port, timeout=connect_s)
        else:
            connection = HTTPSConnection(self._name, self._port, timeout=connect_s, context=self._tls)
        connection.response_class = _Response
        connection.connect()
        connection.sock.settimeout(self._timeout_s)
        return connection


def _has_spoken(connection: HTTPConnection) -> bool:
    """Tell whether an idle connection has something to read: its end, or an answer nobody asked for."""
    try:
        return connection.sock is None or bool(select([connection.sock], [], [], 0)[0])
    except (OSError, ValueError):
        return True


class _WholeLines(BufferedReader):
    """Reads lines that end; `http.client` takes the end of a connection for the end of headers and of chunk sizes."""

    def readline(self, size: int | None = -1, /) -> bytes:
        """Read a line, and fail where it is cut."""
        line = super().readline(size)
        if not line.endswith(b"\n"):
            raise ConnectionResetError("the line is cut or too long")
        return line


class _Response(HTTPResponse):
    """An answer that does not end before its end."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fp = _WholeLines(self.fp.detach(), CHUNK)


class Answer:
    """Advoware's answer, its body still on the way."""

    def __init__(self, response: HTTPResponse, connection: HTTPConnection, pool: Pool) -> None:
        """Take a response whose head has been read."""
        self.status, self.reason = response.status, response.reason
        self.headers: Headers = list(response.headers.items())
        announced = self.header("Content-Length")
        self.announced = int(announced) if announced.isascii() and announced.isdigit() else None
        self.length = None if response.chunked else response.length
        self._response, self._connection, self._pool = response, connection, pool
        self._left, self._open = self.length, True

    def header(self, name: str) -> str:
        """Give one header, empty if it is not there."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def read(self) -> bytes:
        """Give the next piece, nothing at the end; raises CutShortError where an end is missing."""
        if not self._open:
            return b""
        try:
            part = b"" if self._left == 0 else self._response.read1(CHUNK)
        except (OSError, HTTPException) as error:
            self.close()
            raise CutShortError("Advoware's answer broke off.") from error
        if part:
            self._left = None if self._left is None else self._left - len(part)
            return part
        if self._left:
            self.close()
            raise CutShortError("Advoware's answer broke off.")
        self._finish()
        return b""

    def read_most(self, most: int) -> tuple[bytes, bool]:
        """Read until there is more than `most`; True means that this was all."""
        pieces: list[bytes] = []
        size = 0
        while size <= most:
            piece = self.read()
            if not piece:
                return b"".join(pieces), True
            pieces.append(piece)
            size += len(piece)
        return b"".join(pieces), False

    def discard(self) -> None:
        """Have done with an answer that nobody wants; a short one leaves its connection in use."""
        try:
            self.read_most(_RESTS)
        except CutShortError:
            return
        self.close()

    def close(self) -> None:
        """Hang up, unless the answer was read to its end."""
        if self._open:
            self._open = False
            self._response.close()
            self._connection.close()

    def _finish(self) -> None:
        self._open = False
        self._response.close()
        if self._response.will_close:
            self._connection.close()
        else:
            self._pool.give_back(self._connection)


class Upstream:
    """Advoware over HTTP, one call at a time per connection."""

    def __init__(self, base_url: str, timeout_s: float) -> None:
        """Prepare; the first call connects."""
        self._pool = Pool(base_url, timeout_s)

    def send(self, method: str, endpoint: str, headers: Headers, body: Body) -> Answer:
        """Send one call once; raises LateError or UnreachableError if no answer came."""
        started, outcome = time.monotonic(), "error"
        try:
            answer = self._send(method, endpoint, headers, body)
            outcome = f"{answer.status // 100}xx"
            return answer
        except TimeoutError as error:
            outcome = "timeout"
            raise LateError from error
        except (OSError, HTTPException) as error:
            raise UnreachableError from error
        finally:
            metrics.UPSTREAM_CALLS.labels("advoware", outcome).inc()
            metrics.UPSTREAM_SECONDS.labels("advoware").observe(time.monotonic() - started)

    def _send(self, method: str, endpoint: str, headers: Headers, body: Body) -> Answer:
        connection = self._pool.take(IDLE_S.get(method, IDLE_WRITE_S))
        try:
            connection.putrequest(method, self._pool.path + endpoint, skip_host=True, skip_accept_encoding=True)
            for name, value in [("Host", self._pool.host), *headers, *_framing(method, body)]:
                connection.putheader(name, value)
            _send_body(connection, body)
            response = connection.getresponse()
            if response.status < 200 or response.headers.defects:
                raise HTTPException("no answer that could be passed on")
            return Answer(response, connection, self._pool)
        except BaseException:
            connection.close()
            raise


def _framing(method: str, body: Body) -> Headers:
    if body.length is None:
        return [("Transfer-Encoding", "chunked")]
    if body.length or method in {"POST", "PUT"}:
        return [("Content-Length", str(body.length))]
    return []


def _send_body(connection: HTTPConnection, body: Body) -> None:
    parts: Iterator[bytes] = body.parts()
    try:
        connection.endheaders(parts, encode_chunked=body.length is None)
    except (BrokenPipeError, ConnectionResetError):
        return  # Advoware may have answered before it had read everything; if not, reading the answer will tell
