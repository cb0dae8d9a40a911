"""Calls to a double without a network, each of which a test can watch, prevent, or cut off."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from werkzeug.test import EnvironBuilder, run_wsgi_app

from sandbox.double import Double

Watcher = Callable[[str], None]


class Crash(BaseException):
    """The process dies here."""


class Wire:
    """Numbers the calls of all clients; `before` and `after` hear each call's name and may raise."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.before: Callable[[int, str], None] | None = None
        self.after: Callable[[int, str], None] | None = None
        self.late: tuple[int, list[Callable[[], Any]]] | None = None

    def reset(self) -> None:
        """Start numbering anew and watch nothing."""
        self.names, self.before, self.after, self.late = [], None, None, None

    def crash(self, at: int, *, done: bool) -> None:
        """Let the process die before call `at`, or when it is done and before its answer arrives."""

        def die(number: int, _name: str) -> None:
            if number == at:
                raise Crash

        self.reset()
        self.before, self.after = (None, die) if done else (die, None)

    def lose(self, at: int) -> None:
        """Let call `at` be carried out, but its answer be lost."""

        def hang_up(number: int, _name: str) -> None:
            if number == at:
                raise requests.ConnectionError("the answer was lost")

        self.reset()
        self.after = hang_up


class Direct(BaseAdapter):
    """Carries a client's requests to a double in the same process."""

    def __init__(self, name: str, double: Double, wire: Wire) -> None:
        super().__init__()
        self._name, self._double, self._wire = name, double, wire

    def send(self, request: requests.PreparedRequest, **_options: Any) -> requests.Response:  # type: ignore[override]
        """Send one request."""
        name = f"{self._name} {request.method} {_shape(str(request.path_url))}"
        number = len(self._wire.names)
        self._wire.names.append(name)
        if self._wire.before:
            self._wire.before(number, name)
        if self._wire.late and self._wire.late[0] == number:
            self._wire.late[1].append(lambda: self._carry(request))
            raise requests.ReadTimeout("no answer in time")
        response = self._carry(request)
        if self._wire.after:
            self._wire.after(number, name)
        return response

    def _carry(self, request: requests.PreparedRequest) -> requests.Response:
        headers = {key: value for key, value in request.headers.items() if key.lower() != "accept-encoding"}
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        environ = EnvironBuilder(
            path=str(request.path_url),
            base_url=f"http://{self._name}.test/",
            method=request.method,
            headers=headers,
            data=body,
        ).get_environ()
        try:
            chunks, status, answered = run_wsgi_app(self._double, environ, buffered=True)
            content = b"".join(chunks)
        except ConnectionError as error:
            raise requests.ConnectionError("hung up") from error
        response = requests.Response()
        response.status_code = int(status.split()[0])
        response.headers = CaseInsensitiveDict(answered.items())
        response.url, response.request = str(request.url), request
        response.raw = io.BytesIO(content)
        response._content = content
        return response

    def close(self) -> None:
        """Have nothing to close."""


def _shape(path: str) -> str:
    """Name what a path means, without the ids in it."""
    plain, _, query = path.partition("?")
    parts = plain.strip("/").split("/")
    if "events" in parts:
        place = parts.index("events")
        kind = "event" if len(parts) > place + 1 else "events"
        return kind + (" delta" if "syncToken" in query else "")
    if parts[0] == "appointments" and len(parts) > 1:
        return "appointment"
    return "acl" if parts[-1] == "acl" else parts[-1]
