"""Serve a WSGI application on loopback, as a double is served: connections stay open, and hang up on request."""

import contextlib
import io
import socket
import threading
import traceback
from collections.abc import Callable, Iterable
from typing import Any, Self

from werkzeug.serving import WSGIRequestHandler, make_server


class _Handler(WSGIRequestHandler):
    """Run the application for one connection, which stays open between calls (werkzeug's own handler closes it)."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def run_wsgi(self) -> None:
        """Answer one call, or hang up when the application says so."""
        try:
            self._send(self.server.app(self._environ(), self._start_response))
        except (ConnectionError, TimeoutError):
            self._hang_up()
        except Exception:  # noqa: BLE001  the double's own bug: show it and answer 500
            traceback.print_exc()
            self.close_connection = True
            self.wfile.write(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def _environ(self) -> dict[str, Any]:
        environ = self.make_environ()
        body = environ["wsgi.input"]
        if not environ.get("wsgi.input_terminated"):
            body = io.BytesIO(body.read(int(environ.get("CONTENT_LENGTH") or 0)))
        return {**environ, "wsgi.input": body}

    def _hang_up(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:  # noqa: ARG002
        self._status, self._headers = status, headers

    def _send(self, result: Iterable[bytes]) -> None:
        bare = self.command == "HEAD" or self._status[:3] in ("204", "304")
        chunked = not bare and not any(name.lower() == "content-length" for name, _ in self._headers)
        pending = self._head(chunked)
        for part in () if bare else filter(None, result):
            self.wfile.write(pending + (b"%x\r\n%b\r\n" % (len(part), part) if chunked else part))
            pending = b""
        self.wfile.write(pending + (b"0\r\n\r\n" if chunked else b""))
        getattr(result, "close", lambda: None)()

    def _head(self, chunked: bool) -> bytes:
        extra = [("Transfer-Encoding", "chunked")] if chunked else []
        lines = [f"{name}: {value}\r\n" for name, value in [*self._headers, *extra]]
        return f"HTTP/1.1 {self._status}\r\n{''.join(lines)}\r\n".encode("latin-1")

    def log(self, type: str, message: str, *args: Any) -> None:
        """Write no access log."""


class Server:
    """Run an application in a thread until it is closed."""

    def __init__(self, app: Callable[..., Iterable[bytes]], host: str = "127.0.0.1", port: int = 0) -> None:
        self._listener = make_server(host, port, app, threaded=True, request_handler=_Handler)
        self._listener.connections = set()
        self.port: int = self._listener.server_port
        self.url = f"http://{host}:{self.port}"
        threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Stop listening and cut the connections that are open."""
        self._listener.shutdown()
        self._listener.server_close()
        for connection in list(self._listener.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def serve(app: Callable[..., Iterable[bytes]], host: str = "127.0.0.1", port: int = 0) -> Server:
    """Serve an application in a thread; port 0 takes a free one."""
    return Server(app, host, port)
