"""Stand up the proxy as it runs for real, in front of a double that notes every byte of a request line."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, Thread

from redis_server import free_port
from werkzeug.wrappers import Request, Response

from sandbox.advoware import Advoware
from sandbox.server import serve

ROOT = Path(__file__).parents[1]
SOURCE = str(ROOT / "functions/advoware_proxy/main.py")


@dataclass
class Seen:
    """One call as the double saw it."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    length: int
    sha256: str

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class Recorder(Advoware):
    """The double of Advoware, noting every call; `answers` stand in for single paths."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Seen] = []
        self.answers: dict[str, Callable[[Request], Response]] = {}
        self._noting = Lock()

    def handle(self, request: Request) -> Response:
        if request.path != "/api/v1/Token":
            self._note(request)
            special = self.answers.get(request.path)
            if special is not None:
                return special(request)
        return super().handle(request)

    def _note(self, request: Request) -> None:
        digest, length = hashlib.sha256(), 0
        body = request.get_data()
        digest.update(body)
        length = len(body)
        headers = [(name, value) for name, value in request.headers.items()]
        with self._noting:
            self.seen.append(Seen(request.method, request.environ["RAW_URI"], headers, length, digest.hexdigest()))

    def forget(self) -> None:
        self.seen.clear()
        self.answers.clear()
        self.board.clear()
        self.board.forget_calls()

    @property
    def last(self) -> Seen:
        return self.seen[-1]


@contextmanager
def recording() -> Iterator[Recorder]:
    double = Recorder()
    with serve(double) as server:
        double.url = server.url
        double.port = server.port
        yield double


def settings(double: Advoware, redis_url: str, *, url: str = "", **more: str) -> dict[str, str]:
    """Give a process of ours nothing but what it needs."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return (
        kept
        | double.env(url or double.url)
        | {
            "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}",
            "REDIS_URL": redis_url,
            "PYTHONUNBUFFERED": "1",
            "ADVOWARE_TIMEOUT_SECONDS": "5",
        }
        | more
    )


@dataclass
class Running:
    """A server of ours in a process of its own."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path
    kind: str = ""
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def lines(self, event: str = "proxied") -> list[dict[str, object]]:
        found = []
        for line in self.log.read_text().splitlines():
            with contextlib.suppress(ValueError):
                entry = json.loads(line)
                if isinstance(entry, dict) and entry.get("event") == event:
                    found.append(entry)
        return found

    def rss(self) -> int:
        """Sum the resident memory of the process and its children, in bytes."""
        pids = [self.process.pid, *_children(self.process.pid)]
        return sum(_rss(pid) for pid in pids)


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()] if path.exists() else []


def _rss(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def _command(kind: str, port: int) -> list[str]:
    if kind == "framework":
        options = ["--target", "advoware_proxy", "--source", SOURCE, "--host", "127.0.0.1", "--port", str(port)]
        return [sys.executable, "-m", "functions_framework", *options]
    return [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "functions/gunicorn_conf.py"), "proxy_app:app"]


@contextmanager
def running(kind: str, env: dict[str, str], directory: Path) -> Iterator[Running]:
    """Run functions-framework (`framework`) or the all-in-one under gunicorn (`app`) for the length of a block."""
    port = free_port()
    log = directory / f"{kind}-{port}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            _command(kind, port),
            env={**env, "PORT": str(port), "HOST": "127.0.0.1", "THREADS": env.get("THREADS", "64")},
            cwd=ROOT,
            stdout=output,
            stderr=output,
        )
        try:
            server = Running(port, process, log, kind)
            _wait(server)
            yield server
        finally:
            process.send_signal(signal.SIGQUIT)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(server: Running) -> None:
    ends = time.monotonic() + 30
    while True:
        with contextlib.suppress(OSError):
            if urllib.request.urlopen(f"{server.url}/health", timeout=2).status == 200:
                return
        assert server.process.poll() is None, server.log.read_text()
        assert time.monotonic() < ends, server.log.read_text()
        time.sleep(0.05)


def raw(port: int, request: bytes, *, timeout_s: float = 5, finish: bool = True) -> bytes:
    """Send bytes as they are and read until the other side closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as wire:
        with contextlib.suppress(OSError):
            wire.sendall(request)
            if finish:
                wire.shutdown(socket.SHUT_WR)
        return read_all(wire)


def read_all(wire: socket.socket) -> bytes:
    parts = []
    with contextlib.suppress(OSError):
        while part := wire.recv(65536):
            parts.append(part)
    return b"".join(parts)


Parts = tuple[int, dict[str, str], bytes]


def get(port: int, target: str, *lines: str, method: str = "GET", body: bytes = b"") -> Parts:
    """Send one request by hand and take the answer apart; header names come in lower case."""
    head = [f"{method} {target} HTTP/1.1", "Host: proxy.example", "Connection: close", *lines]
    if body and not any(line.lower().startswith("transfer-encoding") for line in lines):
        head.append(f"Content-Length: {len(body)}")
    answer = raw(port, "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body, finish=False)
    return parse(answer)


def parse(answer: bytes) -> Parts:
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *fields = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in fields)}
    if headers.get("transfer-encoding") == "chunked":
        body = dechunked(body)
    return int(status.split()[1]) if status else 0, headers, body


def dechunked(body: bytes) -> bytes:
    """Join chunks; raises ValueError where the last one is missing."""
    parts = []
    while True:
        size, mark, rest = body.partition(b"\r\n")
        if not mark:
            raise ValueError("no last chunk")
        length = int(size, 16)
        if length == 0:
            return b"".join(parts)
        parts.append(rest[:length])
        body = rest[length + 2 :]


class Wire:
    """An upstream that answers every call with the same bytes and hangs up; `silent` never answers."""

    def __init__(self) -> None:
        self.reply, self.pause_s, self.silent, self.calls = b"", 0.0, False, 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                Thread(target=self._answer, args=self._listener.accept()[:1], daemon=True).start()

    def _answer(self, wire: socket.socket) -> None:
        with wire, contextlib.suppress(OSError):
            received = b""
            while b"\r\n\r\n" not in received:
                part = wire.recv(65536)
                if not part:
                    return
                received += part
            self.calls += 1
            if self.silent:
                time.sleep(10)
            for start in range(0, len(self.reply), 65536):
                wire.sendall(self.reply[start : start + 65536])
                time.sleep(self.pause_s)

    def close(self) -> None:
        self._listener.close()
