"""Issue access tokens for JWTs that a service account has really signed."""

import base64
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sandbox.google.errors import GoogleError

GOOGLE_AUDIENCE = "https://oauth2.googleapis.com/token"
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPE_PREFIX = "https://www.googleapis.com/auth/"
SKEW_S, LONGEST_S = 300, 3600
ACCOUNT = "bitbylaw@sandbox.iam.gserviceaccount.com"


class OAuthError(Exception):
    """Refuse a token in the words of RFC 6749."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.status, self.body = status, {"error": error, "error_description": description}


@dataclass(frozen=True)
class Grant:
    """Say what a token allows: whom it speaks for, what for, how long."""

    identity: str
    scopes: frozenset[str]
    expires_at: float


def write_service_account(path: str | Path, token_uri: str, email: str = ACCOUNT) -> dict[str, str]:
    """Write a service account's key file, keeping the key of a file that is there already."""
    path = Path(path)
    data = json.loads(path.read_text()) if path.exists() else _new_account()
    data |= {"client_email": email, "token_uri": token_uri}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=2))
    path.chmod(0o600)
    return data


def _new_account() -> dict[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    fixed = {"type": "service_account", "project_id": "sandbox", "universe_domain": "googleapis.com"}
    return {**fixed, "private_key_id": secrets.token_hex(20), "private_key": pem, "client_id": "1" * 21}


class TokenOffice:
    """Know the service accounts and the tokens that are out."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.token_ttl_s = 3599
        self.subjects: set[str] | None = None
        self.issued = 0
        self._keys: dict[tuple[str, str], rsa.RSAPublicKey] = {}
        self._tokens: dict[str, Grant] = {}

    def trust(self, account: Mapping[str, str]) -> None:
        """Accept what this service account signs."""
        pem = account["private_key"].encode()
        key = serialization.load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
        self._keys[account["client_email"], account["private_key_id"]] = key.public_key()

    def revoke_all(self) -> None:
        """Make every token that is out worthless."""
        self._tokens.clear()

    def grant_of(self, authorization: str) -> Grant:
        """Find what a bearer token allows, or answer 401."""
        grant = self._tokens.get(authorization.removeprefix("Bearer "))
        if not authorization.startswith("Bearer ") or grant is None or grant.expires_at <= self.clock():
            raise GoogleError(401, "authError", "Invalid Credentials", locationType="header", location="Authorization")
        return grant

    def issue(self, form: Mapping[str, str], own_url: str) -> dict[str, Any]:
        """Exchange a signed JWT for an access token."""
        if form.get("grant_type") != GRANT_TYPE:
            raise OAuthError("unsupported_grant_type", "Invalid grant_type")
        claims = self._verified(form.get("assertion", ""))
        self._check(claims, {GOOGLE_AUDIENCE, own_url})
        token = f"ya29.{secrets.token_urlsafe(32)}"
        identity = claims.get("sub") or claims["iss"]
        expires_at = self.clock() + self.token_ttl_s
        self._tokens[token] = Grant(identity, frozenset(claims["scope"].split()), expires_at)
        self.issued += 1
        return {"access_token": token, "expires_in": self.token_ttl_s, "token_type": "Bearer"}

    def _verified(self, assertion: str) -> dict[str, Any]:
        try:
            head, body, signature = assertion.split(".")
            header, claims = json.loads(_decoded(head)), json.loads(_decoded(body))
            issuer, key_id, algorithm = claims["iss"], header["kid"], header["alg"]
        except (ValueError, KeyError, TypeError) as error:
            raise OAuthError("invalid_request", "Bad Request") from error
        key = self._keys.get((issuer, key_id))
        if key is None:
            raise OAuthError("invalid_grant", "Invalid grant: account not found")
        try:
            key.verify(_decoded(signature), f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature as error:
            raise OAuthError("invalid_grant", "Invalid JWT Signature.") from error
        if algorithm != "RS256":
            raise OAuthError("invalid_grant", "Invalid JWT: the algorithm must be RS256.")
        return claims

    def _check(self, claims: dict[str, Any], audiences: set[str]) -> None:
        now, begins, ends = self.clock(), claims.get("iat", 0), claims.get("exp", 0)
        if claims.get("aud") not in audiences:
            raise OAuthError("invalid_grant", "Invalid JWT: Failed audience check.")
        if not (begins - SKEW_S <= now < ends + SKEW_S and 0 < ends - begins <= LONGEST_S):
            raise OAuthError("invalid_grant", "Invalid JWT: Token must be short-lived and in a reasonable timeframe.")
        scopes = str(claims.get("scope", "")).split()
        if not scopes or not all(scope.startswith(SCOPE_PREFIX) for scope in scopes):
            raise OAuthError("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        if "sub" in claims and self.subjects is not None and claims["sub"] not in self.subjects:
            raise OAuthError("unauthorized_client", "Client is unauthorized to retrieve access tokens.", 401)


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
