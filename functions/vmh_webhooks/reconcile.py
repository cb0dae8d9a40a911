"""Find what no webhook told: records changed since the watermark, and at night every party on both sides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from functions.vmh_webhooks.decide import as_number
from functions.vmh_webhooks.party_sync import PartySync, mark
from shared.advoware.parties import Beteiligte
from shared.clock import Clock, utc_now
from shared.errors import UpstreamRejectedError
from shared.espocrm.client import Record
from shared.espocrm.links import Link
from shared.events.publisher import Publisher
from shared.events.topics import PARTY
from shared.log import get_log
from shared.mapping.beteiligte import changes, from_entity

log = get_log(__name__)
OVERLAP = timedelta(minutes=15)
AT_ONCE = 200
MAX_VANISHED, MAX_VANISHED_SHARE = 20, 0.1
_FORMAT = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True)
class Reconcile:
    """Compares and adds what differs; whatever it adds is read again by the subscriber, so it may run at any time."""

    sync: PartySync
    publisher: Callable[[], Publisher]
    dead: Callable[[], dict[str, datetime]] = dict
    clock: Clock = utc_now

    def changed(self) -> dict[str, Any]:
        """Look at the records changed since the watermark, with an overlap, in the order of their change."""
        watermark = self.sync.links.watermark()
        since = _moment(watermark) - OVERLAP if watermark else None
        count = Count(full=False)
        rows = self.sync.espocrm.walk(self.sync.entity, "modifiedAt", since.strftime(_FORMAT) if since else None)
        for batch in _batches(rows):
            links = self.sync.links.some(row["id"] for row in batch)
            self._add(count, batch, [row for row in batch if self._is_new(row, links.get(row["id"]))], links)
            self._move_watermark(batch[-1], watermark)
        return count.answer()

    def full(self) -> dict[str, Any]:
        """Compare every record with its party, and every link with the records."""
        count, links, everybody = Count(full=True), self.sync.links.all(), self._everybody()
        listed: set[str] = set()
        for batch in _batches(self.sync.espocrm.walk(self.sync.entity, "createdAt")):
            listed.update(row["id"] for row in batch)
            differing = [row for row in batch if self._differs(row, links.get(row["id"]), everybody)]
            self._add(count, batch, differing, links)
        self._add_vanished(count, {each for each, link in links.items() if not link.gone} - listed, len(links), listed)
        if count.differing or count.held:
            log.warning("parties_differ", total=count.checked, count=count.differing, held=count.held)
        return count.answer()

    def _is_new(self, row: Record, link: Link | None) -> bool:
        if link is None or link.gone:
            return True
        return str(row.get("modifiedAt") or "") > link.seen or self._mark(row) != link.mark

    def _differs(self, row: Record, link: Link | None, everybody: dict[int, Beteiligte]) -> bool:
        if link is None or link.gone or self._number(row) != link.bet_nr:
            return True
        party = everybody.get(link.bet_nr) or self.sync.parties.read(link.bet_nr)
        unsaid = self._mark(row) != link.mark
        return unsaid or party is None or bool(changes(from_entity(row, self.sync.names), party, link.filled))

    def _mark(self, row: Record) -> str:
        return mark(row, self.sync.names, self.sync.newcomers.key)

    def _number(self, row: Record) -> int | None:
        try:
            return as_number(row.get(self.sync.bet_nr_field))
        except ValueError:
            return -1

    def _everybody(self) -> dict[int, Beteiligte]:
        """List Advoware's parties in one call where it allows that; else each is asked for."""
        try:
            return {row["betNr"]: row for row in self.sync.parties.find()}
        except UpstreamRejectedError:
            return {}

    def _add(self, count: Count, batch: list[Record], rows: list[Record], links: dict[str, Link]) -> None:
        count.checked += len(batch)
        dead = self.dead() if rows else {}
        wanted = [row for row in rows if not _is_set_aside(row, dead)]
        count.differing += len(rows)
        count.dead += len(rows) - len(wanted)
        create = [row["id"] for row in wanted if row["id"] not in links and self._number(row) is None]
        update = [row["id"] for row in wanted if row["id"] not in set(create)]
        self._publish(count, "create", create)
        self._publish(count, "update", update)

    def _add_vanished(self, count: Count, vanished: set[str], linked: int, listed: set[str]) -> None:
        """Add deletions nobody told of, unless there are so many that the list itself must be doubted."""
        vanished -= self.dead().keys() if vanished else set()
        if vanished and (not listed or len(vanished) > max(MAX_VANISHED, MAX_VANISHED_SHARE * linked)):
            count.held = len(vanished)
            return
        count.differing += len(vanished)
        self._publish(count, "delete", sorted(vanished))

    def _publish(self, count: Count, action: str, ids: list[str]) -> None:
        published = self.publisher().publish_all(PARTY + action, ids)
        count.new += len(published.new)
        count.pending += len(published.pending)

    def _move_watermark(self, last: Record, before: str | None) -> None:
        """Follow EspoCRM's own clock, but never beyond ours: a date in the future must not hide what comes."""
        seen = min(str(last.get("modifiedAt") or ""), self.clock().astimezone(UTC).strftime(_FORMAT))
        if seen > (before or ""):
            self.sync.links.set_watermark(seen)


@dataclass
class Count:
    """What a run has seen and done."""

    full: bool
    checked: int = 0
    differing: int = 0
    new: int = 0
    pending: int = 0
    dead: int = 0
    held: int = 0

    def answer(self) -> dict[str, Any]:
        """Say it, and log it."""
        counts = {**vars(self), "added": self.new + self.pending}
        log.info("reconciled", total=self.checked, count=self.differing, new=self.new, held=self.held)
        return counts


def _is_set_aside(row: Record, dead: dict[str, datetime]) -> bool:
    """Tell whether the record waits for a person as it is now."""
    at, changed = dead.get(row["id"]), str(row.get("modifiedAt") or "")
    return at is not None and (not changed or _moment(changed) <= at)


def _moment(text: str) -> datetime:
    return datetime.strptime(text, _FORMAT).replace(tzinfo=UTC)


def _batches(rows: Iterable[Record]) -> Iterator[list[Record]]:
    waiting = iter(rows)
    while batch := list(islice(waiting, AT_ONCE)):
        yield batch
