"""Ask Advoware about conflicts, and bring a released lead there by the rule that links parties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.leads import conflict
from functions.leads.conflict import Query
from functions.leads.render import head_of
from functions.leads.values import as_date, split_address
from shared.advoware.client import ME, AdvowareClient
from shared.advoware.parties import Parties
from shared.domain.lead import Lead
from shared.domain.party import Party
from shared.errors import IntegrationError, UpstreamMalformedError
from shared.events.task import SetAsideError
from shared.http import json_of, raise_for
from shared.log import get_log
from shared.mapping.beteiligte import Names, from_beteiligte, from_entity, is_same_party, new_beteiligte

log = get_log(__name__)
MANY = 20


@dataclass(frozen=True)
class Finding:
    """The result of a check, and whether it may be another one when Advoware answers again."""

    result: str
    repeatable: bool = False


class Firm:
    """The firm's matters and parties; None of it is asked for a tenant."""

    def __init__(self, client: AdvowareClient, parties_path: str, matters_path: str) -> None:
        self._client, self._matters_path = client, matters_path
        self.parties = Parties(client, parties_path)

    def check(self, query: Query, lead_id: str) -> Finding:
        """Look for the sender, the other side and the object."""
        if not any(query.names):
            return Finding(conflict.OPEN)
        try:
            hits, asked = self._hits(query)
        except IntegrationError as error:
            log.warning("conflict_check_open", lead_id=lead_id, slug=error.slug)
            return Finding(conflict.OPEN, repeatable=True)
        log.info("conflict_checked", lead_id=lead_id, count=asked, total=hits)
        return Finding(conflict.result(query, hits, asked=True))

    def _hits(self, query: Query) -> tuple[int, int]:
        hits, asked = 0, 0
        for name in filter(None, query.names):
            for term in conflict.spellings(name):
                hits += conflict.opponent_hits(query, self._matters(gegner=term))
                asked += 1
        for bet_nr in self._parties_named(query.opponent) if query.opponent else ():
            hits += conflict.client_hits(self._matters(betNr=str(bet_nr)))
            asked += 1
        for bet_nr in self._parties_born(query) if query.birthday and query.first_name else ():
            hits += conflict.as_opponent_hits(self._matters(betNr=str(bet_nr)))
            asked += 1
        for term in conflict.street_terms(query.street) if query.street else ():
            hits += conflict.object_hits(query, self._matters(objekt=term))
            asked += 1
        return hits, asked

    def _parties_named(self, name: str) -> list[int]:
        rows = [row for term in conflict.spellings(conflict.surname(name)) for row in self.parties.find(search=term)]
        return sorted(set(conflict.parties_named(name, rows)))[:MANY]

    def _parties_born(self, query: Query) -> list[int]:
        return sorted(set(conflict.parties_born(query, self.parties.find(search=query.first_name))))[:MANY]

    def _matters(self, **wanted: str) -> list[Mapping[str, Any]]:
        response = self._client.authorized("GET", self._matters_path, params=wanted)
        raise_for(ME, response)
        rows = json_of(ME, response)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise UpstreamMalformedError(ME, f"{ME} answered no list of matters")
        return rows

    def known(self, record: Mapping[str, Any]) -> str | None:
        """Find the party of a Lead by the linking rule; several are a person's choice."""
        party = _party(record)
        same = sorted({row["betNr"] for row in self._candidates(party) if is_same_party(party, from_beteiligte(row))})
        if len(same) > 1:
            raise SetAsideError("party-ambiguous")
        return str(same[0]) if same else None

    def enter(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Enter the party of a Lead."""
        return {"id": self.parties.create(new_beteiligte(_party(record)))["betNr"]}

    def _candidates(self, party: Party) -> list[dict[str, Any]]:
        terms = [{"search": party.name}, *({"email": each} for each in party.emails)]
        terms += [{"telefon": each} for each in party.phones]
        return [row for term in terms for row in self.parties.find(**term)]


def _party(record: Mapping[str, Any]) -> Party:
    company = {"lastName": record.get("accountName")} if not record.get("lastName") else {}
    birthday = _iso(head_of(record.get("description")).get("Geburtsdatum"))
    born = {"geburtsdatum": birthday} if birthday else {}
    return from_entity({**record, **company, **born}, Names())


def query_of(lead: Lead) -> Query:
    """Say what to look for, as the form tells it."""
    street = " ".join(filter(None, (lead.objekt.strasse, lead.objekt.hausnummer)))
    names = tuple(filter(None, (lead.person.nachname, lead.person.firma)))
    birthday = _iso(lead.weitere.get("geburtsdatum"))
    return Query(names, lead.gegenseite.name or "", street, lead.objekt.plz or "", lead.person.vorname or "", birthday)


def query_of_record(record: Mapping[str, Any], head: Mapping[str, str]) -> Query:
    """Say what to look for, as EspoCRM keeps it."""
    names = tuple(str(record[name]) for name in ("lastName", "accountName") if record.get(name))
    street, number, plz, _ = split_address(head.get("Objekt", ""))
    first, birthday = str(record.get("firstName") or ""), _iso(head.get("Geburtsdatum"))
    return Query(
        names, head.get("Gegenseite", ""), " ".join(filter(None, (street, number))), plz or "", first, birthday
    )


def _iso(text: str | None) -> str:
    day = as_date(text)
    return day.isoformat() if day else ""
