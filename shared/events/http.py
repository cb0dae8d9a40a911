"""The transport of functions that call each other: one short POST of the structured event."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final, Protocol

from shared.events.cloudevent import CONTENT_TYPE, Event, structured

CONNECT_S: Final = 0.4
ANSWER_S: Final = 0.6  # one second in all


class Post(Protocol):
    """Posts one event and tells the status of the answer, or None when none came."""

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> int | None:
        """Send it."""
        ...


def variable(topic: str) -> str:
    """Name the setting with a topic's own address."""
    return f"EVENT_URL_{topic.replace('.', '_').upper()}"


def address(topic: str, base_url: str | None, environ: Mapping[str, str] | None = None) -> str | None:
    """Find where a topic's events go."""
    own = (os.environ if environ is None else environ).get(variable(topic), "").strip()
    return own or (f"{base_url}/{topic}" if base_url else None)


class HttpTransport:
    """Sends by POST to the address of the topic."""

    def __init__(self, base_url: str | None, secret: str | None = None, post: Post | None = None) -> None:
        self._base_url, self._secret, self._post = base_url, secret, _Poster() if post is None else post

    def __call__(self, event: Event, delay_s: float = 0) -> int | None:
        """Send it now or not at all."""
        url = address(event.type, self._base_url)
        if url is None or delay_s:
            return None
        headers = {"Content-Type": CONTENT_TYPE, "X-Request-ID": event.request_id}
        if self._secret:
            headers["X-Gateway-Secret"] = self._secret
        return self._post(url, structured(event), headers)


class _Poster:
    """Posts over pooled connections; the library is loaded when the first event goes out."""

    def __init__(self) -> None:
        self._session: Any = None

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> int | None:
        import requests

        from shared.http import new_session

        self._session = self._session or new_session()
        try:
            answer = self._session.post(
                url, data=body, headers=headers, timeout=(CONNECT_S, ANSWER_S), allow_redirects=False
            )
        except requests.RequestException:
            return None
        return int(answer.status_code)
