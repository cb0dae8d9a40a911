"""Lambda's Runtime API over HTTP, and a function under AWS's own runtime client."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
VERSION = "/2018-06-01/runtime/"


class FailedError(Exception):
    """The invocation ended in an error."""


class Function:
    """One running function: hand it an event, get its answer."""

    def __init__(self) -> None:
        self.waiting: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self.answers: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.output = ""
        self.process: subprocess.Popen[str] | None = None
        self._number = 0

    def invoke(self, event: dict[str, Any], timeout_s: float = 30) -> Any:
        self._number += 1
        self.waiting.put((f"id-{self._number}", json.dumps(event).encode()))
        kind, answer = self.next_answer(timeout_s)
        if kind != "response":
            raise FailedError(json.dumps(answer))
        return answer

    def next_answer(self, timeout_s: float) -> tuple[str, Any]:
        """Wait for an answer, but not for that of a process that has ended."""
        ends = time.monotonic() + timeout_s
        while time.monotonic() < ends and (self.process is None or self.process.poll() is None):
            with contextlib.suppress(queue.Empty):
                return self.answers.get(timeout=0.2)
        if self.answers.empty():
            raise FailedError(
                "no answer: " + (self.process.stdout.read() if self.process and self.process.poll() else "")
            )
        return self.answers.get()


def _handler(function: Function) -> type[BaseHTTPRequestHandler]:
    class Api(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            number, body = function.waiting.get()
            self.send_response(200)
            self.send_header("Lambda-Runtime-Aws-Request-Id", number)
            self.send_header("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + 290_000))
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:1:function:f")
            self.send_header("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            body = self._body()
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()
            kind = "response" if self.path.endswith("/response") else "error"
            function.answers.put((kind, json.loads(body or b"null")))

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", "0")))
            parts = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return parts

        def log_message(self, *_args: Any) -> None:
            """Say nothing."""

    return Api


@contextmanager
def running(handler: str, **environ: str) -> Iterator[Function]:
    """Run `handler` under awslambdaric until the end of the block; its output is there afterwards."""
    function = Function()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(function))
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that went
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
        "AWS_LAMBDA_FUNCTION_NAME": "bitbylaw-test",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "LAMBDA_TASK_ROOT": str(ROOT),
        **environ,
    }
    process = function.process = subprocess.Popen(
        [sys.executable, "-m", "awslambdaric", handler],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield function
    finally:
        process.terminate()
        function.output = process.communicate(timeout=10)[0]
        server.shutdown()
        server.server_close()
