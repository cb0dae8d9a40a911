"""Log a plain HTTP session in, for tests that call the double themselves."""

from typing import Any

import requests

from sandbox.advoware.double import TOKEN_PATH, Advoware
from sandbox.advoware.tokens import fresh_body


class Visitor(requests.Session):
    """A session with a token that takes paths instead of addresses and never waits long."""

    def __init__(self, advoware: Advoware, url: str) -> None:
        super().__init__()
        self.root = url
        answer = self.request("POST", TOKEN_PATH, json=fresh_body(advoware.account, advoware.tokens.clock()))
        answer.raise_for_status()
        self.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def request(self, method: str, url: str, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        """Call a path below the root."""
        return super().request(method, f"{self.root}/{url.removeprefix('/')}", **{"timeout": 5, **kwargs})
