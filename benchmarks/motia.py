"""The predecessor's framework doing what our webhook does: one step in Python that adds ids to a set in Redis.

It is fetched with npm when the benchmark runs, without install scripts; where that cannot be done the reason is told.
`motia dev` is how its last release before 1.0 is served; it starts a Python process for each call.
"""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.process import end_group
from sandbox.embedded_redis import free_port

VERSION = "0.2.2"
INSTALL_S, START_S = 240, 90
STEP = """
import os, redis
config = {"type": "api", "name": "update", "path": "%s", "method": "POST", "emits": [], "flows": ["vmh"]}
async def handler(request, context):
    client = redis.Redis.from_url(os.environ["REDIS_URL"], db=1, decode_responses=True)
    return {"status": 200, "body": {"added": client.sadd("motia:pending", *[item["id"] for item in request["body"]])}}
"""
LOOPBACK = """
const { Server } = require("net"), listen = Server.prototype.listen
Server.prototype.listen = function (port, ...rest) {
  return listen.call(this, port, ...(typeof port === "number" ? ["127.0.0.1"] : []), ...rest)
}
"""


class NotMeasuredError(Exception):
    """It cannot be run here, for the reason in the message."""


def install(folder: Path, path: str) -> None:
    """Make a project with one step, run by the Python of this process."""
    if not (shutil.which("node") and shutil.which("npm")):
        raise NotMeasuredError("no Node.js here")
    folder.joinpath("package.json").write_text('{"name": "predecessor", "private": true}')
    folder.joinpath("loopback.cjs").write_text(LOOPBACK)
    folder.joinpath("steps").mkdir()
    folder.joinpath("steps", "update.step.py").write_text(STEP % path)
    folder.joinpath("python_modules").symlink_to(sys.prefix)
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=1"]
    command = ["npm", "install", *options, f"motia@{VERSION}"]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=INSTALL_S)
    except subprocess.SubprocessError as error:
        raise NotMeasuredError(f"npm could not install motia@{VERSION}: {type(error).__name__}") from error


@contextmanager
def running(parent: Path, path: str, redis_url: str) -> Iterator[int]:
    """Install and serve it on loopback; gives its port."""
    folder, port = parent / "motia", free_port()
    folder.mkdir()
    install(folder, path)
    env = {**os.environ, "REDIS_URL": redis_url, "MOTIA_ANALYTICS_DISABLED": "true", "LOG_LEVEL": "error"}
    env["NODE_OPTIONS"] = f"--require {folder / 'loopback.cjs'}"
    program = folder / "node_modules" / "motia" / "dist" / "cjs" / "cli.js"
    server = subprocess.Popen(
        ["node", str(program), "dev", "--port", str(port)],
        cwd=folder,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        ends = time.monotonic() + START_S
        while not _answers(port):
            if server.poll() is not None or time.monotonic() > ends:
                raise NotMeasuredError(f"motia@{VERSION} did not start")
            time.sleep(0.2)
        yield port
    finally:
        end_group(server)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/motia/analytics/status")
        return connection.getresponse().status < 500
    except OSError:
        return False
    finally:
        connection.close()
