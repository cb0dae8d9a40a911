"""One HTTP client for every upstream: pooled, always with a timeout, never redirected, retried only where safe."""

from __future__ import annotations

import email.message
import email.utils
import json
import os
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Protocol

import requests

from shared import metrics
from shared.errors import (
    UpstreamAuthenticationError,
    UpstreamMalformedError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from shared.whole import TooLongError, WholeAnswers

AGAIN_STATUS = frozenset({502, 503, 504})
MAX_GET_RETRIES = 2
FAILURES = frozenset({401, 403, 408, 429})  # with 5xx: answers that speak of the upstream, not of one record
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
LONGEST_PAUSE_S = 5.0  # an upstream that wants a longer pause gets it from the queue, not from a waiting thread


def new_session(pool: int = 32) -> requests.Session:
    """Make a session that keeps connections, no cookies, and nothing from the environment or ~/.netrc.

    Only SSL_CERT_FILE counts, with which OpenSSL's other users in this process find a firm's own authority.
    """
    session = requests.Session()
    session.trust_env = False
    session.verify = os.environ.get("SSL_CERT_FILE") or True
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = WholeAnswers(pool_connections=8, pool_maxsize=pool, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def retry_after_s(value: str | None, *, now: float | None = None, cap: float = 300.0) -> float | None:
    """Read a Retry-After header (seconds or a date); nonsense and negative values count as absent."""
    if not value:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), cap)
    try:
        moment = email.utils.parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
    wait = moment - (time.time() if now is None else now)
    return min(wait, cap) if wait > 0 else None


class Witness(Protocol):
    """Hears of every good answer of an upstream and, with its reason, of every failure."""

    def __call__(self, upstream: str, failure: str = "") -> None:
        """Take note of it."""


def nobody(upstream: str, failure: str = "") -> None:
    """Take no note."""


def bear_witness(answered: Witness, upstream: str, status: int) -> None:
    """Tell whether an answer shows that an upstream works or that it does not; most refusals show neither."""
    if 200 <= status < 300:
        answered(upstream)
    elif status >= 500 or status in FAILURES:
        answered(upstream, str(status))


@dataclass
class HttpClient:
    """Calls one upstream and translates its failures once."""

    upstream: str
    timeout_s: float
    session: requests.Session = field(default_factory=new_session)
    sleep: Callable[[float], None] = time.sleep
    answered: Witness = nobody
    get_retries: int = MAX_GET_RETRIES

    def send(  # noqa: PLR0913  the parts of a request
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        data: bytes | str | None = None,
    ) -> requests.Response:
        """Send one call and return whatever answer came; GET is repeated at most `get_retries` times.

        Raises UpstreamTimeoutError when no answer came in time (a write may have happened) and
        UpstreamUnavailableError when there was no connection.
        """
        attempt = 0
        while True:
            try:
                response = self._once(method, url, headers=headers, params=params, json=json, data=data)
            except UpstreamUnavailableError as error:
                if method != "GET" or attempt >= self.get_retries or isinstance(error, UpstreamTimeoutError):
                    raise
                pause: float | None = None
            else:
                if method != "GET" or response.status_code not in AGAIN_STATUS or attempt >= self.get_retries:
                    return response
                pause = retry_after_s(response.headers.get("Retry-After"))
                if pause is not None and pause > LONGEST_PAUSE_S:
                    return response
            attempt += 1
            self.sleep(pause if pause is not None else random.uniform(0.05, 0.25) * 2**attempt)  # noqa: S311

    def _once(self, method: str, url: str, **parts: Any) -> requests.Response:
        started = time.monotonic()
        outcome = "error"
        try:
            response = self.session.request(
                method, url, timeout=(min(5.0, self.timeout_s), self.timeout_s), allow_redirects=False, **parts
            )
            outcome = f"{response.status_code // 100}xx"
            bear_witness(self.answered, self.upstream, response.status_code)
            return response
        except requests.Timeout as error:
            outcome = "timeout"
            self.answered(self.upstream, outcome)
            raise UpstreamTimeoutError(self.upstream, f"{self.upstream} did not answer in time") from error
        except (TooLongError, requests.exceptions.ContentDecodingError) as error:
            raise UpstreamMalformedError(self.upstream, f"{self.upstream} answered unreadably or too long") from error
        except requests.RequestException as error:
            self.answered(self.upstream, "unreachable")
            raise UpstreamUnavailableError(self.upstream, f"{self.upstream} could not be reached") from error
        finally:
            metrics.UPSTREAM_CALLS.labels(self.upstream, outcome).inc()
            metrics.UPSTREAM_SECONDS.labels(self.upstream).observe(time.monotonic() - started)


def raise_for(upstream: str, response: requests.Response) -> None:
    """Raise the error that an answer outside 200–299 stands for; the upstream's text is never repeated."""
    status = response.status_code
    if 200 <= status < 300:
        return
    wait = int(retry_after_s(response.headers.get("Retry-After")) or 5)
    if status == 401:
        raise UpstreamAuthenticationError(upstream, f"{upstream} answered 401", upstream_status=status)
    if status in {408, 429} or status >= 500:
        raise UpstreamUnavailableError(
            upstream, f"{upstream} answered {status}", upstream_status=status, retry_after_s=wait
        )
    if status < 400:
        raise UpstreamMalformedError(upstream, f"{upstream} answered {status}", upstream_status=status)
    raise UpstreamRejectedError(upstream, f"{upstream} answered {status}", upstream_status=status)


def json_of(upstream: str, response: requests.Response) -> Any:
    """Read an answer as JSON; an HTML page, a cut body, broken bytes or a wrong type is a failure, never a result.

    Without a charset the bytes tell the encoding (RFC 8259, with the mark that some servers put in front). Half a pair
    of escapes, which a server writes that cuts texts by length, becomes U+FFFD: no other system would take it.
    """
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if not (kind == "application/json" or kind.endswith("+json")):
        raise UpstreamMalformedError(upstream, f"{upstream} answered no JSON", upstream_status=response.status_code)
    try:
        text = _text_of(response)
        value = json.loads(text)
        return _without_halves(value) if _SURROGATE.search(text) else value
    except (ValueError, LookupError, RecursionError) as error:
        raise UpstreamMalformedError(
            upstream, f"{upstream} answered unreadable JSON", upstream_status=response.status_code
        ) from error


def _text_of(response: requests.Response) -> str:
    """Decode strictly: a name with a replaced letter would travel on into calendars and registers."""
    head = email.message.Message()
    head["Content-Type"] = response.headers["Content-Type"]
    charset = head.get_content_charset() or json.detect_encoding(response.content)
    return response.content.decode(charset).removeprefix("\ufeff")


def _without_halves(value: Any) -> Any:
    whole = json.dumps(value, ensure_ascii=False).encode("utf-16", "surrogatepass")
    return json.loads(whole.decode("utf-16", "replace"))
