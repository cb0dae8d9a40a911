"""Ask EspoCRM and Advoware who has a number: a question for each kind of record, to be asked side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from functions.threecx.matching import (
    EXACT,
    Hit,
    exactly,
    hit_of,
    hit_of_party,
    is_active,
    nearly,
    ranked,
    rung,
)
from shared.advoware.parties import Parties
from shared.espocrm.client import EspoCrmClient, Record
from shared.threecx.number import Number

KINDS = ("Contact", "Account", "Lead")
MOST = 10
_BASE = ("name", "phoneNumber", "emailAddress")
_SELECT = {
    "Contact": (*_BASE, "firstName", "lastName", "accountName"),
    "Account": _BASE,
    "Lead": (*_BASE, "firstName", "lastName", "accountName", "status"),
}
Ask = Callable[[], list[Hit]]


@dataclass(frozen=True)
class Directory:
    """Everybody whom the firm knows."""

    espocrm: EspoCrmClient
    parties: Parties
    site: str

    def asks(self, number: Number, *, advoware: bool = True) -> dict[str, Ask]:
        """Give the questions; each raises what its upstream raises."""
        asks: dict[str, Ask] = {kind: self._ask(kind, number) for kind in KINDS}
        return asks | ({"Advoware": lambda: self._ask_advoware(number)} if advoware else {})

    def find(self, number: Number) -> list[Hit]:
        """Ask EspoCRM one question after the other; an outage is an error, never an empty answer."""
        return ranked(hit for ask in self.asks(number, advoware=False).values() for hit in ask())

    def url(self, kind: str, record_id: str) -> str:
        """Link to a record."""
        return f"{self.site}#{kind}/view/{record_id}" if self.site else ""

    def create_url(self, kind: str, number: str) -> str:
        """Link to the form for a new record with the number filled in."""
        return f"{self.site}#{kind}/create?phoneNumber={number.replace('+', '%2B')}" if self.site else ""

    def _ask(self, kind: str, number: Number) -> Ask:
        def ask() -> list[Hit]:
            rows = self.espocrm.find(kind, exactly(number), select=_SELECT[kind], limit=MOST)
            if rows:
                return [self._hit(kind, row, EXACT) for row in rows if is_active(row)]
            where = nearly(number, firms=kind == "Account")
            rows = self.espocrm.find(kind, where, select=_SELECT[kind], limit=MOST) if where else []
            found = [(row, self._rung(kind, row, number)) for row in rows if is_active(row)]
            return [self._hit(kind, row, match) for row, match in found if match]

        return ask

    def _rung(self, kind: str, row: Record, number: Number) -> str:
        """Judge a near hit; where the shown number does not explain it, one of the others must."""
        firm = kind == "Account"
        match = rung([str(row.get("phoneNumber") or "")], number, firm=firm)
        if match:
            return match
        whole = self.espocrm.read(kind, row["id"]) or {}
        data = whole.get("phoneNumberData") or []
        return rung([str(each.get("phoneNumber") or "") for each in data], number, firm=firm)

    def _hit(self, kind: str, row: Record, match: str) -> Hit:
        return hit_of(kind, row, self.url(kind, row["id"]), match)

    def _ask_advoware(self, number: Number) -> list[Hit]:
        rows = self.parties.find(telefon=number.value)
        fitting = [row for row in rows[:MOST] if is_active(row) and self._has(row, number)]
        return [hit_of_party(row, "") for row in fitting]

    @staticmethod
    def _has(row: Mapping[str, Any], number: Number) -> bool:
        """Check the answer: an installation that ignores the parameter would answer with everybody."""
        return rung([str(row.get(name) or "") for name in ("telefon", "mobil")], number, firm=False) == EXACT
