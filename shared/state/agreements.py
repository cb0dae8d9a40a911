"""Keep what people agreed to, encrypted: sign-ups until their link is pressed, and proofs that are only added to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

import redis

from shared.crypto import Vault
from shared.state.script import Script

_CONFIRM = Script("leads_confirm.lua", repeatable=True)
OPTIN: Final = "lead:optin:"  # HASH of an unconfirmed sign-up; 7 days
CONSENT: Final = "lead:consent:"  # LIST of encrypted proofs by address and purpose, append-only; 3 to 5 years


class Agreements:
    """Sign-ups by the digest of their link's token, proofs by the keyed hash of an address or number."""

    def __init__(self, client: redis.Redis, vault: Vault) -> None:
        self._client, self._vault = client, vault

    def keep_sign_up(self, digest: str, document: Mapping[str, Any], at_ms: int, seconds: int) -> None:
        """Keep an unconfirmed sign-up for a while."""
        pipe = self._client.pipeline(transaction=True)
        pipe.hset(OPTIN + digest, mapping={"payload": self._vault.seal_document(document, digest), "at": at_ms})
        pipe.expire(OPTIN + digest, seconds)
        pipe.execute()

    def sign_up(self, digest: str) -> dict[str, Any] | None:
        """Give a sign-up; None when it has ended or no key of ours opens it."""
        return self._opened(cast("str | None", self._client.hget(OPTIN + digest, "payload")), digest)

    def confirm(self, digest: str, by: str, within_ms: int) -> dict[str, Any] | None:
        """Use up an unconfirmed sign-up, once."""
        answer = _CONFIRM(self._client, [OPTIN + digest], [by, within_ms])
        return self._opened(str(answer[1]) if int(answer[0]) else None, digest)

    def drop_sign_up(self, digest: str) -> bool:
        """Forget a sign-up."""
        return bool(self._client.delete(OPTIN + digest))

    def keep_proof(self, who: str, purpose: str, document: Mapping[str, Any], seconds: int | None) -> None:
        """Add to the proofs of one address and purpose, for some time or for good; nothing there is ever changed."""
        name = _proofs(who, purpose)
        pipe = self._client.pipeline(transaction=True)
        pipe.rpush(name, self._vault.seal_document(document, who))
        if seconds is None:
            pipe.persist(name)
        else:
            pipe.expire(name, seconds)
        pipe.execute()

    def keep_proofs_for(self, who: str, purpose: str, seconds: int) -> None:
        """Let the proofs of one address and purpose end some time from now."""
        self._client.expire(_proofs(who, purpose), seconds)

    def proofs(self, who: str, purpose: str) -> list[dict[str, Any]]:
        """List the proofs of one address and purpose, the oldest first."""
        found = cast(Any, self._client.lrange(_proofs(who, purpose), 0, -1))
        return [document for each in found if (document := self._opened(each, who))]

    def _opened(self, sealed: str | None, name: str) -> dict[str, Any] | None:
        return self._vault.open_document(sealed, name) if sealed else None


def _proofs(who: str, purpose: str) -> str:
    return f"{CONSENT}{who}:{purpose}"
