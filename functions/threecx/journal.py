"""Subscriber: write every real call into EspoCRM once, with its tasks, however it was told and however often."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from functions.threecx.call import Call, Entry, Group, grouped
from functions.threecx.directory import Directory
from functions.threecx.matching import Hit, can_match, only_one
from functions.threecx.records import ID_LINE, Known, call_fields, changes
from functions.threecx.tasks import Tasks
from shared.domain.call import Consent
from shared.errors import UpstreamRejectedError
from shared.espocrm.client import EspoCrmClient
from shared.events.task import Task
from shared.log import get_log
from shared.threecx.number import told_number
from shared.threecx.provider import Provider
from shared.threecx.store import Binding, CallStore

log = get_log(__name__)
GONE = "gone"  # a person has deleted the record; it does not come back
CALL_ENTITY = "Call"


@dataclass(frozen=True)
class Journal:
    """Brings what was told about calls to EspoCRM."""

    store: CallStore
    espocrm: EspoCrmClient
    directory: Directory
    tasks: Tasks
    provider: Callable[[], Provider]
    owners: Mapping[str, str]
    default_owner: str = ""
    public_url: str = ""

    def handle(self, task: Task) -> None:
        """Journal whatever belongs together with one entry."""
        self.write(str(task.data["call_key"]), task.checkpoint)

    def write(self, key: str, checkpoint: Callable[[], None] = lambda: None, *, stuck: bool = False) -> None:
        """Find the real calls around an entry and bring each to EspoCRM; two of them share no record."""
        events = self.store.events(key)
        if not events:
            log.warning("call_vanished")
            return
        call = Call(events)
        with self.store.alone(call.number) as keep:
            groups = grouped(self._around(key, call))
            bindings = self.store.bindings(name for group in groups for name in group.keys)
            for group, records in claims(groups, bindings):
                if group.call.over or (stuck and key in group.keys):
                    checkpoint()
                    self._write(group, records, bindings.get(group.keys[0], Binding()), keep)

    def owner(self, call: Call) -> str:
        """Find the user to whom a call belongs."""
        return self.owners.get(call.agent) or self.default_owner

    def _around(self, key: str, call: Call) -> list[Entry]:
        found = self.store.many([key, *self.store.near(call.number, call.start)])
        entries = [Entry(name, Call(events), name.startswith("c-")) for name, events in found.items()]
        return [entry for entry in entries if entry.call.number == call.number or entry.key == key]

    def _write(self, group: Group, records: Sequence[str], last: Binding, keep: Callable[[], None]) -> None:
        known = self._known(group, erased=last.erased)
        fields = call_fields(group, known)
        digest = self.store.sealer.mark(json.dumps([fields, records[:1]], sort_keys=True))
        if records and digest == last.digest:
            self.store.close(group.keys)
            return
        there = records[0] if records else self._found(group)
        keep()
        record = self._put(there, fields)
        binding = Binding(record, "", last.erased, group.call.consent, group.call.recording_id)
        self.store.bind(group.keys, binding)
        for surplus in records[1:]:
            self.espocrm.delete(CALL_ENTITY, surplus)
        keep()
        self._after(group, known)
        digest = self.store.sealer.mark(json.dumps([fields, [record]], sort_keys=True))
        self.store.bind(group.keys, replace(binding, digest=digest, erased=self._erased(group, last)))
        self.store.close(group.keys)
        log.info(
            "call_journalled", created=int(not records), updated=int(bool(records)), direction=group.call.direction
        )

    def _put(self, record: str, fields: dict[str, Any]) -> str:
        if record == GONE:
            return GONE
        if not record:
            return str(self.espocrm.create(CALL_ENTITY, fields)["id"])
        stored = self.espocrm.read(CALL_ENTITY, record)
        if stored is None:
            return GONE
        if changed := changes(fields, stored):
            self.espocrm.update(CALL_ENTITY, record, changed)
        return record

    def _found(self, group: Group) -> str:
        """Look for a record that was made before a crash or a lost memory, by the line that names the call."""
        where = [{"type": "or", "value": [_contains(ID_LINE + key) for key in group.keys]}]
        rows = self.espocrm.find(CALL_ENTITY, where, select=("name",), limit=2, orderBy="createdAt", order="asc")
        return str(rows[0]["id"]) if rows else ""

    def _known(self, group: Group, *, erased: bool) -> Known:
        call = group.call
        number = told_number(call.number)
        hits = tuple(self.directory.find(number)) if can_match(number) else ()
        parent = only_one(hits) or self._named(call, hits)
        return Known(hits, parent, self.owner(call), self._recording_url(group), erased or self._can_erase(call))

    def _named(self, call: Call, hits: Sequence[Hit]) -> Hit | None:
        """Believe the phone system's own choice where it is one of ours, or where we know nobody."""
        kind, record_id = call.entity
        if not record_id:
            return None
        if hits:
            return next((hit for hit in hits if (hit.type, hit.id) == (kind, record_id)), None)
        row = self.espocrm.read(kind, record_id)
        return Hit(record_id, kind, last_name=str(row.get("name") or "")) if row else None

    def _recording_url(self, group: Group) -> str:
        call_id = self.store.call_id(group.keys[0]) if group.has_id else ""
        if group.call.consent is not Consent.GIVEN or not group.call.recording_id or not call_id:
            return ""
        return f"{self.public_url}/threecx/calls/{call_id}/recording"

    def _can_erase(self, call: Call) -> bool:
        return not call.recording_id or call.consent is Consent.GIVEN or "erase" in self.provider().capabilities

    def _after(self, group: Group, known: Known) -> None:
        call, key = group.call, group.keys[0]
        if known.parent is None and call.number:
            self.store.remember_unknown(key, call.start)
        else:
            self.store.forget_unknown(*group.keys)
        if not call.number:
            return
        if call.answered:
            self.store.note_answered(call.number, call.start)
            self.tasks.close_missed(call)
            self.tasks.follow_up(call, known)
        elif call.direction == "inbound" and not self.store.answered_since(call.number, call.start):
            self.tasks.missed(call, group.keys, known)

    def _erased(self, group: Group, last: Binding) -> bool:
        """Have a recording deleted to which nobody agreed (any more)."""
        call = group.call
        forbidden = call.recording_id and call.consent in {Consent.REFUSED, Consent.WITHDRAWN}
        if not forbidden or last.erased:
            return last.erased
        call_id = self.store.call_id(group.keys[0]) if group.has_id else ""
        try:
            erased = self.provider().erase(call_id, call.recording_id)
        except UpstreamRejectedError:
            erased = False
        log.info("recording_erased", granted=erased)
        return erased


def claims(groups: Sequence[Group], bindings: Mapping[str, Binding]) -> list[tuple[Group, list[str]]]:
    """Share out the records that exist: a call with an id chooses first; what a group has too many of is surplus."""
    order = sorted(groups, key=lambda group: (not group.has_id, group.call.start, group.keys))
    taken: set[str] = set()
    found = []
    for group in order:
        mine = [bindings[key].record for key in group.keys if key in bindings and bindings[key].record]
        mine = [record for record in dict.fromkeys(mine) if record == GONE or record not in taken]
        mine = [record for record in mine if record != GONE] or mine
        taken.update(mine)
        found.append((group, mine))
    return found


def _contains(text: str) -> dict[str, str]:
    return {"type": "contains", "attribute": "description", "value": text}
