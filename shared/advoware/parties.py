"""Speak Advoware's API for parties (Beteiligte), spelled as Advoware spells them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from shared.advoware.client import ME, AdvowareClient
from shared.errors import UpstreamMalformedError
from shared.http import json_of, raise_for

Beteiligte = dict[str, Any]


class StaleError(Exception):
    """Somebody wrote the party since it was read; nothing was written."""


class Parties:
    """The parties of the firm; an unusable answer is never an empty one."""

    def __init__(self, client: AdvowareClient, path: str) -> None:
        self._client, self._path = client, path

    def find(self, **wanted: str) -> list[Beteiligte]:
        """List the parties that answer a search (search, email, telefon or betNr); all of them without one."""
        response = self._client.authorized("GET", self._path, params=wanted or None)
        raise_for(ME, response)
        rows = json_of(ME, response)
        if not isinstance(rows, list):
            raise UpstreamMalformedError(ME, f"{ME} answered no list of parties")
        return [_numbered(row) for row in rows]

    def read(self, bet_nr: int) -> Beteiligte | None:
        """Read one party; None means that Advoware itself says it does not exist."""
        response = self._client.authorized("GET", self._one(bet_nr))
        if response.status_code == 404:
            if response.content.strip():
                json_of(ME, response)  # a page of some relay says nothing about the party
            return None
        raise_for(ME, response)
        found = _numbered(json_of(ME, response))
        if found["betNr"] != bet_nr:
            raise UpstreamMalformedError(ME, f"{ME} answered another party")
        return found

    def create(self, body: Mapping[str, Any]) -> Beteiligte:
        """Enter a party. Never repeated: after most failures nobody knows whether it was entered."""
        response = self._client.authorized("POST", self._path, json=dict(body))
        raise_for(ME, response)
        return _numbered(json_of(ME, response))

    def replace(self, bet_nr: int, whole: Mapping[str, Any]) -> None:
        """Put a whole party in the place of the one that was read; raises StaleError if that is not the newest."""
        response = self._client.authorized("PUT", self._one(bet_nr), json=dict(whole))
        if response.status_code == 409:
            raise StaleError
        raise_for(ME, response)
        if response.content.strip():
            json_of(ME, response)

    def delete(self, bet_nr: int) -> bool:
        """Strike out a party; False means that it was gone before."""
        response = self._client.authorized("DELETE", self._one(bet_nr))
        if response.status_code == 404:
            if response.content.strip():
                json_of(ME, response)
            return False
        raise_for(ME, response)
        if response.content.strip():
            json_of(ME, response)  # a login page with 200 has struck out nothing
        return True

    def _one(self, bet_nr: int) -> str:
        return f"{self._path}/{quote(str(bet_nr), safe='')}"


def _numbered(row: Any) -> Beteiligte:
    number = row.get("betNr") if isinstance(row, dict) else None
    if isinstance(number, str) and number.isascii() and number.isdigit():
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int):
        raise UpstreamMalformedError(ME, f"{ME} answered no party")
    return {**row, "betNr": number}
