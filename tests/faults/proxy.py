"""A TCP proxy on loopback that spoils what passes, on request: the eight toxics of a well-known tool, in one file.

A test puts one in front of each server, switches a toxic on, and lifts it again::

    with FaultProxy(server.port) as wire, wire.spoilt(Latency(0.3)):
        ...

Nothing is decided here at random, so a test that fails fails again.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

BLOCK = 65536


class BreakError(Exception):
    """Break the connection, politely or with a reset."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__()
        self.reset = reset


@dataclass
class Toxic:
    """Something wrong with a wire; `lifted` wakes whoever is being held up by it."""

    lifted: threading.Event = field(default_factory=threading.Event, init=False, repr=False)
    refuses = False

    def pass_on(self, data: bytes, sink: socket.socket, passed: int, *, answer: bool) -> None:
        """Hand a block on, of which kind `answer` tells, after `passed` bytes of the same connection."""
        del passed, answer
        sink.sendall(data)

    def before_close(self) -> None:
        """Hold up the end of a connection."""

    def hold(self, seconds: float) -> None:
        """Wait, but not for longer than the toxic is on."""
        self.lifted.wait(seconds)


@dataclass
class Latency(Toxic):
    """Every answer comes later."""

    seconds: float

    def pass_on(self, data: bytes, sink: socket.socket, passed: int, *, answer: bool) -> None:
        if answer:
            self.hold(self.seconds)
        sink.sendall(data)


@dataclass
class Down(Toxic):
    """Nobody is there: what is open breaks, what is new is refused."""

    refuses = True

    def pass_on(self, data: bytes, sink: socket.socket, passed: int, *, answer: bool) -> None:
        raise BreakError(reset=True)


@dataclass
class Bandwidth(Toxic):
    """Answers trickle: so many bytes a second, in ten pieces."""

    bytes_s: int

    def pass_on(self, data: bytes, sink: socket.socket, passed: int, *, answer: bool) -> None:
        piece = max(1, self.bytes_s // 10) if answer else len(data)
        for start in range(0, len(data), piece):
            if self.lifted.is_set():
                sink.sendall(data[start:])
                return
            sink.sendall(data[start : start + piece])
            if answer:
                self.hold(0.1)


@dataclass
class SlowClose(Toxic):
    """Connections end late."""

    seconds: float

    def before_close(self) -> None:
        self.hold(self.seconds)


@dataclass
class Timeout(Toxic):
    """Nothing passes any more, and nobody says so; when it is over, connections that waited are broken."""

    def pass_on(self, data: bytes, sink: socket.socket, passed: int, *, answer: bool) -> None:
        self.lifted.wait()
        raise BreakError(reset=True)


@dataclass
class Reset(Toxic):
    """The server does its work, and in the place of its answer comes a reset."""

    def pass_on(self, data: bytes, sink: socket.socket, passed: int, *, answer: bool) -> None:
        if answer:
            raise BreakError(reset=True)
        sink.sendall(data)


@dataclass
class Slicer(Toxic):
    """Everything comes in small pieces with pauses between them."""

    size: int
    pause_s: float

    def pass_on(self, data: bytes, sink: socket.socket, passed: int, *, answer: bool) -> None:
        for start in range(0, len(data), self.size):
            sink.sendall(data[start : start + self.size])
            self.hold(self.pause_s)


@dataclass
class Limit(Toxic):
    """Answers end after so many bytes, as if that were all."""

    most: int

    def pass_on(self, data: bytes, sink: socket.socket, passed: int, *, answer: bool) -> None:
        if not answer:
            sink.sendall(data)
            return
        sink.sendall(data[: max(0, self.most - passed)])
        if passed + len(data) >= self.most:
            raise BreakError(reset=False)


class FaultProxy:
    """Carries connections to a port on loopback."""

    def __init__(self, port: int) -> None:
        self.target, self._clean = port, Toxic()
        self._toxic: Toxic = self._clean
        self._open: set[socket.socket] = set()
        self._guard, self._closing = threading.Lock(), False
        self._listener: socket.socket | None = None
        self.port = self._listen(0)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def spoilt(self, toxic: Toxic) -> Iterator[None]:
        """Switch a toxic on for the length of a block."""
        self.spoil(toxic)
        try:
            yield
        finally:
            self.heal()

    def spoil(self, toxic: Toxic) -> None:
        """Switch a toxic on, also for what is open already."""
        self._toxic = toxic
        if toxic.refuses:
            self._stop_listening()
            self._break_all()

    def heal(self) -> None:
        """Lift the toxic."""
        toxic, self._toxic = self._toxic, self._clean
        toxic.lifted.set()
        if toxic.refuses:
            self._listen(self.port)

    def close(self) -> None:
        """Stop for good."""
        self._closing = True
        self._toxic.lifted.set()
        self._stop_listening()
        self._break_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _listen(self, port: int) -> int:
        ends = time.monotonic() + 5
        while True:
            try:
                listener = socket.create_server(("127.0.0.1", port), backlog=256)
                break
            except OSError:
                assert time.monotonic() < ends, "the port is gone"
                time.sleep(0.01)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return int(listener.getsockname()[1])

    def _stop_listening(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes accept, so that the port is free at once
            listener.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                caller, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(caller,), daemon=True).start()

    def _carry(self, caller: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self.target), timeout=5)
        except OSError:
            _hang_up(caller, reset=True)
            return
        server.settimeout(None)
        for each in (caller, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._guard:
            self._open |= {caller, server}
        asking = threading.Thread(target=self._pump, args=(caller, server), kwargs={"answer": False}, daemon=True)
        asking.start()
        self._pump(server, caller, answer=True)
        asking.join(30)
        with self._guard:
            self._open -= {caller, server}
        for each in (caller, server):
            each.close()

    def _pump(self, source: socket.socket, sink: socket.socket, *, answer: bool) -> None:
        passed = 0
        try:
            while data := source.recv(BLOCK):
                self._toxic.pass_on(data, sink, passed, answer=answer)
                passed += len(data)
            self._toxic.before_close()
            sink.shutdown(socket.SHUT_WR)
        except BreakError as error:
            for each in (source, sink):
                _hang_up(each, reset=error.reset)
        except OSError:
            for each in (source, sink):
                _hang_up(each, reset=False)

    def _break_all(self) -> None:
        with self._guard:
            victims = list(self._open)
        for each in victims:
            _hang_up(each, reset=True)


def _hang_up(wire: socket.socket, *, reset: bool) -> None:
    """End a connection; a reset throws away what was not read yet."""
    with contextlib.suppress(OSError):
        if reset:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wire.shutdown(socket.SHUT_RDWR)
    if reset:
        with contextlib.suppress(OSError):
            wire.close()
