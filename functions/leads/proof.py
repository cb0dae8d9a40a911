"""Believe a sender: by signature, by a shared secret in a header, or by a token in the address where one is set."""

from __future__ import annotations

from dataclasses import dataclass, field

from werkzeug.datastructures import Headers

from functions.leads.errors import ClockError, NotEntitledError
from shared.settings.leads import LeadSettings
from shared.webhook import is_fresh, is_ours, is_secret, secrets_of

SIGNED = "signatur"


@dataclass(frozen=True)
class Proof:
    """What a sender must know; with nothing configured, nothing (production does not start like that)."""

    secrets: tuple[str, ...] = field(repr=False)
    tokens: tuple[str, ...] = field(repr=False)

    @classmethod
    def of(cls, settings: LeadSettings) -> Proof:
        """Read what is configured; two secrets may hold while one replaces the other."""
        secret, token = settings.webhook_secret, settings.query_token
        return cls(
            secrets_of(secret.get_secret_value() if secret else None), (token.get_secret_value(),) if token else ()
        )

    def require(self, raw: bytes, headers: Headers, token: str | None, now_s: float) -> str:
        """Name the way in which the sender proved itself; one text for all the ways in which it did not."""
        if not self.secrets and not self.tokens:
            return "offen"
        stamp, signature = headers.get("X-VH-Timestamp", "").strip(), headers.get("X-VH-Signature", "").strip()
        ours = signature.lower().startswith("sha256=") and is_ours(raw, stamp, signature.lower(), self.secrets)
        if ours and is_fresh(stamp, now_s):
            return SIGNED
        if is_secret(headers.get("X-Webhook-Secret", "").strip(), self.secrets):
            return "geheimnis"
        if is_secret(token or "", self.tokens):
            return "adresse"
        raise ClockError if ours else NotEntitledError
