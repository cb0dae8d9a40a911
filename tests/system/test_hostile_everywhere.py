"""Raw requests of somebody who means harm, at every HTTP target of the all-in-one: refused, or taken for what they are.

What the proxy may pass on is tried in `test_proxy_hostile.py`; here its bytes are sent to everybody else, and bodies
that are meant to break whoever reads them.
"""

from __future__ import annotations

import gzip
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import proxy_rig as rig
import pytest
from framing import mistakes
from processes import environment, eventually, get, process
from redis_server import free_port
from test_proxy_hostile import (
    Attack,
    connection_attacks,
    framing_attacks,
    header_attacks,
    host_attacks,
    request,
    target_attacks,
)

sys.path.insert(0, str(Path(__file__).parents[1] / "entries"))

from first_calls import house

POSTED = (
    "/vmh/webhook/beteiligte/update",
    "/vmh/reconcile",
    "/api/leads/vermieterhelden",
    "/leads/maintenance",
    "/threecx/webhook",
    "/threecx/calls",
    "/threecx/report-call",
    "/calendar/sync",
    "/calendar/cron",
    "/calendar/push",
    "/ops/relay",
    "/ops/deadletters/1-1/redrive",
    "/events/lead.received",
    "/events/vmh.beteiligte.update",
)
ASKED = (
    "/threecx/lookup?number=0511123456",
    "/threecx/screenpop?number=0511123456&exp=1&sig=x",
    "/threecx/calls/c-1",
    "/calendar/status",
    "/calendar/plan?kuerzel=SB",
    "/calendar/audit?kuerzel=SB",
    "/api/leads/newsletter/confirm?token=x",
    "/ops/deadletters",
    "/openapi.json",
    "/ready",
    "/metrics",
)
GUNICORN = ("-m", "gunicorn", "-c", "functions/gunicorn_conf.py")
GROWTH = 150 * 2**20  # of a process with eight threads, each with a body of a megabyte in hand
BOMB = gzip.compress(b"[" + b" " * 50_000_000 + b"]")


def bodies() -> Iterator[tuple[str, bytes, str]]:
    """Give a name, a body and its content type."""
    for depth in (33, 2_000, 200_000):
        yield f"arrays {depth}", b"[" * depth + b"]" * depth, "application/json"
        yield f"open arrays {depth}", b"[" * depth, "application/json"
        yield f"objects {depth}", b'{"a":' * depth + b"1" + b"}" * depth, "application/json"
    for number in (
        "9" * 5_000,
        "-" + "9" * 5_000,
        "1e999",
        "-1e999",
        "1e-999999999",
        "NaN",
        "-Infinity",
        "0x1F",
        "1_0",
    ):
        fields = ",".join(f'"{name}":{number}' for name in ("id", "call_id", "kuerzel", "number", "timestamp", "betNr"))
        yield f"numbers {number[:12]}", f"{{{fields}}}".encode(), "application/json"
        yield f"number {number[:12]}", number.encode(), "application/json"
    for text in (r"\u0000", r"\ud800", r"\udfff\ud800", r"\r\nX-Evil: 1", "\x7f", r"\u202e", "a" * 300_000):
        names = ("id", "event", "call_id", "kuerzel", "number", "caller", "email", "nachricht", "timestamp", "lead_id")
        fields = ",".join(f'"{name}":"{text}"' for name in names)
        yield f"texts {text[:8]!r}", f"{{{fields}}}".encode(), "application/json"
        yield f"list of texts {text[:8]!r}", f"[{{{fields}}}]".encode(), "application/json"
    for value in ("null", "true", "[]", "{}", '""', "[[]]", "[null]", "[{}]", '{"id":null}', '{"id":[]}', '{"id":{}}'):
        yield f"value {value}", value.encode(), "application/json"
    for raw in (
        b"",
        b"\0",
        b"\0" * 1_000,
        b"\xff\xfe{\0}\0",
        b"\xef\xbb\xbf",
        b"\xc0\xaf",
        b'"\xed\xa0\x80"',
        b"+AHs-",
    ):
        yield f"bytes {raw[:8]!r}", raw, "application/json"
    yield "same key twice", b'{"id":"a","id":"b"}', "application/json"
    yield "many keys", b"{" + b",".join(b'"k%d":1' % each for each in range(50_000)) + b"}", "application/json"
    yield "keys of the language", b'{"__proto__":{},"__class__":{},"constructor":{}}', "application/json"
    yield "too long", b" " * (2**20 + 1), "application/json"
    for kind in ("application/xml", "text/plain", "", "application/json; charset=utf-7", "application/" + "x" * 8_000):
        yield f"kind {kind[:20]}", b"{}", kind
    entities = b'<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a>&c;</a>'
    yield "entities", entities, "application/xml"
    yield "entities as JSON", entities, "application/json"
    yield "zip", b"PK\x03\x04" + b"\0" * 500, "application/json"
    yield "many parts", b"--x\r\n" * 20_000, "multipart/form-data; boundary=x"
    yield "no boundary", b"--x\r\n\r\n--x--", "multipart/form-data"
    yield "many fields", b"&".join(b"f%d=1" % each for each in range(50_000)), "application/x-www-form-urlencoded"
    yield "brackets", b"a" + b"[b]" * 5_000 + b"=1", "application/x-www-form-urlencoded"
    yield "bad escapes", b"a=%zz&%00=%FF&%=%", "application/x-www-form-urlencoded"


def body_attacks(path: str) -> Iterator[Attack]:
    for name, body, kind in bodies():
        lines = [f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
        yield Attack(name, request(f"POST {path} HTTP/1.1", *lines, body=body))
    for coding in ("gzip", "deflate", "br", "gzip, gzip", "identity"):
        lines = ["Content-Type: application/json", f"Content-Encoding: {coding}", f"Content-Length: {len(BOMB)}"]
        yield Attack(f"bomb {coding}", request(f"POST {path} HTTP/1.1", *lines, body=BOMB))


def query_attacks(path: str) -> Iterator[Attack]:
    bare = path.partition("?")[0]
    names = [name for name in ("number", "kuerzel", "token", "exp", "sig", "full") if name in path] or ["full", "limit"]
    for value in (
        "%00",
        "%FF%FE",
        "%ED%A0%80",
        "..%2f..",
        "%0d%0aX-Evil:1",
        "9" * 5_000,
        "1e999",
        "-1",
        "",
        "%zz",
        "%",
    ):
        yield Attack(f"query {value[:10]}", request(f"GET {bare}?{'&'.join(f'{n}={value}' for n in names)} HTTP/1.1"))
        yield Attack(f"end {value[:10]}", request(f"GET {bare}/{value} HTTP/1.1"))
    yield Attack("same name often", request(f"GET {bare}?{'&'.join(f'{n}=1' for n in names * 500)} HTTP/1.1"))


def redirected(attack: Attack, method: str, path: str) -> Attack:
    """Point an attack on the proxy at somebody else."""
    there = re.sub(rb"/advoware/(?:forbidden|echo|a)(?=[ ?#])", lambda _: path.encode(), attack.request)
    verb = re.sub(rb"\AGET (?=/)", method.encode() + b" ", there)
    return replace(attack, request=verb)


def attacks_on(method: str, path: str) -> list[Attack]:
    known = [*framing_attacks(), *header_attacks(), *connection_attacks(), *host_attacks(), *target_attacks()]
    found = [redirected(each, method, path) for each in known]
    return [*found, *(body_attacks(path) if method == "POST" else query_attacks(path))]


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[rig.Running]:
    directory, port = tmp_path_factory.mktemp("hostile"), free_port()
    log = directory / "app.log"
    with house(directory) as around:
        more = {"PORT": str(port), "HOST": "127.0.0.1", "THREADS": "8", "LOG_LEVEL": "WARNING"}
        with process(*GUNICORN, "functions.app:app", env=environment(**{**around.env, **more}), log=log) as running:
            found = rig.Running(port, running, log)
            eventually(lambda: get(f"{found.url}/health")[0] == 200, 30)
            yield found


def judge(attack: Attack, answer: bytes) -> str:
    """Say what is wrong with an answer; empty if nothing. No answer at all is one: the connection was cut."""
    statuses = [int(found) for found in re.findall(rb"^HTTP/1\.[01] (\d{3})", answer, re.MULTILINE)]
    if len(statuses) > 1:
        return f"answered {statuses}"
    if statuses and statuses[0] >= 500 and not (statuses == [501] and b"Transfer-Encoding" in attack.request):
        return f"answered {statuses}: {answer[-300:]!r}"
    head, _, body = answer.lower().partition(b"\r\n\r\n")
    if b"x-evil" in head or b"traceback" in body or b'file "/' in body:
        return f"told {answer[:300]!r}"
    return "; ".join(mistakes(answer, attack.request.partition(b" ")[0].decode("latin-1")) if statuses else [])


def test_they_are_many_and_no_two_the_same():
    for method, path in (("POST", "/x"), ("GET", "/y")):
        sent = [each.request for each in attacks_on(method, path)]
        assert len(sent) >= 150
        assert len(set(sent)) == len(sent)


@pytest.mark.parametrize(("method", "path"), [*(("POST", path) for path in POSTED), *(("GET", path) for path in ASKED)])
def test_no_hostile_request_does_harm(server, method, path):
    before = server.rss()
    attacks = attacks_on(method, path)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda attack: rig.raw(server.port, attack.request, timeout_s=20), attacks))
    found = {attack.name: judge(attack, answer) for attack, answer in zip(attacks, answers, strict=True)}
    wrong = {name: verdict for name, verdict in found.items() if verdict}
    assert not wrong, wrong
    assert server.rss() - before < GROWTH


def test_afterwards_it_still_answers_and_nothing_was_unexpected(server):
    assert get(f"{server.url}/health")[0] == 200
    log = server.log.read_text()
    assert "Traceback" not in log
    assert not server.lines("unexpected_error")
