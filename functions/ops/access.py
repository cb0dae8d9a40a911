"""Who may come in: by the gateway's secret, by the password, or anybody where neither is configured (development)."""

from __future__ import annotations

import functools
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import parse_qs, urlsplit

from werkzeug.wrappers import Response

from functions.ops.attempts import Attempts
from functions.ops.session import LOGIN_S, Signer, Ticket, is_password
from shared.errors import ForbiddenError, IntegrationError, MediaTypeError, UnauthenticatedError
from shared.log import get_log
from shared.settings.common import CommonSettings
from shared.web.call import Call

log = get_log(__name__)
COOKIE: Final = "bitbylaw_ops"
TOKEN_HEADER: Final = "X-CSRF-Token"  # noqa: S105 - a name
_MOST_FIELDS: Final = 20


class StaleFormError(ForbiddenError):
    """A form that was not made for this session, or that another site sent."""

    slug, title = "stale-form", "This form is not valid (any more)"


class TooManyAttemptsError(IntegrationError):
    """Somebody tries passwords."""

    status, slug, title, retryable = 429, "too-many-attempts", "Too many attempts", True


@dataclass(frozen=True)
class Visitor:
    """Whoever asks: how they proved who they are, and the ticket of their forms."""

    proof: Literal["", "gateway", "password", "open"]
    ticket: Ticket
    new: bool

    @property
    def allowed(self) -> bool:
        """Tell whether they may come in."""
        return bool(self.proof)


@dataclass(frozen=True)
class Access:
    """Decides who comes in, and hands out and checks what their forms carry."""

    settings: CommonSettings
    attempts: Attempts
    clock: Callable[[], float] = time.time

    @functools.cached_property
    def signer(self) -> Signer:
        """Give the signer of cookies; its key takes a moment."""
        return Signer.of(self.settings)

    def visitor(self, call: Call) -> Visitor:
        """Recognise whoever asks."""
        now = self.clock()
        known = self.signer.read(call.request.cookies.get(COOKIE, ""), now)
        ticket = known or self.signer.issue(now, logged_in=False)
        return Visitor(self._proof(call, ticket), ticket, new=known is None)

    def _proof(self, call: Call, ticket: Ticket) -> Literal["", "gateway", "password", "open"]:
        if self.settings.gateway_secret is not None and call.from_gateway:
            return "gateway"
        if self.settings.ops_password is not None:
            return "password" if ticket.logged_in else ""
        return "open" if self.settings.gateway_secret is None else ""

    def check_api(self, call: Call) -> None:
        """Let in a program; a browser's session needs its token for whatever changes something."""
        visitor = self.visitor(call)
        if not visitor.allowed:
            raise UnauthenticatedError("The gateway secret or a session is needed.")
        if call.request.method == "GET":
            return
        self._check_origin(call)
        given = call.request.headers.get(TOKEN_HEADER, "")
        if visitor.proof == "password" and not self.signer.is_form_token(visitor.ticket, given):
            raise StaleFormError

    def check_form(self, call: Call, visitor: Visitor) -> Mapping[str, str]:
        """Read a form that this very session was given."""
        self._check_origin(call)
        fields = form_of(call)
        if visitor.new or not self.signer.is_form_token(visitor.ticket, fields.get("token", "")):
            raise StaleFormError
        return fields

    def log_in(self, call: Call, password: str) -> Ticket | None:
        """Check a password; None when it is wrong. Raises TooManyAttemptsError before it compares anything."""
        who = hmac.digest(self.signer.key, (call.request.remote_addr or "").encode(), hashlib.sha256).hex()[:32]
        if wait_s := self.attempts.take(who):
            log.warning("ops_login", outcome="too-many")
            raise TooManyAttemptsError(retry_after_s=wait_s)
        right = is_password(password, self.settings)
        log.info("ops_login", outcome="right" if right else "wrong")
        if not right:
            return None
        self.attempts.forgive(who)
        return self.signer.issue(self.clock(), logged_in=True)

    def remember(self, response: Response, ticket: Ticket) -> None:
        """Send the cookie."""
        value, secure = self.signer.written(ticket), self.settings.production
        response.set_cookie(COOKIE, value, LOGIN_S, path="/ops", secure=secure, httponly=True, samesite="Strict")

    def forget(self, response: Response) -> None:
        """Take the cookie back."""
        secure = self.settings.production
        response.delete_cookie(COOKIE, path="/ops", secure=secure, httponly=True, samesite="Strict")

    def _check_origin(self, call: Call) -> None:
        """Refuse what a browser says comes from elsewhere; programs say nothing about it.

        A browser's own word comes first, since a tunnel may name another host than the browser sees.
        """
        headers = call.request.headers
        if "Sec-Fetch-Site" in headers:
            ours = headers["Sec-Fetch-Site"] in {"same-origin", "none"}
        else:
            ours = "Origin" not in headers or urlsplit(headers["Origin"]).netloc in self._hosts(call)
        if not ours:
            raise StaleFormError

    def _hosts(self, call: Call) -> set[str]:
        public = urlsplit(self.settings.public_base_url or "").netloc
        return {call.request.host, public} - {""}


def form_of(call: Call) -> dict[str, str]:
    """Read a form's fields; of a repeated one the last value counts."""
    if call.request.mimetype != "application/x-www-form-urlencoded":
        raise MediaTypeError("Send the form as application/x-www-form-urlencoded.")
    try:
        fields = parse_qs(call.body().decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise StaleFormError from None
    return {name: values[-1] for name, values in fields.items()}
