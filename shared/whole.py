"""Read answers whole, or not at all: what comes in drops ends with the timeout, what has no end with a limit."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import DecodeError, HTTPError, ReadTimeoutError

from shared.last_look import look

LARGEST = 64 * 1024 * 1024  # no list of these upstreams comes near
_BLOCK = 64 * 1024


class TooLongError(requests.RequestException):
    """An answer has more bytes than anybody asked for."""


class WholeAnswers(HTTPAdapter):
    """Gives an answer one timeout for its head and one for its body, whereas sockets count from byte to byte."""

    def send(
        self, request: requests.PreparedRequest, stream: bool = False, timeout: Any = None, *args: Any, **more: Any
    ) -> requests.Response:
        """Send one request; who asks for a stream reads it himself."""
        if request.method != "GET":
            look()
        response = super().send(request, True, timeout, *args, **more)
        if not stream:
            patience_s = timeout[1] if isinstance(timeout, tuple) else timeout
            try:
                body = b"".join(_pieces(response.raw, patience_s))
            except BaseException:
                response.close()
                raise
            response.raw = io.BytesIO(body)
        return response


def _pieces(raw: Any, patience_s: float | None) -> Iterator[bytes]:
    """Read piece by piece; raises what `requests` would raise, and for a trickle what it should."""
    ends = float("inf") if patience_s is None else time.monotonic() + patience_s
    size = 0
    try:
        while piece := raw.read1(_BLOCK, decode_content=True):
            size += len(piece)
            if size > LARGEST:
                raise TooLongError("the answer is too long")
            if time.monotonic() > ends:
                raise requests.ReadTimeout("the answer takes too long")
            yield piece
    except ReadTimeoutError as error:
        raise requests.ReadTimeout("the answer takes too long") from error
    except DecodeError as error:
        raise requests.exceptions.ContentDecodingError("the answer cannot be unpacked") from error
    except HTTPError as error:
        raise requests.exceptions.ChunkedEncodingError("the answer broke off") from error
