"""Issue bearer tokens to those who sign their request, know the password and come in time."""

import base64
import hashlib
import hmac
import re
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Any

from sandbox.advoware.answers import Json, Refused

FRESH = timedelta(minutes=10)
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@dataclass(frozen=True)
class Account:
    """The one technical user of the firm; every value is invented."""

    app_id: str = "bitbylaw-sandbox"
    api_key: str = base64.b64encode(b"sandbox-key-of-advoware").decode()
    kanzlei: str = "Kanzlei am Maschsee"
    database: str = "ADVOWARE"
    user: str = "schnittstelle"
    password: str = "sandbox-pässwort"
    role: int = 2
    product: int = 64

    def signature(self, nonce: str, timestamp: str) -> str:
        """Sign one token request."""
        message = f"{self.product}:{self.app_id}:{nonce}:{timestamp}".encode()
        digest = hmac.digest(base64.b64decode(self.api_key), message, hashlib.sha512)
        return base64.b64encode(digest).decode()

    def body(self, nonce: str, timestamp: str) -> Json:
        """Say what a right token request holds."""
        return {
            "AppID": self.app_id,
            "Kanzlei": self.kanzlei,
            "Database": self.database,
            "User": self.user,
            "Role": self.role,
            "Product": self.product,
            "Password": self.password,
            "Nonce": nonce,
            "HMAC512Signature": self.signature(nonce, timestamp),
            "RequestTimeStamp": timestamp,
        }


def fresh_body(account: Account, now: datetime | None = None) -> Json:
    """Write a token request as of now."""
    moment = (now or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None)
    return account.body(str(uuid.uuid4()), moment.isoformat(timespec="milliseconds") + "Z")


class Tokens:
    """The token service: strict about what it is shown, and counting."""

    def __init__(self, account: Account, clock: Callable[[], datetime]) -> None:
        self.account, self.clock = account, clock
        self.lifetime_s = 3600
        self.new_token_ends_old = False
        self.lock_after = 10
        self.requests = self.issued = self.failed_logins = 0
        self._ends: dict[str, datetime] = {}
        self._nonces: set[str] = set()
        self._lock = RLock()

    @property
    def locked(self) -> bool:
        """Say whether too many failed logins have closed the account."""
        return self.failed_logins >= self.lock_after

    def unlock(self) -> None:
        """Open the account again, as Advoware's support would."""
        self.failed_logins = 0

    def revoke_all(self) -> None:
        """End every token at once."""
        with self._lock:
            self._ends.clear()

    def request(self, body: Any) -> Json:
        """Answer a token request, or refuse it with 401 and count the failed login."""
        with self._lock:
            self.requests += 1
            reason = "the account is locked" if self.locked else self._objection(body)
            if reason:
                self.failed_logins += 1
                raise Refused(401, reason)
            self.failed_logins = 0
            return {"access_token": self._issue(), "expires_in": self.lifetime_s, "token_type": "Bearer"}

    def admit(self, authorization: str) -> None:
        """Let a call pass that carries a living token."""
        scheme, _, token = authorization.partition(" ")
        with self._lock:
            ends = self._ends.get(token)
        if scheme.lower() != "bearer" or ends is None or ends <= self.clock():
            raise Refused(401, "the token is missing or has ended", **{"WWW-Authenticate": "Bearer"})

    def _issue(self) -> str:
        if self.new_token_ends_old:
            self._ends.clear()
        token = secrets.token_urlsafe(32)
        self._ends[token] = self.clock() + timedelta(seconds=self.lifetime_s)
        self.issued += 1
        return token

    def _objection(self, body: Any) -> str:
        if not isinstance(body, dict):
            return "the body is no JSON object"
        nonce, stamp = str(body.get("Nonce")), str(body.get("RequestTimeStamp"))
        wanted = self.account.body(nonce, stamp)
        for name, value in wanted.items():
            shown = body.get(name)
            if type(shown) is not type(value) or not hmac.compare_digest(str(shown).encode(), str(value).encode()):
                return f"{name} is wrong"
        if not self._in_time(stamp):
            return "RequestTimeStamp is malformed or too far from now"
        return self._nonce_objection(nonce)

    def _in_time(self, stamp: str) -> bool:
        try:
            return bool(STAMP.fullmatch(stamp)) and abs(self.clock() - datetime.fromisoformat(stamp)) <= FRESH
        except ValueError:
            return False

    def _nonce_objection(self, nonce: str) -> str:
        try:
            uuid.UUID(nonce)
        except ValueError:
            return "Nonce is no UUID"
        if nonce in self._nonces:
            return "Nonce was used before"
        self._nonces.add(nonce)
        return ""
