"""Keep what Redis must not be able to read: encrypt with a key outside Redis, and name things by keyed hashes."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

_NONCE = 12
_NAME = 4


class UnreadableError(Exception):
    """No key of ours opens this, or it belongs to something else."""


class Vault:
    """Encrypts (AES-256-GCM) with the first key, decrypts with any of them, and hashes with keys derived from them."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != 32 for key in keys):
            raise ValueError("needs keys of 32 bytes")
        self._keys = tuple(keys)

    @classmethod
    def of(cls, setting: str) -> Vault:
        """Read a comma list of keys in URL-safe base64."""
        return cls([base64.urlsafe_b64decode(part.strip()) for part in setting.split(",") if part.strip()])

    def seal(self, plain: bytes, name: str) -> str:
        """Encrypt for one name: the result opens under this name only."""
        nonce = os.urandom(_NONCE)
        key = self._keys[0]
        sealed = _cipher(key).encrypt(nonce, plain, name.encode())
        return base64.urlsafe_b64encode(_name_of(key) + nonce + sealed).decode()

    def open(self, sealed: str, name: str) -> bytes:
        """Decrypt what was sealed under this name; raises UnreadableError."""
        try:
            raw = base64.urlsafe_b64decode(sealed)
        except ValueError as error:
            raise UnreadableError from error
        for key in self._keys:
            if hmac.compare_digest(_name_of(key), raw[:_NAME]):
                return _opened(key, raw, name)
        raise UnreadableError

    def seal_document(self, value: Mapping[str, Any], name: str) -> str:
        """Encrypt a small document for one name."""
        return self.seal(json.dumps(value, ensure_ascii=False).encode(), name)

    def open_document(self, sealed: str, name: str) -> dict[str, Any] | None:
        """Decrypt it again; None when no key of ours opens it."""
        try:
            return dict(json.loads(self.open(sealed, name)))
        except UnreadableError:
            return None

    def digest(self, purpose: str, text: bytes) -> str:
        """Hash with the first key; nobody without it can tell what was hashed."""
        return self.digests(purpose, text)[0]

    def digests(self, purpose: str, text: bytes) -> list[str]:
        """Hash with every key, the present one first: what was named before a rotation is found under an older one."""
        return [hmac.digest(_derived(key, purpose), text, hashlib.sha256).hex() for key in self._keys]


def _opened(key: bytes, raw: bytes, name: str) -> bytes:
    from cryptography.exceptions import InvalidTag

    nonce, sealed = raw[_NAME : _NAME + _NONCE], raw[_NAME + _NONCE :]
    try:
        return bytes(_cipher(key).decrypt(nonce, sealed, name.encode()))
    except (InvalidTag, ValueError) as error:
        raise UnreadableError from error


@functools.lru_cache(maxsize=16)
def _derived(key: bytes, purpose: str) -> bytes:
    return hmac.digest(key, b"bitbylaw " + purpose.encode(), hashlib.sha256)


def _name_of(key: bytes) -> bytes:
    return _derived(key, "key name")[:_NAME]


@functools.lru_cache(maxsize=16)
def _cipher(key: bytes):  # type: ignore[no-untyped-def]
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(_derived(key, "encryption"))
