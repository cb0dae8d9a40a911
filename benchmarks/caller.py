"""Callers that cost little: every request is made and signed before the clock starts, answers are only counted."""

from __future__ import annotations

import json
import re
import socket
import threading
import time

from shared.espocrm.signature import sign

ENOUGH, _LENGTH = 65_536, re.compile(rb"content-length: (\d+)", re.IGNORECASE)
PATH, WEBHOOK = "/vmh/webhook/beteiligte/update", ("6b04f6cb7536b613d", "5b2ad7d3f7a3502bf6058bd6d9f06a53")


def delivery(number: int) -> bytes:
    """Make the request that tells of one record's change."""
    raw = json.dumps([{"id": f"{number:017x}", "lastName": "Groß", "emailAddress": "a@example.org"}]).encode()
    headers = {"Host": "127.0.0.1", "Content-Type": "application/json", "Content-Length": str(len(raw))}
    lines = [f"POST {PATH} HTTP/1.1", *(f"{name}: {value}" for name, value in (headers | sign(raw, *WEBHOOK)).items())]
    return "\r\n".join([*lines, "", ""]).encode() + raw


def sequential(port: int, count: int, first: int) -> list[float]:
    """Time one call after the other, in milliseconds."""
    times: list[float] = []
    with _connection(port) as to:
        for request in [delivery(number) for number in range(first, first + count)]:
            began = time.perf_counter()
            _call(to, request)
            times.append((time.perf_counter() - began) * 1000)
    return times


def throughput(port: int, count: int, first: int, callers: int = 4) -> float:
    """Count answers per second of several callers, each over a connection of its own."""
    share, failed = count // callers, list[BaseException]()
    requests = [[delivery(first + each * count + number) for number in range(share)] for each in range(callers)]

    def work(mine: list[bytes]) -> None:
        try:
            with _connection(port) as to:
                for request in mine:
                    _call(to, request)
        except BaseException as error:  # noqa: BLE001 - told by whoever waits
            failed.append(error)

    threads = [threading.Thread(target=work, args=(mine,)) for mine in requests]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return callers * share / (time.perf_counter() - began)


def _connection(port: int) -> socket.socket:
    to = socket.create_connection(("127.0.0.1", port), timeout=30)
    to.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return to


def _call(to: socket.socket, request: bytes) -> None:
    """Send a request and take its answer to the end; parsing it properly would cost more than all the rest."""
    to.sendall(request)
    answer = to.recv(ENOUGH)
    while not _is_whole(answer):
        more = to.recv(ENOUGH)
        assert more, "the answer broke off"
        answer += more
    assert answer.startswith(b"HTTP/1.1 200 "), answer[:40]


def _is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return bool(end) and (len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n"))
