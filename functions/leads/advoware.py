"""Ask Advoware about conflicts, and bring a released lead there by the rule that links parties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
from shared.espocrm.links import PartyLinks
from shared.events.task import PostponeError, SetAsideError
from shared.http import json_of, raise_for
from shared.log import get_log
from shared.mapping.beteiligte import Names, from_entity, new_beteiligte
from shared.mapping.party_search import matches, name_digest, search_terms
from shared.mapping.spelling import spellings, street_terms
from shared.settings.advoware import AdvowareSettings
from shared.state.choices import Choices

log = get_log(__name__)
MANY = 20
NAME_HELD_S, NAME_BUSY_S = 60.0, 0.5


@dataclass(frozen=True)
class Finding:
    """The result of a check, and whether it may be another one when Advoware answers again."""

    result: str
    repeatable: bool = False


class Firm:
    """The firm's matters and parties; None of it is asked for a tenant."""

    def __init__(self, client: AdvowareClient, settings: AdvowareSettings, links: PartyLinks) -> None:
        self._client, self._matters_path = client, settings.matters_path
        self.parties = Parties(client, settings.parties_path)
        self._links, self._name_key = links, settings.content_key

    def check(self, query: Query, lead_id: str) -> Finding:
        """Look for the sender, the other side and the object."""
        if not any(query.names):
            return Finding(conflict.OPEN)
        try:
            answers = list(self._answers(query))
        except IntegrationError as error:
            log.warning("conflict_check_open", lead_id=lead_id, slug=error.slug)
            return Finding(conflict.OPEN, repeatable=True)
        hits = sum(len(rows) for _, rows in answers)
        log.info("conflict_checked", lead_id=lead_id, count=len(answers), total=hits)
        return Finding(conflict.result(query, hits, asked=True))

    def hits(self, query: Query) -> list[dict[str, str]]:
        """List the matters that speak against a lead, for somebody who may know them; they are kept nowhere."""
        found = [
            {"akte": str(row.get("aktenNr")), "rolle": str(row.get("rolle") or ""), "grund": why}
            for why, rows in self._answers(query)
            for row in rows
        ]
        return [each for at, each in enumerate(found) if each not in found[:at]]

    def _answers(self, query: Query) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
        """Ask one question after the other; each answer comes with what it would mean."""
        for name in filter(None, query.names):
            for term in spellings(name):
                yield "Absender ist Gegner", conflict.opposed(query, self._matters(gegner=term))
        for bet_nr in self._parties_named(query.opponent) if query.opponent else ():
            yield "Gegenseite ist Mandant", conflict.represented(self._matters(betNr=str(bet_nr)))
        for bet_nr in self._parties_born(query) if query.birthday and query.first_name else ():
            yield "Absender (Vorname, Geburtsdatum) ist Gegner", conflict.opposing(self._matters(betNr=str(bet_nr)))
        for term in street_terms(query.street) if query.street else ():
            yield "gleiches Objekt", conflict.about_object(query, self._matters(objekt=term))

    def _parties_named(self, name: str) -> list[int]:
        rows = [row for term in spellings(conflict.surname(name)) for row in self.parties.find(search=term)]
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

    @contextmanager
    def naming(self, record: Mapping[str, Any], lead_id: str) -> Iterator[None]:
        """Let nobody else look for and enter a party of this name meanwhile, the party sync included."""
        name = name_digest(party_of(record), self._name_key)
        if not self._links.take_name(name, lead_id, NAME_HELD_S):
            raise PostponeError(NAME_BUSY_S)
        try:
            yield
        finally:
            self._links.free_name(name, lead_id)

    def known(self, record: Mapping[str, Any], lead_id: str, choices: Choices) -> str | None:
        """Find the party of a Lead: the one that a person chose, else by the linking rule; several are offered."""
        chosen = choices.chosen(lead_id)
        if chosen is not None:
            return self._chosen(chosen, lead_id, choices)
        party = party_of(record)
        same = matches(party, (row for term in search_terms(party) for row in self.parties.find(**term)))
        if len(same) > 1:
            choices.offer(lead_id, same)
            raise SetAsideError("party-ambiguous")
        return str(same[0]) if same else None

    def _chosen(self, bet_nr: int, lead_id: str, choices: Choices) -> str:
        if self.parties.read(bet_nr) is None:
            choices.forget(lead_id)
            raise SetAsideError("advoware-party-missing")
        return str(bet_nr)

    def enter(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Enter the party of a Lead."""
        return {"id": self.parties.create(new_beteiligte(party_of(record)))["betNr"]}


def party_of(record: Mapping[str, Any]) -> Party:
    """Read a Lead as the party that it would be."""
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
