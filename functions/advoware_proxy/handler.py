"""Pass one call on with our token, and the answer back as it came."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Response

from functions.advoware_proxy.answering import Extra, now, streamed_answer, whole_answer
from functions.advoware_proxy.audit import Audit
from functions.advoware_proxy.body import Body
from functions.advoware_proxy.cache import LARGEST, Kept, Look, ResponseCache, Rules, entry_key
from functions.advoware_proxy.errors import CutShortError, LateError, RefusedError, UnreachableError
from functions.advoware_proxy.passage import AllowList, check_method, headers_back, headers_up
from functions.advoware_proxy.sending import Errand, Sender
from functions.advoware_proxy.stream import Answer
from functions.advoware_proxy.target import read_target
from shared import metrics
from shared.errors import IntegrationError, UnavailableError
from shared.web.call import Call

CALLER_S = 60.0  # a caller who neither sends nor takes anything for so long is gone


@dataclass
class Proxy:
    """Everything that one call needs."""

    sender: Sender
    allow: AllowList
    rules: Rules
    cache: ResponseCache
    max_body: int
    hosts: tuple[str, ...]
    timeout_s: float

    def pass_on(self, call: Call) -> Response:
        """Answer one call; raises the error of ours that stands for what went wrong."""
        audit = Audit(call.request.method, call.request_id)
        try:
            errand = self._admit(call, audit)
            audit.bytes_in = errand.body.size
            if errand.method == "GET":
                return self._read(errand)
            return self._write(errand)
        except IntegrationError as error:
            audit.write(error.status, 0)
            raise
        except Exception:
            audit.write(500, 0)
            raise

    def _admit(self, call: Call, audit: Audit) -> Errand:
        environ = call.request.environ
        check_method(call.request.method)
        target = read_target(environ)
        audit.name(target.segments[0])
        self.allow.check(call.request.method, target)
        headers = [*headers_up(environ), ("X-Request-Id", call.request_id)]
        _limit_patience(environ)
        return Errand(call.request.method, target, headers, Body(call.request, self.max_body), environ, audit)

    def _write(self, errand: Errand) -> Response:
        if not self.rules.any:
            return self._passed(errand, self.sender.send(errand))
        with self.cache.writing(errand.target) as over:
            try:
                answer = self.sender.send(errand)
            except (RefusedError, UnavailableError):  # nobody acted on it
                over()
                raise
            over()
        return self._passed(errand, answer)

    def _read(self, errand: Errand) -> Response:
        seconds = self.rules.seconds(errand.target)
        if not seconds:
            return self._passed(errand, self.sender.send(errand))
        if errand.body.size or not wants_cache(errand.asked):
            return self._passed(errand, self.sender.send(errand), "BYPASS")
        return self._cached(errand, seconds)

    def _cached(self, errand: Errand, seconds: int) -> Response:
        key, waited = entry_key(errand.target), False
        while True:
            look = self.cache.look(errand.target)
            if look.kept and fits(look.kept, errand.asked):
                return self._hit(errand, look.kept)
            flight = None if waited or not look.generation else self.cache.flights.join(key)
            if flight is None:
                break
            waited = True
            flight.wait(self.timeout_s)
        try:
            return self._filled(errand, look, seconds)
        finally:
            if not waited and look.generation:
                self.cache.flights.land(key)

    def _hit(self, errand: Errand, kept: Kept) -> Response:
        self._count(errand, "HIT")
        headers = Extra("HIT", kept.age_s(now())).onto(kept.headers)
        return whole_answer(kept, headers, lambda sent, whole: errand.audit.write(200, sent, whole=whole))

    def _filled(self, errand: Errand, look: Look, seconds: int) -> Response:
        asked_at = now()
        answer = self.sender.send(errand)
        if answer.status != 200 or not look.generation:
            return self._passed(errand, answer, "MISS")
        with _before_anything_is_said():
            body, complete = answer.read_most(LARGEST)
        if not complete:
            return self._passed(errand, answer, "MISS", body)
        self._count(errand, "MISS")
        kept = Kept(answer.reason, headers_back(answer.headers, self.hosts), body, asked_at, look.generation)
        self.cache.keep(errand.target, kept, seconds)
        return whole_answer(
            kept, Extra("MISS").onto(kept.headers), lambda sent, whole: errand.audit.write(200, sent, whole=whole)
        )

    def _passed(self, errand: Errand, answer: Answer, cache: str = "", prefix: bytes = b"") -> Response:
        if cache:
            self._count(errand, cache)
        errand.audit.bytes_in = errand.body.size

        def done(sent: int, whole: bool) -> None:
            errand.audit.write(answer.status, sent, whole=whole)
            if not whole and answer.length is None and errand.asked.get("SERVER_PROTOCOL") == "HTTP/1.0":
                _reset(errand.asked)

        with _before_anything_is_said():
            prefix = prefix or answer.read()
        headers = Extra(cache).onto(headers_back(answer.headers, self.hosts))
        return streamed_answer(answer, headers, done, prefix)

    def _count(self, errand: Errand, outcome: str) -> None:
        errand.audit.cache = outcome
        metrics.PROXY_CACHE.labels(outcome).inc()


@contextlib.contextmanager
def _before_anything_is_said() -> Iterator[None]:
    """Turn an answer that breaks off early into an error of ours; later only breaking the connection is left."""
    try:
        yield
    except CutShortError as error:
        kind = LateError if isinstance(error.__cause__, TimeoutError) else UnreachableError
        raise kind("Advoware's answer broke off.") from error


def wants_cache(asked: Mapping[str, Any]) -> bool:
    """Tell whether a caller takes a kept answer: not when asking for a fresh one or for a part."""
    words = f"{asked.get('HTTP_CACHE_CONTROL', '')},{asked.get('HTTP_PRAGMA', '')}".lower()
    directives = {word.strip().replace(" ", "") for word in words.split(",")}
    return not directives & {"no-cache", "no-store", "max-age=0"} and "HTTP_RANGE" not in asked


def fits(kept: Kept, asked: Mapping[str, Any]) -> bool:
    """Tell whether a caller can read the form in which an answer was kept."""
    if kept.coding in {"", "identity"}:
        return True
    accepted = [word.strip().lower() for word in str(asked.get("HTTP_ACCEPT_ENCODING", "")).split(",")]
    return any(word.partition(";")[0] in {kept.coding, "*"} and not word.endswith("q=0") for word in accepted)


def _reset(environ: Mapping[str, Any]) -> None:
    """Break a connection so that HTTP/1.0, to which every end looks like a good one, sees that this one is none."""
    sock = environ.get("gunicorn.socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()


def _limit_patience(environ: Mapping[str, Any]) -> None:
    sock = environ.get("gunicorn.socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.settimeout(CALLER_S)
