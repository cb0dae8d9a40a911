"""Bring one party from EspoCRM to Advoware: read it again, decide, write what differs, note the number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from functions.vmh_webhooks.decide import as_number, digest
from functions.vmh_webhooks.newcomer import Newcomers
from shared import metrics
from shared.advoware.parties import Parties, StaleError
from shared.domain.party import Party
from shared.errors import UpstreamUnavailableError
from shared.espocrm.client import EspoCrmClient, Record
from shared.espocrm.errors import InvalidFieldError
from shared.espocrm.links import Link, PartyLinks
from shared.events.task import SetAsideError, Task
from shared.log import get_log
from shared.mapping.beteiligte import Names, changes, filled, from_entity

log = get_log(__name__)
READS = 3  # how often a party is read again because somebody else wrote it meanwhile
PARTIAL = frozenset({"phoneNumberData", "emailAddressData"})  # what lists do not show


@dataclass(frozen=True)
class PartySync:
    """The subscriber of the three topics."""

    espocrm: EspoCrmClient
    parties: Parties
    links: PartyLinks
    newcomers: Newcomers
    entity: str
    bet_nr_field: str
    names: Names
    delete_parties: bool = False
    set_aside_before: Callable[[str], None] = lambda _record_id: None

    @property
    def write_enabled(self) -> bool:
        """Tell whether Advoware may be written at all."""
        return self.newcomers.write_enabled

    def handle(self, task: Task) -> None:
        """Act on what the record is now, whichever event told of it."""
        try:
            record = self.espocrm.read(self.entity, task.item)
            if record is None or record.get("deleted") is True:
                self._vanished(task, surely="delete" in task.ops or record is not None)
            else:
                self._bring(task, record)
        except SetAsideError:
            self.set_aside_before(task.item)
            raise

    def _bring(self, task: Task, record: Record) -> None:
        party = from_entity(record, self.names)
        bet_nr = self._known(task.item, record)
        if bet_nr is None:
            bet_nr = self.newcomers.find_or_create(task, party)
        if bet_nr is None:
            log.info("writing_is_off", skipped=1)
            return
        link = self.links.bind(task.item, bet_nr)
        self._update(task, party, link)
        seen = self._write_back(task, record, bet_nr)
        now_filled = tuple(filled(party))
        self.links.finish(task.item, Link(bet_nr, now_filled, seen, mark(record, self.names, self.newcomers.key)))

    def _known(self, record_id: str, record: Record) -> int | None:
        """Ask a person's choice, the record, and our own memory, in this order."""
        chosen, link = self.links.chosen(record_id), self.links.of(record_id)
        try:
            own = as_number(record.get(self.bet_nr_field))
        except ValueError:
            raise SetAsideError("betnr-unreadable") from None
        noted = link.bet_nr if link else None
        return next((each for each in (chosen, own, noted) if each is not None), None)

    def _update(self, task: Task, party: Party, link: Link) -> None:
        def wanted(row: dict[str, Any]) -> dict[str, Any]:
            changed = changes(party, row, link.filled)
            return {**changed, "aktiv": True} if link.gone and row.get("aktiv") is False else changed

        if not self._write(task, link.bet_nr, wanted):
            raise SetAsideError("advoware-party-missing")

    def _write(self, task: Task, bet_nr: int, wanted: Callable[[dict[str, Any]], dict[str, Any]]) -> bool:
        """Read, merge and write until nobody else writes in between; False when there is no such party."""
        for _ in range(READS):
            row = self.parties.read(bet_nr)
            if row is None:
                return False
            changed = wanted(row)
            if not changed or not self.write_enabled:
                return True
            task.checkpoint()
            try:
                self.parties.replace(bet_nr, {**row, **changed})
            except StaleError:
                continue
            log.info("party_written", updated=len(changed))
            return True
        raise UpstreamUnavailableError("advoware", "advoware: the party is written by others all the time")

    def _write_back(self, task: Task, record: Record, bet_nr: int) -> str:
        """Note the number in EspoCRM; give the version of the record that has arrived in Advoware."""
        seen = str(record.get("modifiedAt") or "")
        if as_number(record.get(self.bet_nr_field)) == bet_nr:
            return seen
        task.checkpoint()
        answer = self._put_number(task.item, bet_nr)
        if self.bet_nr_field not in answer:
            log.error("betnr_not_kept", setting="ESPOCRM_BETNR_FIELD")
        key = self.newcomers.key
        same = mark(answer, self.names, key) == mark(record, self.names, key)
        return str(answer.get("modifiedAt") or seen) if same else seen

    def _put_number(self, record_id: str, bet_nr: int) -> Record:
        try:
            return self.espocrm.update(self.entity, record_id, {self.bet_nr_field: bet_nr})
        except InvalidFieldError as error:
            if error.field != self.bet_nr_field:
                raise
            return self.espocrm.update(self.entity, record_id, {self.bet_nr_field: str(bet_nr)})  # a text field

    def _vanished(self, task: Task, *, surely: bool) -> None:
        """A record that is gone without a word of its deletion changes nothing; a deleted one ends its party."""
        if not surely:
            metrics.WORK.labels(task.topic, "vanished").inc()
            log.info("party_vanished", vanished=1)
            return
        link, chosen = self.links.of(task.item), self.links.chosen(task.item)
        if link is None and chosen is None:
            raise SetAsideError("party-unknown")
        bet_nr = chosen if chosen is not None else link.bet_nr if link else 0
        if link is not None and link.gone and chosen is None:
            return
        if self.links.is_shared(bet_nr, task.item):
            log.info("party_kept", reason="another record has it")
        elif self.delete_parties and self.write_enabled:
            task.checkpoint()
            self.parties.delete(bet_nr)
        else:
            self._write(task, bet_nr, lambda row: {} if row.get("aktiv") is False else {"aktiv": False})
        if self.write_enabled:
            self.links.mark_gone(task.item, bet_nr)


def mark(record: Record, names: Names, key: bytes) -> str:
    """Hash what a list shows of a record, so that a list tells whether it has changed."""
    shown = {name: value for name, value in record.items() if name not in PARTIAL}
    return digest(from_entity(shown, names), key)[:24]
