"""Let in who shows a key or an HMAC, and lock an address out after too many failures."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

from werkzeug.wrappers import Request

from sandbox.espocrm.answers import Refused, User

ALLOWED_FAILURES, PERIOD = 10, timedelta(seconds=60)


class Logins:
    """The API users, and who has failed lately."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.users: list[User] = []
        self.failures: list[datetime] = []
        self._lock = Lock()

    def admit(self, request: Request, path: str) -> User:
        """Find who calls; a wrong proof counts, and after eleven in a minute nobody gets in, whoever it is."""
        with self._lock:
            self.failures = [at for at in self.failures if at > self.clock() - PERIOD]
            if len(self.failures) > ALLOWED_FAILURES:
                raise Refused(403, html=True)
            user = self._by_key(request) or self._by_hmac(request, path)
            if user is None:
                if request.headers.get("X-Api-Key") or request.headers.get("X-Hmac-Authorization"):
                    self.failures.append(self.clock())
                raise Refused(401, html=True)
            return user

    def _by_key(self, request: Request) -> User | None:
        key = request.headers.get("X-Api-Key", "")
        return next((user for user in self.users if key and user.api_key == key and not user.hmac_secret), None)

    def _by_hmac(self, request: Request, path: str) -> User | None:
        try:
            shown = base64.b64decode(request.headers.get("X-Hmac-Authorization", ""), validate=True)
        except (binascii.Error, ValueError):
            return None
        key, _, given = shown.partition(b":")
        message = f"{request.method} /{path}".encode()
        for user in self.users:
            digest = hmac.digest(user.hmac_secret.encode(), message, hashlib.sha256)
            if user.hmac_secret and user.api_key.encode() == key and given in (digest, digest.hex().encode()):
                return user
        return None
