"""Merge bases: per field a short keyed hash of what a side held when both last agreed.

A base is `<key id>.<8 characters per field>` in the order of FIELDS. Plain hashes of short titles can be
guessed, hence a key; several keys may be known, the first one writes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.appointment import FIELDS, Canonical

_WIDTH = 8


def derived_key(secret: str) -> bytes:
    """Derive the hash key where none is configured."""
    return hmac.digest(secret.encode(), b"bitbylaw calendar content", hashlib.sha256)


def _short(key: bytes, message: bytes, width: int) -> str:
    return base64.urlsafe_b64encode(hmac.digest(key, message, hashlib.sha256)).decode()[:width]


@dataclass(frozen=True)
class Bases:
    """Seals content and says which fields differ from a seal."""

    keys: tuple[bytes, ...]

    @classmethod
    def of(cls, secrets: Sequence[str]) -> Bases:
        """Build from configured secrets, the writing one first."""
        return cls(tuple(secret.encode() for secret in secrets))

    @property
    def key_id(self) -> str:
        """Name the writing key without telling it."""
        return _short(self.keys[0], b"key id", 4)

    def seal(self, canonical: Canonical) -> str:
        """Hash every field with the writing key."""
        return f"{self.key_id}.{self._hashes(self.keys[0], canonical)}"

    def changed(self, base: str, canonical: Canonical) -> frozenset[str] | None:
        """Name the fields that differ from a base; None when there is no base or its key is unknown."""
        key_id, _, hashes = base.partition(".")
        key = next((key for key in self.keys if _short(key, b"key id", 4) == key_id), None)
        if key is None or len(hashes) != _WIDTH * len(FIELDS):
            return None
        present = self._hashes(key, canonical)
        return frozenset(
            name
            for place, name in enumerate(FIELDS)
            if hashes[place * _WIDTH : (place + 1) * _WIDTH] != present[place * _WIDTH : (place + 1) * _WIDTH]
        )

    def _hashes(self, key: bytes, canonical: Canonical) -> str:
        return "".join(
            _short(key, f"{name}\0{canonical[name]}".encode(errors="surrogatepass"), _WIDTH) for name in FIELDS
        )
