"""Find or create the party of a record that has none: linked where it is surely the same, never created twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from functions.vmh_webhooks.decide import as_created, created_by_us, digest
from shared.advoware.errors import NoTokenError
from shared.advoware.parties import Beteiligte, Parties
from shared.domain.party import Party
from shared.errors import (
    NotConfiguredError,
    UpstreamAuthenticationError,
    UpstreamError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
)
from shared.espocrm.links import Intent, PartyLinks
from shared.events.task import PostponeError, SetAsideError, Task
from shared.log import get_log
from shared.mapping.beteiligte import new_beteiligte
from shared.mapping.party_search import matches, name_digest, search_terms

log = get_log(__name__)
NOT_SENT = (UpstreamRejectedError, UpstreamAuthenticationError, NoTokenError, NotConfiguredError)
SETTLE_S = 5.0  # after a broken call, until what it entered can be found
NAME_HELD_S = 0.5


@dataclass(frozen=True)
class Newcomers:
    """Everything needed to give a record its party; `key` makes hashes that say nothing."""

    parties: Parties
    links: PartyLinks
    key: bytes
    timeout_s: float
    write_enabled: bool = True
    settle_s: float = SETTLE_S

    def find_or_create(self, task: Task, party: Party) -> int | None:
        """Give the party's number; None where nothing may be written."""
        if not party.name:
            raise SetAsideError("party-without-name")
        with self._reserved(task.item, party):
            rows = self._search(party)
            intent = self.links.intent(task.item)
            found = self._only(task.item, matches(party, rows))
            if found is None and intent is not None:
                found = self._outcome(task.item, party, intent, rows)
            if found is not None or not self.write_enabled:
                return found
            return self._create(task, party, [row["betNr"] for row in rows])

    @contextmanager
    def _reserved(self, record_id: str, party: Party) -> Iterator[None]:
        name = name_digest(party, self.key)
        if not self.links.take_name(name, record_id, 4 * self.timeout_s):
            raise PostponeError(NAME_HELD_S)
        try:
            yield
        finally:
            self.links.free_name(name, record_id)

    def _search(self, party: Party) -> list[Beteiligte]:
        found = {row["betNr"]: row for terms in search_terms(party) for row in self.parties.find(**terms)}
        return list(found.values())

    def _only(self, record_id: str, found: list[int]) -> int | None:
        if len(found) > 1:
            self.links.offer(record_id, found)
            raise SetAsideError("party-ambiguous")
        return found[0] if found else None

    def _outcome(self, record_id: str, party: Party, intent: Intent, rows: list[Beteiligte]) -> int | None:
        """Look for what an earlier POST of this record may have entered; too early to tell means to wait."""
        taken = {link.bet_nr for each, link in self.links.all().items() if each != record_id}
        found = created_by_us(intent, rows, self.key, taken)
        if not found and digest(as_created(party), self.key) != intent.digest:
            found = created_by_us(intent, self._everybody(), self.key, taken)
        number = self._only(record_id, found)
        left_s = (intent.over_at_ms - self.links.now_ms()) / 1000
        if number is None and left_s > 0:
            raise PostponeError(left_s)
        return number

    def _everybody(self) -> list[Beteiligte]:
        """List all parties: the record has changed since the POST, so a search for it would miss what was entered."""
        try:
            return self.parties.find()
        except UpstreamRejectedError as error:
            raise SetAsideError("party-outcome-unknown") from error

    def _create(self, task: Task, party: Party, before: list[int]) -> int:
        task.confirm()
        if meanwhile := self.links.of(task.item):  # by a run that a flush has hidden from us
            return meanwhile.bet_nr
        content = digest(as_created(party), self.key)
        self._note(task.item, content, before, self.timeout_s + self.settle_s)
        try:
            created: dict[str, Any] = self.parties.create(new_beteiligte(party))
        except NOT_SENT:
            self.links.close_intent(task.item)
            raise
        except UpstreamError as error:
            slow = isinstance(error, UpstreamTimeoutError) or error.upstream_status == 504
            self._note(task.item, content, before, max(self.timeout_s, self.settle_s) if slow else self.settle_s)
            log.warning("post_outcome_unknown", slug=error.slug)
            raise
        return int(created["betNr"])

    def _note(self, record_id: str, content: str, before: list[int], over_in_s: float) -> None:
        over_at = self.links.now_ms() + int(over_in_s * 1000)
        self.links.open_intent(record_id, Intent(content, tuple(before), over_at))
