"""Turn what came from Advoware, or from the cache, into a response that keeps its own headers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import Headers as WerkzeugHeaders
from werkzeug.wrappers import Response

from functions.advoware_proxy.cache import Kept
from functions.advoware_proxy.passage import Headers
from functions.advoware_proxy.stream import Answer

BODILESS = frozenset({204, 304})
Done = Callable[[int, bool], None]


class Passing:
    """A body on its way to the caller; says at the end how many bytes went and whether that was all."""

    def __init__(self, answer: Answer, done: Done, prefix: bytes = b"") -> None:
        self._answer, self._done, self._prefix = answer, done, prefix
        self._sent, self._whole, self._over = 0, False, False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        part, self._prefix = self._prefix or self._answer.read(), b""
        if not part:
            self._whole = True
            self.close()
            raise StopIteration
        self._sent += len(part)
        return part

    def close(self) -> None:
        """Let go of the connection to Advoware, whole or not."""
        if not self._over:
            self._over = True
            self._answer.close()
            self._done(self._sent, self._whole)


@dataclass(frozen=True)
class Extra:
    """Headers of ours on top of Advoware's."""

    cache: str = ""
    age_s: int | None = None

    def onto(self, headers: Headers) -> Headers:
        """Put them in the place of headers with the same names."""
        ours = [("X-Cache", self.cache)] if self.cache else []
        ours += [("Age", str(self.age_s))] if self.age_s is not None else []
        names = {name.lower() for name, _ in ours}
        return [each for each in headers if each[0].lower() not in names] + ours


def streamed_answer(answer: Answer, headers: Headers, done: Done, prefix: bytes = b"") -> Response:
    """Pass an answer on piece by piece."""
    if answer.status in BODILESS:
        answer.discard()
        done(0, True)
        return _response(answer.status, answer.reason, _with_length(headers, answer.announced), iter(()))
    body = Passing(answer, done, prefix)
    return _response(answer.status, answer.reason, _with_length(headers, answer.length), body)


def whole_answer(kept: Kept, headers: Headers, done: Done) -> Response:
    """Answer with a body that is there."""
    done(len(kept.body), True)
    return _response(200, kept.reason, _with_length(headers, len(kept.body)), iter((kept.body,)))


def _with_length(headers: Headers, length: int | None) -> Headers:
    return headers if length is None else [*headers, ("Content-Length", str(length))]


def _response(status: int, reason: str, headers: Headers, body: Any) -> Response:
    response = Response(body, status=f"{status} {_plain(reason)}".rstrip(), headers=WerkzeugHeaders(headers))
    if not any(name.lower() == "content-type" for name, _ in headers):
        response.headers.pop("Content-Type", None)
    # werkzeug would rewrite Location and drop headers of a 304; set on the object, because Flask changes its class
    response.get_wsgi_headers = lambda environ: response.headers  # type: ignore[method-assign]  # noqa: ARG005
    return response


def _plain(reason: str) -> str:
    return "".join(each for each in reason if " " <= each <= "~")


def now() -> float:
    """Read the clock that all processes share."""
    return time.time()
