"""Subscriber: write every real call into EspoCRM once, with its tasks, however it was told and however often."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from functions.threecx.call import Call, Entry, Group, grouped
from functions.threecx.directory import Directory
from functions.threecx.matching import Hit, can_match, only_one
from functions.threecx.matter_notes import MatterNotes
from functions.threecx.memory import Memory
from functions.threecx.owners import Owners
from functions.threecx.recordings import Recordings, is_to_erase
from functions.threecx.records import Known, call_fields, changes, is_less
from functions.threecx.tasks import Tasks
from shared.domain.call import Consent
from shared.espocrm.client import EspoCrmClient
from shared.events.task import SetAsideError, Task
from shared.log import get_log
from shared.threecx.number import told_number
from shared.threecx.store import Binding, CallStore

log = get_log(__name__)
GONE = "gone"  # a person has deleted the record; it does not come back
CALL_ENTITY = "Call"


@dataclass(frozen=True)
class About:
    """What stands around one real call: the others of its number, its records, what was last written, who has what."""

    groups: Sequence[Group]
    records: Sequence[str]
    last: Binding
    hits: Callable[[str], tuple[Hit, ...]]  # who has a number; asked once for all of them


@dataclass(frozen=True)
class Journal:
    """Brings what was told about calls to EspoCRM."""

    store: CallStore
    espocrm: EspoCrmClient
    directory: Directory
    tasks: Tasks
    recordings: Recordings
    owners: Owners
    notes: MatterNotes | None = None

    def handle(self, task: Task) -> None:
        """Journal whatever belongs together with one entry."""
        self.write(str(task.data["call_key"]), task.checkpoint)

    def write(self, key: str, checkpoint: Callable[[], None] = lambda: None, *, stuck: bool = False) -> None:
        """Find the real calls around an entry and bring each to EspoCRM; two of them share no record."""
        events = self.store.events(key)
        if not events:
            if self.store.is_there(key):
                raise SetAsideError("call-undecipherable")
            log.warning("call_vanished")
            return
        call = Call(events)
        with self.store.alone(call.number) as keep:
            groups = grouped(self._around(key, call))
            bindings = self.store.bindings(name for group in groups for name in group.keys)
            hits = functools.cache(self._hits)
            for group, records in claims(groups, bindings):
                if group.call.over or (stuck and key in group.keys):
                    checkpoint()
                    about = About(groups, records, bindings.get(group.keys[0], Binding()), hits)
                    self._write(group, about, keep)

    def _around(self, key: str, call: Call) -> list[Entry]:
        found = self.store.many([key, *self.store.near(call.number, call.start)])
        entries = [Entry(name, Call(events), name.startswith("c-")) for name, events in found.items()]
        return [entry for entry in entries if entry.call.number == call.number or entry.key == key]

    def _write(self, group: Group, about: About, keep: Callable[[], None]) -> None:
        """Bring one real call to EspoCRM with what follows from it."""
        records, last = about.records, about.last
        known = self._known(group, about)
        fields = call_fields(group, known)
        digest = self.store.sealer.mark(json.dumps([fields, records[:1]], sort_keys=True))
        if records and digest == last.digest and not is_to_erase(last):
            self.store.close(group.keys)
            return
        there = records[0] if records else Memory(self.espocrm).find(group)
        keep()
        record, less = self._put(there, fields, group, about)
        binding = Binding(record, "", last.erased, max(group.call.consent, last.consent), known.recording_id)
        self.store.bind(group.keys, binding)
        for surplus in records[1:]:
            self.espocrm.delete(CALL_ENTITY, surplus)
        keep()
        self._after(group, known, less=less)
        erased = self.recordings.erased(group, binding)
        if erased and not last.erased:
            fields = call_fields(group, replace(known, erased=True))
            self._put(record, fields, group, about)
        digest = self.store.sealer.mark(json.dumps([fields, [record]], sort_keys=True))
        self.store.bind(group.keys, replace(binding, digest=digest, erased=erased))
        self.store.close(group.keys)
        log.info("call_journalled", created=int(not there), updated=int(bool(there)), direction=group.call.direction)

    def _put(self, record: str, fields: dict[str, Any], group: Group, about: About) -> tuple[str, bool]:
        """Bring a record up to date, or make it; tell whether it was written when more was known."""
        if record == GONE:
            return GONE, False
        if not record:
            return str(self.espocrm.create(CALL_ENTITY, fields)["id"]), False
        stored = self.espocrm.read(CALL_ENTITY, record)
        if stored is None:
            return GONE, False
        less = about.last.consent > group.call.consent or is_less(stored, about.groups)
        if changed := changes(fields, stored, less=less):
            self.espocrm.update(CALL_ENTITY, record, changed)
        return record, less

    def _hits(self, text: str) -> tuple[Hit, ...]:
        number = told_number(text)
        return tuple(self.directory.find(number)) if can_match(number) else ()

    def _known(self, group: Group, about: About) -> Known:
        call, last, hits = group.call, about.last, about.hits(group.call.number)
        parent = only_one(hits) or self._named(call, hits)
        recording = self.recordings.named(group, last)
        consent = max(call.consent, last.consent)
        url = self.recordings.url(group) if recording and consent is Consent.GIVEN else ""
        return Known(hits, parent, self.owners.of(call), url, last.erased, recording)

    def _named(self, call: Call, hits: Sequence[Hit]) -> Hit | None:
        """Believe the phone system's own choice where it is one of ours, or where we know nobody."""
        kind, record_id = call.entity
        if not record_id:
            return None
        if hits:
            return next((hit for hit in hits if (hit.type, hit.id) == (kind, record_id)), None)
        row = self.espocrm.read(kind, record_id)
        return Hit(record_id, kind, last_name=str(row.get("name") or "")) if row else None

    def _after(self, group: Group, known: Known, *, less: bool) -> None:
        """Do what follows from a call, where enough is known to say what it was."""
        call = group.call
        if less:
            if call.answered and call.number:
                self.store.note_answered(call.number, call.start)
            return
        if not call.number:
            return
        if call.answered:
            self.store.note_answered(call.number, call.start)
            self.tasks.close_missed(call)
            self.tasks.follow_up(call, known)
            if self.notes:
                self.notes.write(group, known.parent)
        elif call.direction == "inbound" and not self.store.answered_since(call.number, call.start):
            self.tasks.missed(call, group.keys, known)


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
