"""Every target alone, as the framework serves it: each answer says each header once and is as long as it says."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import proxy_rig as rig
import pytest
from framing import mistakes
from processes import environment, eventually, get, process
from redis_server import free_port

sys.path.insert(0, str(Path(__file__).parents[1] / "entries"))

from first_calls import CALLS, EVENTS, House, house

ANSWER = b"HTTP/1.1 %s\r\n%s\r\n\r\n%s"


@pytest.fixture(scope="module")
def around(tmp_path_factory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("house")) as found:
        yield found


def sent(method: str, path: str, kind: str, body: str) -> bytes:
    raw = body.encode()
    lines = (f"{method} {path} HTTP/1.1", "Host: us", f"Content-Type: {kind}", f"Content-Length: {len(raw)}")
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + raw


@pytest.mark.parametrize("target", CALLS)
def test_every_answer_of_a_target_is_framed_once(target, around, tmp_path):
    method, path, body, kind = around.ready(target)
    port, signature = free_port(), "cloudevent" if kind == EVENTS else "http"
    command = ["--target", target, "--source", f"functions/{CALLS[target].folder}/main.py", "--port", str(port)]
    env = environment(**{**around.env, "EVENT_TRANSPORT": "redis"})
    with process("-m", "functions_framework", *command, "--signature-type", signature, env=env, log=tmp_path / "log"):
        eventually(lambda: get(f"http://127.0.0.1:{port}/health")[0], 30)
        calls = {
            "good": (method, path, kind, body),
            "good again": (method, path, kind, body),
            "broken body": ("POST", path, kind, "{"),
            "empty": ("POST", path, kind, ""),
            "other method": ("PATCH", path, kind, body),
            "head": ("HEAD", path, kind, ""),
            "options": ("OPTIONS", path, kind, ""),
            "nowhere": ("GET", f"{path}/nowhere", kind, ""),
            "health": ("GET", "/health", kind, ""),
            "ready": ("GET", "/ready", kind, ""),
            "metrics": ("GET", "/metrics", kind, ""),
        }
        found = {name: mistakes(rig.raw(port, sent(*call)), call[0]) for name, call in calls.items()}
    assert not {name: wrong for name, wrong in found.items() if wrong}


@pytest.mark.parametrize(
    ("status", "head", "body", "wrong"),
    [
        (b"200 OK", b"Content-Length: 2", b"{}", []),
        (b"200 OK", b"Content-Length: 2\r\nContent-Length: 2", b"{}", ["content-length is said 2 times"]),
        (b"200 OK", b"X: 1", b"{}", ["a 200 says its length not at all"]),
        (b"200 OK", b"Content-Length: 2\r\nTransfer-Encoding: chunked", b"{}", ["a 200 says its length twice"]),
        (b"200 OK", b"Content-Length: 3", b"{}", ["the body has 2 bytes instead of 3"]),
        (b"204 No Content", b"Content-Length: 0", b"", ["a 204 says content-length"]),
        (b"204 No Content", b"Set-Cookie: a\r\nSet-Cookie: b", b"x", ["a body where none may be"]),
    ],
)
def test_the_judge_sees_each_mistake(status, head, body, wrong):
    assert mistakes(ANSWER % (status, head, body)) == wrong
