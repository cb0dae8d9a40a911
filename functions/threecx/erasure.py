"""Erase what we hold of a number when its owner asks for it, and say what was erased where and what was not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from functions.threecx.call import Call
from functions.threecx.description import ID_LINE, NUMBER_LINE
from functions.threecx.journal import GONE
from functions.threecx.telling import Dialect
from shared.errors import IntegrationError, InvalidRequestError
from shared.espocrm.client import PAGE, EspoCrmClient, Record
from shared.log import get_log
from shared.threecx.number import Kind
from shared.threecx.provider import Erased, Provider
from shared.threecx.store import Binding, CallStore

log = get_log(__name__)
KEPT = "bleibt bestehen: gehört zu einem Kontakt oder einer Firma (§ 50 BRAO); von einer Person zu prüfen"
BY_HAND = "in der Telefonanlage von Hand zu löschen"
_CLIENTS = frozenset({"Contact", "Account", "Case", "Opportunity"})
_SELECT = ("name", "parentType", "parentId", "description")


@dataclass(frozen=True)
class Erasure:
    """Erases by number."""

    store: Callable[[], CallStore]
    espocrm: EspoCrmClient
    provider: Callable[[], Provider]
    dialect: Dialect

    def erase(self, phone: str) -> dict[str, Any]:
        """Erase, place by place; where that fails the report says so and the rest is erased all the same."""
        number = self.dialect.read(phone)
        if number.kind is not Kind.OUTSIDE:
            raise InvalidRequestError("Eine gültige Telefonnummer ist nötig.")
        store, report = self.store(), _Report()
        mark = ID_LINE + "m-" + store.sealer.mark(number.value)
        report.note("aufzeichnungen", lambda: self._recordings(number.value))
        report.note("redis", lambda: self._here(number.value))
        report.note("Call", lambda: self._there("Call", NUMBER_LINE + number.value, number.value))
        report.note("Task", lambda: self._there("Task", mark, number.value))
        report.note("telefonbuch", lambda: self._phonebook(number.value))
        report.found["anrufliste"] = BY_HAND
        log.info("calls_erased", failed=len(report.found["fehler"]))
        return report.found

    def _recordings(self, number: str) -> dict[str, Any]:
        """Have recordings deleted first: afterwards nobody knows their names."""
        store, found = self.store(), {"geloescht": 0, "von_hand": 0}
        keys = store.keys_of(number)
        bindings = store.bindings(keys)
        for key in keys:
            recording = Call(store.events(key)).recording_id or bindings.get(key, Binding()).recording
            if recording:
                done = self.provider().erase(store.call_id(key), recording)
                found["von_hand" if done is Erased.BY_HAND else "geloescht"] += 1
        return found

    def _here(self, number: str) -> dict[str, Any]:
        store = self.store()
        keys = store.forget(number)
        store.bind(keys, Binding(GONE))  # a late event brings nothing back
        return {"vorgaenge": len(keys)}

    def _there(self, entity: str, line: str, number: str) -> dict[str, Any]:
        rows = [row for row in self._rows(entity, line, number) if _speaks_of(row, line, number)]
        kept = [row for row in rows if row.get("parentType") in _CLIENTS]
        deleted = [row["id"] for row in rows if row not in kept and self.espocrm.delete(entity, row["id"])]
        found: dict[str, Any] = {"geloescht": deleted}
        return found | ({"bleibt": [row["id"] for row in kept], "grund": KEPT} if kept else {})

    def _rows(self, entity: str, line: str, number: str) -> Sequence[Record]:
        named = [("description", line), ("name", number)]
        items = [{"type": "contains", "attribute": name, "value": value} for name, value in named]
        rows: list[Record] = []
        while True:
            where = [{"type": "or", "value": items}]
            page = self.espocrm.find(entity, where, select=_SELECT, orderBy="createdAt", order="asc", offset=len(rows))
            rows += page
            if len(page) < PAGE:
                return rows

    def _phonebook(self, number: str) -> dict[str, Any]:
        found = self.provider().forget(number)
        by_hand = {"von_hand": found.left, "hinweis": BY_HAND} if found.left else {}
        return {"geloescht": found.deleted, **by_hand}


class _Report:
    """What was erased where; `fehler` names the places where that failed."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = {"fehler": []}

    def note(self, place: str, erase: Callable[[], Any]) -> None:
        try:
            self.found[place] = erase()
        except IntegrationError as error:
            self.found["fehler"].append({"ort": place, "grund": error.slug})


def _speaks_of(row: Record, line: str, number: str) -> bool:
    """Tell the number from a longer one that begins like it."""
    lines = str(row.get("description") or "").splitlines()
    return line in lines or number in str(row.get("name") or "").split()
