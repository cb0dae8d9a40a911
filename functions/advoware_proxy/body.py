"""Take the caller's body: short ones are kept for a second sending, long ones pass through in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

from werkzeug.wrappers import Request

from shared.errors import TooLargeError, UnreadableRequestError
from shared.web.reading import unread

KEPT = 1024 * 1024
CHUNK = 64 * 1024


class Body:
    """What a caller sends along: `kept` whole, or `length` bytes (None: nobody knows how many) in `parts`."""

    def __init__(self, request: Request, limit: int) -> None:
        """Read as much as may be kept; raises what to answer if the body cannot be taken."""
        self._limit = limit
        self.length = _declared(request.environ)
        self.announced = self.length is not None or transfer_coding(request.environ) is not None
        self.size = 0
        if (self.length or 0) > limit:
            raise _too_large(limit)
        self._stream = request.stream if self.announced else None
        self._head = self._read_head()
        self.kept = self._head if len(self._head) <= KEPT else None
        if self.kept is not None:
            self._check_end()
            self.length = self.size

    def parts(self) -> Iterator[bytes]:
        """Give the body piece by piece; a long one can be had only once."""
        yield self._head
        if self.kept is None:
            while part := self._read(CHUNK):
                yield part
            self._check_end()

    def _read_head(self) -> bytes:
        pieces, room = [], KEPT + 1
        while room > 0 and (piece := self._read(min(CHUNK, room))):
            pieces.append(piece)
            room -= len(piece)
        return b"".join(pieces)

    def _read(self, most: int) -> bytes:
        if self._stream is None:
            return b""
        part = _read(self._stream, most)
        self.size += len(part)
        if self.size > self._limit:
            raise _too_large(self._limit)
        return part

    def _check_end(self) -> None:
        if self.length is not None and self.size != self.length:
            raise UnreadableRequestError("The body ended before its announced length.")


def _read(stream: IO[bytes], most: int) -> bytes:
    try:
        return stream.read(most)
    except Exception as error:  # every server has errors of its own for a caller who is gone or sends nonsense
        raise unread(error) from error


def transfer_coding(environ: dict[str, Any]) -> str | None:
    """Say how a server took the body off the wire; a gateway's event holds it whole, whatever its headers say."""
    return None if "apig_wsgi.full_event" in environ else environ.get("HTTP_TRANSFER_ENCODING")


def _declared(environ: dict[str, Any]) -> int | None:
    """Read the announced length; two ways to say where a body ends are one too many."""
    length, coding = environ.get("CONTENT_LENGTH", ""), transfer_coding(environ)
    if coding is not None and (length or coding.strip().lower() != "chunked"):
        raise UnreadableRequestError("The end of the body cannot be told for certain.")
    if length in {"", None}:
        return None
    if not (length.isascii() and length.isdigit()):
        raise UnreadableRequestError("Content-Length is no number.")
    return int(length)


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(f"The body may have at most {limit} bytes.")
