"""Pure: the signed cookie of the console, and the token that its forms carry."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Final

from shared.settings.common import CommonSettings

LOGIN_S: Final = 3600
FORM_S: Final = 3600
_LOGIN, _FORM = "a", "f"
_DEVELOPMENT = b"development only: nothing secret is configured"


@dataclass(frozen=True)
class Ticket:
    """What a cookie says: whose forms these are, until when, and whether the password was given."""

    id: str
    ends: int
    logged_in: bool


@dataclass(frozen=True)
class Signer:
    """Issues tickets and believes only its own."""

    key: bytes

    @classmethod
    def of(cls, settings: CommonSettings) -> Signer:
        """Derive the key from the process's secrets; another password ends all sessions."""
        base = next((each for each in (settings.signing_key, settings.gateway_secret) if each), None)
        password = settings.ops_password.get_secret_value().encode() if settings.ops_password else _DEVELOPMENT
        salt = base.get_secret_value().encode() if base else _DEVELOPMENT
        # slow, because a cookie must not help to guess a password that is the only secret
        return cls(hashlib.scrypt(password, salt=b"bitbylaw ops" + salt, n=2**14, r=8, p=1, dklen=32))

    def issue(self, now_s: float, *, logged_in: bool) -> Ticket:
        """Make a new ticket."""
        return Ticket(secrets.token_urlsafe(16), int(now_s) + (LOGIN_S if logged_in else FORM_S), logged_in)

    def written(self, ticket: Ticket) -> str:
        """Write a ticket as the value of a cookie."""
        text = f"{_LOGIN if ticket.logged_in else _FORM}.{ticket.ends}.{ticket.id}"
        return f"{text}.{self._sign('ticket', text)}"

    def read(self, value: str, now_s: float) -> Ticket | None:
        """Read a cookie; None when it is forged, cut or too old."""
        text, _, signature = value.rpartition(".")
        if not _same(self._sign("ticket", text), signature):
            return None
        kind, ends, name = text.split(".", 2)
        ticket = Ticket(name, int(ends), kind == _LOGIN)
        return ticket if now_s < ticket.ends else None

    def form_token(self, ticket: Ticket) -> str:
        """Make the token that the forms of this ticket carry."""
        return self._sign("form", ticket.id)

    def is_form_token(self, ticket: Ticket, given: str) -> bool:
        """Tell whether a form was made for this ticket."""
        return _same(self.form_token(ticket), given)

    def _sign(self, purpose: str, text: str) -> str:
        return hmac.digest(self.key, f"{purpose}|{text}".encode(), hashlib.sha256).hex()


def is_password(given: str, settings: CommonSettings) -> bool:
    """Compare a password in a time that says nothing about it."""
    expected = settings.ops_password.get_secret_value() if settings.ops_password else secrets.token_hex(16)
    digests = [hashlib.sha256(text.encode("utf-8", "replace")).digest() for text in (given, expected)]
    return hmac.compare_digest(*digests)


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))
