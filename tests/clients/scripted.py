"""Answer a client's calls from a script, without a network."""

import json
from dataclasses import dataclass, field
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from shared.state.token import FetchedToken


def answer(status: int = 200, body: Any = None, kind: str = "application/json", **headers: str) -> requests.Response:
    """Make an answer; a text or bytes are sent as they are, anything else as JSON."""
    response = requests.Response()
    response.status_code = status
    if body is None:
        response._content = b""
    elif isinstance(body, str | bytes):
        response._content = body.encode() if isinstance(body, str) else body
    else:
        response._content = json.dumps(body).encode()
    typed = {"Content-Type": kind} if body is not None else {}
    response.headers = CaseInsensitiveDict({**typed, **{k.replace("_", "-"): v for k, v in headers.items()}})
    return response


HTML = answer(200, "<html>Wartung</html>", "text/html")


class Script(BaseAdapter):
    """Give the answers in order, the last one for ever, and remember what was sent."""

    def __init__(self, *answers: requests.Response | Exception) -> None:
        super().__init__()
        self.answers, self.sent = list(answers), []

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        self.sent.append(request)
        result = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(result, Exception):
            raise result
        result.request, result.url = request, request.url
        return result

    def close(self) -> None:
        """Keep nothing open."""

    def session(self) -> requests.Session:
        session = requests.Session()
        session.mount("http://", self)
        session.mount("https://", self)
        return session


@dataclass
class MemoryTokens:
    """Hand out token-1, token-2 … and remember what happened to them."""

    fetches: bool = False
    made: int = 0
    value: str = ""
    refused: list[str] = field(default_factory=list)
    cooldowns: list[float] = field(default_factory=list)

    def get(self, fetch: Any) -> str:
        if not self.value:
            self.made += 1
            token = fetch() if self.fetches else FetchedToken(f"token-{self.made}", 3600)
            self.value = token.value
        return self.value

    def invalidate(self, failed: str) -> None:
        self.refused.append(failed)
        if failed == self.value:
            self.value = ""

    def cooldown(self, seconds: float) -> None:
        self.cooldowns.append(seconds)
