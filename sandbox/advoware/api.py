"""Answer the calls of Advoware's REST API: employees, appointments, parties, matters."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sandbox.advoware import termin
from sandbox.advoware.answers import Answer, Json, Refused
from sandbox.advoware.diary import ALWAYS, Diary
from sandbox.advoware.registry import Registry

Query = Mapping[str, str]


@dataclass(frozen=True)
class Paths:
    """Where the four resources lie; installations differ."""

    employees: str = "employees"
    appointments: str = "appointments"
    parties: str = "beteiligte"
    matters: str = "akten"


def parsed_object(body: bytes) -> Json:
    """Read a body that must be one JSON object."""
    try:
        fields = json.loads(body)
    except ValueError as error:
        raise Refused(400, "the body is no JSON") from error
    if not isinstance(fields, dict):
        raise Refused(400, "the body is no JSON object")
    return fields


def number(ident: str) -> int:
    """Read the number at the end of a path."""
    if not re.fullmatch(r"-?\d{1,15}", ident):
        raise Refused(404, f"{ident!r} is no number")
    return int(ident)


def moment(query: Query, name: str, default: datetime) -> datetime:
    """Read one end of a window, in Berlin time without zone."""
    if name not in query:
        return default
    value: datetime = termin.parsed(name, query[name], termin.MOMENT, datetime)
    return value


def not_allowed(*methods: str) -> Refused:
    """Refuse a method, naming those that would do."""
    return Refused(405, "method not allowed", Allow=", ".join(methods))


class Api:
    """The four resources over one firm's data."""

    def __init__(self, diary: Diary, registry: Registry, paths: Paths) -> None:
        self.diary, self.registry = diary, registry
        self.delete_status = 204
        self._resources = {
            paths.employees.strip("/"): self._employees,
            paths.appointments.strip("/"): self._appointments,
            paths.parties.strip("/"): self._parties,
            paths.matters.strip("/"): self._matters,
        }

    def answer(self, method: str, path: str, query: Query, body: bytes) -> Answer:
        """Find the resource that a path names and answer for it."""
        for prefix, resource in self._resources.items():
            if path == f"/{prefix}":
                return resource(method, None, query, body)
            if path.startswith(f"/{prefix}/"):
                return resource(method, path[len(prefix) + 2 :], query, body)
        raise Refused(404, f"nothing lies at {path}")

    def _employees(self, method: str, ident: str | None, query: Query, _body: bytes) -> Answer:
        if method != "GET":
            raise not_allowed("GET")
        rows = list(self.diary.employees.values())
        if ident is not None:
            rows = [row for row in rows if row["kuerzel"] == ident]
            return Answer.of(rows[0]) if rows else Refused(404, "no such employee").answer()
        match query.get("aktiv"):
            case None:
                return Answer.of(rows)
            case "true" | "false" as wanted:
                return Answer.of([row for row in rows if row["aktiv"] is (wanted == "true")])
        raise Refused(400, "aktiv: true or false")

    def _appointments(self, method: str, ident: str | None, query: Query, body: bytes) -> Answer:
        match method, ident:
            case "GET", None:
                return self._list_appointments(query)
            case "POST", None:
                return self._create_appointment(parsed_object(body))
            case _, None:
                raise not_allowed("GET", "POST")
            case "GET", _:
                return Answer(self.diary.body(number(ident)))
            case "PUT", _:
                return self._replace_appointment(self._writable(ident), parsed_object(body))
            case "DELETE", _:
                self.diary.delete(self._writable(ident))
                return Answer(status=self.delete_status)
        raise not_allowed("GET", "PUT", "DELETE")

    def _list_appointments(self, query: Query) -> Answer:
        kuerzel = query.get("kuerzel")
        if kuerzel is not None and kuerzel not in self.diary.employees:
            raise Refused(422, f"kuerzel: {kuerzel!r} is not an employee")
        window = moment(query, "from", ALWAYS[0]), moment(query, "to", ALWAYS[1])
        return Answer(self.diary.listing(kuerzel, window))

    def _create_appointment(self, fields: Json) -> Answer:
        kuerzel = fields.get("anwalt", "")
        if not isinstance(kuerzel, str):
            raise Refused(400, "anwalt: a text")
        rest = {name: value for name, value in fields.items() if name not in ("frNr", "anwalt", "zuletztGeaendertAm")}
        return Answer(self.diary.body(self.diary.create(kuerzel, **rest)), 201)

    def _replace_appointment(self, fr_nr: int, fields: Json) -> Answer:
        if fields.get("frNr", fr_nr) != fr_nr:
            raise Refused(400, "frNr: not the one in the path")
        self.diary.replace(fr_nr, fields)
        return Answer(self.diary.body(fr_nr))

    def _writable(self, ident: str) -> int:
        fr_nr = number(ident)
        self.diary.get(fr_nr)
        if fr_nr <= 0:
            raise Refused(403, f"appointment {fr_nr} is derived and read-only")
        return fr_nr

    def _parties(self, method: str, ident: str | None, query: Query, body: bytes) -> Answer:
        match method, ident:
            case "GET", None:
                return Answer.of(self.registry.parties(**query))
            case "POST", None:
                fields = parsed_object(body)
                fields.pop("betNr", None)
                return Answer.of(self.registry.party(self.registry.create_party(**fields)), 201)
            case _, None:
                raise not_allowed("GET", "POST")
            case "GET", _:
                return Answer.of(self.registry.party(number(ident)))
            case "PUT", _:
                return Answer.of(self.registry.replace_party(number(ident), parsed_object(body)))
            case "DELETE", _:
                self.registry.delete_party(number(ident))
                return Answer(status=self.delete_status)
        raise not_allowed("GET", "PUT", "DELETE")

    def _matters(self, method: str, ident: str | None, query: Query, _body: bytes) -> Answer:
        if method != "GET":
            raise not_allowed("GET")
        if ident is None:
            return Answer.of(self.registry.matters(**query))
        rows = self.registry.matters(aktenNr=ident)
        return Answer.of(rows[0]) if rows else Refused(404, "no such matter").answer()
