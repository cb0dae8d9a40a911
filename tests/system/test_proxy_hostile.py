"""Raw requests of somebody who means harm: nothing forbidden reaches Advoware, no 5xx of our own, nothing leaks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import proxy_rig as rig
import pytest
from redis_server import running as redis_running

GATE = "gate-secret-of-ours"
CALLER = "caller-secret-of-theirs"
REFUSALS = {400, 401, 403, 404, 405, 413, 414, 417, 431, 501}


@dataclass(frozen=True)
class Attack:
    """One request: its bytes, and whether a harmless rest of it may arrive."""

    name: str
    request: bytes
    may_pass: bool = False


def request(line: str, *lines: str, body: bytes = b"", host: str = "Host: proxy.example") -> bytes:
    head = [line, *([host] if host else []), f"X-Gateway-Secret: {GATE}", *lines, "Connection: close"]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


def path_attacks() -> Iterator[Attack]:
    dots = ["..", "%2e%2e", "%2E%2e", ".%2e", "%2e.", "%252e%252e", "%25252e%25252e", "%c0%ae%c0%ae", "%u002e%u002e"]
    dots += ["%e0%80%ae%e0%80%ae", "%ef%bc%8e%ef%bc%8e", "..%00", "..%20", "..;", "..;x=1", "%2e%2e%3b", "...%2f", "."]
    slashes = ["/", "%2f", "%2F", "%5c", "\\", "%252f", "%c0%af", "%e0%80%af", "//"]
    for dot in dots:
        for slash in slashes:
            yield Attack(f"climb {dot} {slash}", request(f"GET /advoware/a{slash}{dot}{slash}forbidden HTTP/1.1"))
    for dot in dots[:6]:
        yield Attack(f"climb out {dot}", request(f"GET /advoware/{dot}/{dot}/forbidden HTTP/1.1"))
        yield Attack(f"end {dot}", request(f"DELETE /advoware/a/{dot} HTTP/1.1"))
    for path in [
        "a;b",
        "a;jsessionid=1/forbidden",
        "a//forbidden",
        "/forbidden",
        "//evil.example/",
        "a%00",
        "a%",
        "a%0d%0aX-Evil:%201",
    ]:
        yield Attack(f"path {path}", request(f"PUT /advoware/{path} HTTP/1.1", "Content-Length: 0"))


def target_attacks() -> Iterator[Attack]:
    for target in [
        "http://evil.example/advoware/forbidden",
        "https://evil.example/advoware/forbidden",
        "http://127.0.0.1:1/advoware/forbidden",
        "http:///advoware/forbidden",
        "HTTP://proxy.example/advoware/forbidden",
        "ftp://x/advoware/forbidden",
        "//evil.example/advoware/forbidden",
        "///advoware/forbidden",
        "*",
        "evil.example:443",
        "advoware/forbidden",
        "/advoware/http://evil.example/forbidden",
        "/advoware/http:%2f%2fevil.example/forbidden",
        "/advoware/http:evil.example/forbidden",
        "/advoware/evil.example:80/forbidden",
        "/advoware/forbidden#x",
        "/advoware/a?x#forbidden",
        "/advoware/a\tforbidden",
        "/advoware/a forbidden",
        "/advoware/a\x00forbidden",
        "/advoware/\xe4forbidden",
        "/advoware/a\x7fforbidden",
        "/%61dvoware/forbidden",
        "/advoware%2fforbidden",
        "/ADVOWARE/forbidden",
        "/advoware",
        "/x/../advoware/forbidden",
        "/advoware/" + "a" * 20_000,
        "/advoware/a?" + "b" * 20_000,
        "/advoware/" + "a/" * 9_000,
        "/advoware/a?" + "c" * 400_000,
    ]:
        yield Attack(f"target {target[:60]}", request(f"GET {target} HTTP/1.1"))
    for method in [
        "HEAD",
        "PATCH",
        "OPTIONS",
        "TRACE",
        "CONNECT",
        "get",
        "Get",
        "G ET",
        "",
        "GET\x00",
        "DEBUG",
        "M" * 300,
    ]:
        yield Attack(f"method {method[:10]}", request(f"{method} /advoware/forbidden HTTP/1.1"))
    for version in ["HTTP/2.0", "HTTP/0.9", "HTTP/1.10", "http/1.1", "HTTP/1.1 x", "", "HTTPS/1.1"]:
        yield Attack(f"version {version}", request(f"GET /advoware/forbidden {version}"))


def host_attacks() -> Iterator[Attack]:
    for host in ["evil.example", "evil.example@proxy", "proxy.example:99999", "127.0.0.1:1", "", "a b", "[::1"]:
        yield Attack(f"host {host}", request("GET /advoware/echo HTTP/1.1", host=f"Host: {host}"), may_pass=True)
    yield Attack("two hosts", request("GET /advoware/forbidden HTTP/1.1", "Host: evil.example"))
    yield Attack("no host", request("GET /advoware/echo HTTP/1.1", host=""), may_pass=True)
    for name in [
        "X-Forwarded-Host", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Prefix", "X-Forwarded-Server",
        "Forwarded",
        "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "Cookie",
        "Authorization", "Proxy-Authorization", "Proxy-Connection", "Proxy", "X-API-Key", "apikey", "SCRIPT_NAME",
        "PATH_INFO", "X_Forwarded_Host", "X_API_Key", "REQUEST_URI", "TE", "Trailer", "Upgrade", "Keep-Alive",
    ]:  # fmt: skip
        lines = [f"{name}: {CALLER}"]
        yield Attack(f"header {name}", request("GET /advoware/echo HTTP/1.1", *lines), may_pass=True)


def connection_attacks() -> Iterator[Attack]:
    for named in [
        "Authorization",
        "X-Request-ID",
        "Host, Content-Length",
        "close, authorization",
        "X-Gateway-Secret",
        "AUTHORIZATION,,,",
    ]:
        lines = [f"Connection: {named}", f"Authorization: Bearer {CALLER}"]
        yield Attack(f"connection {named}", request("GET /advoware/echo HTTP/1.1", *lines), may_pass=True)
    yield Attack(
        "upgrade", request("GET /advoware/echo HTTP/1.1", "Connection: Upgrade", "Upgrade: h2c"), may_pass=True
    )
    lines = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"]
    yield Attack("h2c", request("GET /advoware/echo HTTP/1.1", *lines), may_pass=True)
    yield Attack("h2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")


SMUGGLED = b"GET /advoware/forbidden HTTP/1.1\r\nHost: a\r\n\r\n"


def framing_attacks() -> Iterator[Attack]:
    chunked = b"0\r\n\r\n"
    for first, second in [
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 60"),
    ]:
        yield Attack(
            f"{first} and {second}", request("POST /advoware/a HTTP/1.1", first, second, body=chunked + SMUGGLED)
        )
    for coding in [
        "xchunked",
        "chunked, identity",
        "identity, chunked",
        "gzip, chunked",
        "chunked, chunked",
        "Chunked\x0b",
        "\x0bchunked",
        "identity",
        "",
        "chunked;q=1",
        "'chunked'",
    ]:
        lines = [f"Transfer-Encoding: {coding}"]
        yield Attack(f"coding {coding!r}", request("POST /advoware/a HTTP/1.1", *lines, body=chunked + SMUGGLED))
    for line in [
        "Transfer-Encoding : chunked",
        " Transfer-Encoding: chunked",
        "Transfer-Encoding:\n chunked",
        "Transfer_Encoding: chunked",
        "X: y\nTransfer-Encoding: chunked",
        "X: y\rTransfer-Encoding: chunked",
    ]:
        yield Attack(
            f"line {line!r}",
            request("POST /advoware/a HTTP/1.1", line, "Content-Length: 5", body=chunked + SMUGGLED),
            may_pass="_" in line,
        )
    for length in [
        "-1",
        "+5",
        "5,5",
        "5, 6",
        "0x5",
        "5 5",
        "1e1",
        "\xb2",
        "99999999999999999999",
        "4294967296",
        "1_0",
        "5\x00",
    ]:
        yield Attack(
            f"length {length!r}",
            request("POST /advoware/a HTTP/1.1", f"Content-Length: {length}", body=b"12345" + SMUGGLED),
        )
    yield Attack(
        "two lengths",
        request("POST /advoware/a HTTP/1.1", "Content-Length: 5", "Content-Length: 6", body=b"12345" + SMUGGLED),
    )
    yield Attack(
        "same length twice",
        request("POST /advoware/a HTTP/1.1", "Content-Length: 5", "Content-Length: 5", body=b"12345" + SMUGGLED),
    )
    yield Attack("short body", request("POST /advoware/forbidden HTTP/1.1", "Content-Length: 500", body=b"12345"))
    yield Attack(
        "chunked in 1.0", request("POST /advoware/a HTTP/1.0", "Transfer-Encoding: chunked", body=chunked + SMUGGLED)
    )
    for chunks in [
        b"zz\r\nab\r\n0\r\n\r\n",
        b"-1\r\n\r\n0\r\n\r\n",
        b"5\r\nab",
        b"5\r\nabcdefgh\r\n0\r\n\r\n",
        b"0x2\r\nab\r\n0\r\n\r\n",
        b"1 1\r\na\r\n",
        b"2;a\nb\r\nab\r\n0\r\n\r\n",
        b"fffffffffffffffff\r\na",
        b"\r\n\r\n",
        b"",
    ]:
        yield Attack(
            f"chunks {chunks[:12]!r}",
            request("POST /advoware/forbidden HTTP/1.1", "Transfer-Encoding: chunked", body=chunks),
        )


def header_attacks() -> Iterator[Attack]:
    for line in [
        "X-A: a\nX-Evil: 1",
        "X-A: a\rX-Evil: 1",
        "X-A: a\x00b",
        "X-A: a\x01b",
        "X-A: a\x7f",
        "X A: 1",
        "X\x00A: 1",
        ": empty",
        "noname",
        "X-\xe4: 1",
        "X-A: 1\r\n folded",
        "X-A: 1\r\n\tX-Evil: 1",
    ]:
        yield Attack(f"header {line!r}", request("GET /advoware/forbidden HTTP/1.1", line))
    yield Attack("long header", request("GET /advoware/forbidden HTTP/1.1", "X-A: " + "a" * 70_000))
    yield Attack("long name", request("GET /advoware/forbidden HTTP/1.1", "X-" + "a" * 70_000 + ": 1"))
    yield Attack("many headers", request("GET /advoware/forbidden HTTP/1.1", *[f"X-{i}: 1" for i in range(500)]))
    for expect in ["200-ok", "100-continue, x"]:
        yield Attack(f"expect {expect}", request("GET /advoware/forbidden HTTP/1.1", f"Expect: {expect}"))
    yield Attack("no gate", b"GET /advoware/forbidden HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    yield Attack(
        "wrong gate", b"GET /advoware/forbidden HTTP/1.1\r\nHost: a\r\nX-Gateway-Secret: x\r\nConnection: close\r\n\r\n"
    )
    yield Attack("garbage", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    yield Attack("bare lf", b"GET /advoware/forbidden HTTP/1.1\nHost: a\n\n")


ATTACKS = [
    *path_attacks(), *target_attacks(), *host_attacks(), *connection_attacks(), *framing_attacks(), *header_attacks()
]  # fmt: skip


@pytest.fixture(scope="module")
def double() -> Iterator[rig.Recorder]:
    with rig.recording() as found:
        yield found


@pytest.fixture(scope="module", params=["framework", "app"])
def server(request, double, tmp_path_factory) -> Iterator[rig.Running]:
    with redis_running() as state:
        env = rig.settings(
            double,
            state.url,
            GATEWAY_SECRET=GATE,
            ADVOWARE_PROXY_ALLOW="GET:echo,GET:a,POST:a,PUT:a,DELETE:a,GET:,POST:",
        )
        with rig.running(request.param, env, tmp_path_factory.mktemp("hostile")) as found:
            rig.raw(found.port, request_of_all_days(), finish=False)
            yield found


def request_of_all_days() -> bytes:
    return request("GET /advoware/echo HTTP/1.1")


def test_there_are_enough_of_them():
    assert len(ATTACKS) >= 150
    assert len({attack.request for attack in ATTACKS}) == len(ATTACKS)


def secrets_of(double: rig.Recorder) -> list[str]:
    account = double.account
    return [*double.tokens._ends, account.password, account.api_key, account.app_id, GATE]


def judge(attack: Attack, answer: bytes, double: rig.Recorder) -> str:
    """Say what is wrong with the outcome; empty if nothing."""
    statuses = [int(found) for found in re.findall(rb"^HTTP/1\.[01] (\d{3})", answer, re.MULTILINE)]
    own = [status for status in statuses if status >= 500]
    if own and not (own == [501] and b"Transfer-Encoding" in attack.request):
        return f"answered {statuses}"  # 501 is what RFC 9112 6.1 wants for an unknown coding; gunicorn says it
    if any("forbidden" in seen.target for seen in double.seen):
        return f"reached Advoware: {[seen.target for seen in double.seen]}"
    if not attack.may_pass and double.seen:
        return f"reached Advoware: {[(seen.method, seen.target) for seen in double.seen]}"
    if not attack.may_pass and not set(statuses) <= REFUSALS:
        return f"answered {statuses}"
    return judge_headers(answer, double)


def judge_headers(answer: bytes, double: rig.Recorder) -> str:
    for seen in double.seen:
        values = [value for _, value in seen.headers]
        if any(CALLER in value or GATE in value for value in values):
            return f"carried {seen.headers}"
        hosts = [value for name, value in seen.headers if name.lower() == "host"]
        tokens = [value for name, value in seen.headers if name.lower() == "authorization"]
        if hosts != [f"127.0.0.1:{double.port}"] or len(tokens) != 1 or seen.header("x-evil"):
            return f"carried {seen.headers}"
    told = answer.decode("latin-1") if not double.seen else ""  # the echo shows our token on purpose
    leaks = [secret for secret in secrets_of(double) if secret in told]
    return f"leaked {leaks}" if leaks or f":{double.port}" in told else ""


def test_no_hostile_request_does_harm(server, double):
    wrong = []
    for attack in ATTACKS:
        double.seen.clear()
        answer = rig.raw(server.port, attack.request, timeout_s=3)
        if verdict := judge(attack, answer, double):
            wrong.append(f"{attack.name}: {verdict}")
    assert not wrong, "\n".join(wrong)


def test_afterwards_it_still_works_and_the_log_kept_quiet(server, double):
    answer = rig.raw(server.port, request_of_all_days(), finish=False)
    assert answer.startswith(b"HTTP/1.1 200")
    log = server.log.read_text()
    assert not [secret for secret in [*secrets_of(double), CALLER] if secret in log]
    assert "Traceback" not in log
    assert not server.lines("unexpected_error")
