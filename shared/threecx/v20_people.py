"""The people of a 3CX v20: who sits at which extension, and who stands in its phone book."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import requests

from shared.http import raise_for
from shared.threecx.provider import ME

XAPI: Final = "xapi/v1"
MOST_AT_ONCE, _MOST_PAGES = 100, 20  # it refuses more at once
Rows = list[dict[str, Any]]


def addresses(rows_of: Callable[[str, dict[str, str | int]], Rows]) -> dict[str, str]:
    """Give the e-mail address of each extension, page by page."""
    found: dict[str, str] = {}
    for page in range(_MOST_PAGES):
        query: dict[str, str | int] = {"$select": "Number,EmailAddress", "$top": MOST_AT_ONCE}
        rows = rows_of(f"{XAPI}/Users", query | {"$skip": page * MOST_AT_ONCE})
        found |= {str(row.get("Number")): str(row.get("EmailAddress") or "") for row in rows}
        if len(rows) < MOST_AT_ONCE:
            break
    return {number: address for number, address in found.items() if address}


def contacts_path(number: str) -> str:
    """Write the question who has a number."""
    return f"Contacts/Pbx.GetContactsByNumber(number='{number}')"


def contact_paths(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Name the entries that can be deleted; one without an id cannot."""
    return [f"Contacts({row['Id']})" for row in rows if isinstance(row.get("Id"), int)]


def is_gone(response: requests.Response) -> bool:
    """Tell whether an entry is deleted; where we may not delete, that is left to people."""
    if response.status_code in {403, 405}:
        return False
    if response.status_code != 404:
        raise_for(ME, response)
    return True
