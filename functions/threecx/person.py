"""Gather what somebody who picks up the phone wants to know: all at once; what is late is said to be late."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from functions.threecx.description import NUMBER_LINE
from functions.threecx.directory import Directory
from functions.threecx.lookup import DEADLINE_S, Crowd
from functions.threecx.matching import Hit, exactly, is_active
from functions.threecx.tasks import OPEN
from shared.advoware.client import ME, AdvowareClient
from shared.advoware.employee import Employee
from shared.errors import UpstreamMalformedError, UpstreamRejectedError
from shared.http import json_of, raise_for
from shared.office_hours import BERLIN
from shared.threecx.number import Kind, Number

T = TypeVar("T")
AHEAD = timedelta(days=60)
MOST, LAWYERS = 6, 3
SOON_S = 0.8  # for what is good to know, but nobody waits for
_LEAD_OPEN = ("New", "Assigned", "In Process")
Rows = list[Mapping[str, Any]]


@dataclass
class Once(Generic[T]):
    """An answer that several questions need and one of them fetches."""

    fetch: Callable[[], T]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _answer: list[T] = field(default_factory=list)

    def __call__(self) -> T:
        """Give the answer."""
        with self._lock:
            if not self._answer:
                self._answer.append(self.fetch())
            return self._answer[0]


@dataclass(frozen=True)
class Person:
    """What was found about somebody; `silent` names what did not answer in time."""

    record: Mapping[str, Any] = field(default_factory=dict)
    matters: Rows = field(default_factory=list)
    appointments: Rows = field(default_factory=list)
    tasks: Rows = field(default_factory=list)
    leads: Rows = field(default_factory=list)
    calls: Rows = field(default_factory=list)
    lawyers: Mapping[str, str] = field(default_factory=dict)
    silent: tuple[str, ...] = ()


@dataclass(frozen=True)
class People:
    """Finds out about a person."""

    directory: Directory
    advoware: AdvowareClient
    crowd: Crowd
    matters_path: str
    party_entity: str
    betnr_field: str
    employees: Callable[[], list[Employee]]

    def about(self, hit: Hit, number: str, now: datetime) -> Person:
        """Ask for everything at once."""
        espo = self.directory.espocrm
        record = Once(lambda: (espo.read(hit.type, hit.id) or {}) if hit.type != "Beteiligte" else {})
        matters = Once(lambda: self.matters(hit, record()))
        asks: dict[str, Callable[[], Any]] = {
            "record": record,
            "matters": matters,
            "appointments": lambda: self._appointments(matters(), hit, now),
            "lawyers": lambda: {each.kuerzel: _lawyer(each) for each in self.employees()},
        }
        if hit.type != "Beteiligte":
            asks["tasks"] = lambda: self._linked(
                "Task", hit, ("name", "dateEnd", "priority", "status"), "dateEnd", "asc"
            )
            asks["calls"] = lambda: self._linked("Call", hit, _CALL_FIELDS, "dateStart", "desc")
        if hit.type != "Lead" and number:
            asks["leads"] = lambda: self._leads(Number(Kind.OUTSIDE, number))
        answers, silent = self.crowd.ask(asks, DEADLINE_S)
        return Person(**answers, silent=tuple(silent))

    def matters_of(self, hits: Sequence[Hit]) -> dict[Hit, Rows]:
        """Ask for the matters of several people who may be on the line; who is late has none."""
        asked = {f"matters {hit.type}:{hit.id}": hit for hit in hits[:MOST]}
        asks = {name: self._ask_matters(hit) for name, hit in asked.items()}
        answers, _ = self.crowd.ask(asks, SOON_S)
        return {asked[name]: rows for name, rows in answers.items()}

    def earlier_calls(self, number: str) -> Rows:
        """List the last calls of a number that belongs to nobody."""

        def ask() -> Rows:
            line = NUMBER_LINE + number
            where = [{"type": "contains", "attribute": "description", "value": line}]
            how = {"select": (*_CALL_FIELDS, "description"), "orderBy": "dateStart", "order": "desc"}
            rows = self.directory.espocrm.find("Call", where, limit=MOST, **how)
            return [dict(row) for row in rows if line in str(row.get("description") or "").splitlines()]

        answers, _ = self.crowd.ask({"calls": ask}, SOON_S)
        return answers.get("calls", [])

    def _ask_matters(self, hit: Hit) -> Callable[[], Rows]:
        def ask() -> Rows:
            record = {} if hit.type == "Beteiligte" else self.directory.espocrm.read(hit.type, hit.id) or {}
            return self.matters(hit, record)

        return ask

    def _linked(self, kind: str, hit: Hit, select: Sequence[str], by: str, order: str) -> Rows:
        where: list[dict[str, Any]] = [{"type": "equals", "attribute": "parentId", "value": hit.id}]
        if kind == "Task":
            where.append({"type": "in", "attribute": "status", "value": list(OPEN)})
        found = self.directory.espocrm.find(kind, where, select=select, limit=MOST, orderBy=by, order=order)
        return [dict(row) for row in found]

    def _leads(self, number: Number) -> Rows:
        where = [*exactly(number), {"type": "in", "attribute": "status", "value": list(_LEAD_OPEN)}]
        return list(self.directory.espocrm.find("Lead", where, select=("name", "status", "createdAt"), limit=MOST))

    def matters(self, hit: Hit, record: Mapping[str, Any]) -> Rows:
        """Ask Advoware for the matters of the parties that are linked to a record, the running ones first."""
        found: Rows = []
        for bet_nr in self._numbers(hit, record):
            response = self.advoware.authorized("GET", self.matters_path, params={"betNr": bet_nr})
            raise_for(ME, response)
            rows = json_of(ME, response)
            if not isinstance(rows, list):
                raise UpstreamMalformedError(ME, f"{ME} answered no list of matters")
            found += [row for row in rows if isinstance(row, dict) and str(row.get("betNr")) == bet_nr]
        return sorted(found, key=lambda row: (row.get("status") != "laufend", str(row.get("aktenNr"))))

    def _numbers(self, hit: Hit, record: Mapping[str, Any]) -> list[str]:
        """Find the parties of Advoware whose record in EspoCRM is linked to this one."""
        if hit.type == "Beteiligte":
            return [hit.id]
        espo, link = self.directory.espocrm, f"c{self.party_entity.removeprefix('C')}Id"
        rows: list[Mapping[str, Any]] = []
        if record.get(link):
            rows.append(espo.read(self.party_entity, str(record[link])) or {})
        attribute = {"Contact": "contactId", "Account": "accountId"}.get(hit.type)
        if attribute:
            try:
                where = [{"type": "equals", "attribute": attribute, "value": hit.id}]
                rows += espo.find(self.party_entity, where, select=(self.betnr_field,), limit=5)
            except UpstreamRejectedError:  # no such link in this installation
                pass
        numbers = [str(row.get(self.betnr_field) or "") for row in rows if is_active(row)]
        return list(dict.fromkeys(each for each in numbers if each.isascii() and each.isdigit()))

    def _appointments(self, matters: Rows, hit: Hit, now: datetime) -> Rows:
        running = [row for row in matters if row.get("status") == "laufend"]
        lawyers = list(dict.fromkeys(str(row.get("sachbearbeiter") or "") for row in running))
        found: Rows = []
        for kuerzel in [each for each in lawyers if each][:LAWYERS]:
            rows = self.advoware.appointments(kuerzel, now, now + AHEAD)
            found += [row for row in rows if concerns(row, running, hit) and _begin(row) >= _wall(now)]
        return sorted(found, key=_begin)[:MOST]


def concerns(row: Mapping[str, Any], matters: Rows, hit: Hit) -> bool:
    """Tell whether an appointment speaks of a matter, by its number or title, or of the person by name."""
    text = f"{row.get('text') or ''} {row.get('notiz') or ''}".casefold()
    names = [str(matter.get(key) or "") for matter in matters for key in ("aktenNr", "kurzrubrum")]
    names.append(f"{hit.last_name}, {hit.first_name}" if hit.first_name else "")
    names.append(f"{hit.first_name} {hit.last_name}" if hit.first_name else "")
    return any(len(name) >= 4 and name.casefold() in text for name in names)


def _begin(row: Mapping[str, Any]) -> str:
    """Say when an appointment begins; a whole day lasts until its end."""
    clock = str(row.get("uhrzeitVon") or "") or "23:59:59"
    return f"{str(row.get('datum'))[:10]}T{clock}"


def _wall(now: datetime) -> str:
    return now.astimezone(BERLIN).strftime("%Y-%m-%dT%H:%M:%S")


def _lawyer(employee: Employee) -> str:
    return " ".join(filter(None, (employee.vorname[:1] + "." if employee.vorname else "", employee.name)))


_CALL_FIELDS = ("name", "dateStart", "dateEnd", "status", "direction")
