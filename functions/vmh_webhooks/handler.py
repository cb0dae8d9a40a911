"""Receive a webhook: who sent it, what it asks for, one atomic note, an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from functions.vmh_webhooks.payload import read_items
from shared.errors import MediaTypeError, UnauthenticatedError
from shared.espocrm.signature import Headers, is_key, is_signed
from shared.events import topics
from shared.events.publisher import Publisher
from shared.log import get_log
from shared.settings.espocrm import EspoCrmSettings
from shared.web.call import Call
from shared.web.reading import is_json, strict_json

log = get_log(__name__)
MAX_BODY_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True)
class Proof:
    """What a sender must know: the secret of its webhook, or our key; with neither configured, nothing."""

    secrets: Mapping[str, str]
    api_key: str | None

    @classmethod
    def of(cls, settings: EspoCrmSettings) -> Proof:
        """Read what is configured."""
        key = settings.marvin_api_key
        secrets = {name: secret.get_secret_value() for name, secret in settings.webhook_secrets.items()}
        return cls(secrets, key.get_secret_value() if key else None)

    def require(self, raw: bytes, headers: Headers) -> None:
        """Refuse whoever cannot prove it, after the same work in every case."""
        signed = is_signed(raw, headers, self.secrets)
        keyed = self.api_key is not None and is_key(headers.get("X-Api-Key", ""), self.api_key)
        if (self.secrets or self.api_key is not None) and not (signed or keyed):
            raise UnauthenticatedError("The signature is missing or wrong.")


@dataclass(frozen=True)
class Receiver:
    """Takes what one kind of webhook brings."""

    proof: Proof
    publisher: Callable[[], Publisher]
    action: str

    def receive(self, call: Call) -> dict[str, Any]:
        """Note every record that a delivery names; the sender hears 200 once they are stored."""
        raw = call.body()
        self.proof.require(raw, call.request.headers)
        if not is_json(call.request.headers.get("Content-Type")):
            raise MediaTypeError("Send the body as application/json.")
        topic = topics.find(topics.PARTY + self.action)
        items = read_items(strict_json(raw), topic)
        published = self.publisher().publish_all(topic.name, items.ids)
        if items.rejected:
            log.warning("items_rejected", action=self.action, total=items.received, rejected=len(items.rejected))
        return {
            "action": self.action,
            "received": items.received,
            "new": published.new,
            "pending": published.pending,
            "rejected": [asdict(each) for each in items.rejected],
        }
