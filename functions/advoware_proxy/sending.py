"""Send one call with a token: a refused token is replaced once, and a GET is repeated where that may help."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from functions.advoware_proxy.audit import Audit
from functions.advoware_proxy.body import Body
from functions.advoware_proxy.errors import LateError, RefusedError, UnreachableError
from functions.advoware_proxy.passage import Headers
from functions.advoware_proxy.retry import pause_s
from functions.advoware_proxy.stream import Answer, Upstream
from functions.advoware_proxy.target import Target
from shared import metrics
from shared.errors import UnavailableError, UpstreamAuthenticationError, UpstreamError, UpstreamTimeoutError
from shared.http import Witness, bear_witness, nobody
from shared.log import get_log
from shared.state.token import FetchedToken, TokenUnavailable

log = get_log(__name__)
COOLDOWN_S = 30.0


class Tokens(Protocol):
    """Where the bearer token is kept for all callers."""

    def get(self, fetch: Callable[[], FetchedToken]) -> str:
        """Give a living token, fetching one at most once for everybody."""

    def invalidate(self, failed: str) -> None:
        """Forget the token if it is still the one that failed."""

    def cooldown(self, seconds: float) -> None:
        """Let nobody fetch for a while."""


@dataclass(frozen=True)
class Errand:
    """One call that may pass."""

    method: str
    target: Target
    headers: Headers
    body: Body
    asked: Mapping[str, Any]
    audit: Audit


@dataclass
class Sender:
    """Advoware with its token."""

    upstream: Upstream
    tokens: Tokens
    fetch: Callable[[], FetchedToken]
    answered: Witness = nobody
    sleep: Callable[[float], None] = field(default=time.sleep)

    def send(self, errand: Errand) -> Answer:
        """Send a call with a token; after a 401, which nobody acted on, once more with a new one."""
        for _ in range(2):
            token = self._token()
            answer = self._sent(replace(errand, headers=[*errand.headers, ("Authorization", f"Bearer {token}")]))
            if answer.status != 401:
                return answer
            answer.discard()
            self.tokens.invalidate(token)
            if errand.body.kept is None:
                raise RefusedError("The token ended while the body was sent; please send it again.", retry_after_s=1)
        self.tokens.cooldown(COOLDOWN_S)
        log.error("advoware_refuses_fresh_token", upstream="advoware", upstream_status=401)
        raise RefusedError("Advoware refuses a fresh token.", retry_after_s=int(COOLDOWN_S))

    def _token(self) -> str:
        try:
            return self.tokens.get(self.fetch)
        except TokenUnavailable as error:
            raise UnavailableError(
                "There is no access to Advoware just now.", retry_after_s=math.ceil(error.retry_after_s)
            ) from error
        except UpstreamAuthenticationError as error:
            self.tokens.cooldown(COOLDOWN_S)
            raise RefusedError("Advoware refuses the login.", retry_after_s=int(COOLDOWN_S)) from error
        except UpstreamTimeoutError as error:
            raise LateError("Advoware's token service did not answer in time.") from error
        except UpstreamError as error:
            raise UnreachableError("Advoware's token service gave no token.") from error

    def _sent(self, errand: Errand) -> Answer:
        """Send a call; a GET again where that may help."""
        attempt, again = 0, errand.method == "GET" and errand.body.kept is not None
        while True:
            try:
                answer = self._once(errand)
            except UnreachableError:
                pause = pause_s(attempt, None) if again else None
                if pause is None:
                    raise
            else:
                after = answer.header("Retry-After")
                pause = pause_s(attempt, answer.status, after) if again else None
                if pause is None:
                    return answer
                answer.discard()
            metrics.PROXY_RETRIES.inc()
            attempt += 1
            self.sleep(pause)

    def _once(self, errand: Errand) -> Answer:
        try:
            answer = self.upstream.send(errand.method, errand.target.raw, errand.headers, errand.body)
        except LateError:
            self.answered("advoware", "timeout")
            raise
        except UnreachableError:
            self.answered("advoware", "unreachable")
            raise
        bear_witness(self.answered, "advoware", answer.status)
        return answer
