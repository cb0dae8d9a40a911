"""What leads need of EspoCRM, in its words."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.leads.render import PROCESS, head_of, is_direct, process_line
from shared.errors import UpstreamError
from shared.espocrm.client import EspoCrmClient
from shared.espocrm.errors import InvalidFieldError, WrongEntityError
from shared.http import json_of, raise_for
from shared.log import get_log

log = get_log(__name__)
Record = dict[str, Any]
MAX_HITS = 21
_FIELDS_KEPT_S, _FIELDS_ASKED_AGAIN_S = 600.0, 30.0
_PARENT_SELECT = ("id", "name", "createdAt", "status", "description", "firstName", "lastName", "emailAddress")
_SELECT = (*_PARENT_SELECT, "phoneNumber", "assignedUserId", "modifiedAt")
DONE_TASKS = frozenset({"Completed", "Canceled"})
_REFUSABLE = 4


class LeadCrm(EspoCrmClient):
    """EspoCRM as the intake of leads uses it."""

    _fields: tuple[float, frozenset[str]] = (float("-inf"), frozenset())

    def own_field(self, *names: str) -> str | None:
        """Find an own field of the Lead by one of its names; which there are is asked once in a while."""
        known = {name.lower().removeprefix("c"): name for name in self._lead_fields()}
        return next((known[name.lower()] for name in names if name.lower() in known), None)

    def own_fields_unasked(self) -> None:
        """Do without own fields: there is no time to ask."""
        self._fields = (time.monotonic(), frozenset())

    def _lead_fields(self) -> frozenset[str]:
        at, names = self._fields
        if time.monotonic() - at > _FIELDS_KEPT_S:
            names = self._ask_fields()
            answered = time.monotonic()
            self._fields = (answered if names else answered - _FIELDS_KEPT_S + _FIELDS_ASKED_AGAIN_S, names)
        return names

    def _ask_fields(self) -> frozenset[str]:
        try:
            response = self._call("GET", "Metadata", params={"key": "entityDefs.Lead.fields"})
            found = json_of("espocrm", response) if response.status_code == 200 else None
        except UpstreamError:
            found = None
        return frozenset(found) if isinstance(found, dict) else frozenset()

    def find_lead(self, lead_id: str, others: Sequence[str] = (), since: datetime | None = None) -> Record | None:
        """Find the Lead of a submission; under its other ids only one that is not older than the repeat can be."""
        own = self.own_field("vorgang", "submissionid", "submission_id")
        if own and (rows := self.find("Lead", [_equals(own, lead_id)], select=_SELECT, limit=2)):
            return rows[0]
        if found := self.by_line(lead_id):
            return found
        for other in others:
            row = self.by_line(other)
            if row and (since is None or str(row.get("createdAt") or "9") >= stamp(since - timedelta(minutes=31))):
                return row
        return None

    def by_line(self, lead_id: str) -> Record | None:
        """Find the Lead whose description names a submission."""
        return next(iter(self.all_by_line(lead_id)), None)

    def all_by_line(self, lead_id: str, entity: str = "Lead") -> list[Record]:
        """List the records that name a submission: more than one Lead only if one came past the store."""
        where = [{"type": "contains", "attribute": "description", "value": process_line(lead_id)}]
        rows = self.find(entity, where, select=_SELECT, limit=5)
        return [row for row in rows if head_of(row.get("description")).get(PROCESS, lead_id) == lead_id]

    def persons(self, entity: str, attribute: str, value: str | None) -> list[Record]:
        """List the records with an address or number."""
        return self.find(entity, [_equals(attribute, value)], select=_SELECT, limit=MAX_HITS) if value else []

    def similar(self, where: Sequence[Mapping[str, Any]]) -> list[Record]:
        """List Leads by a weak sign; one that fits many, or that this installation cannot search by, says nothing."""
        try:
            rows = self.find("Lead", where, select=_SELECT, limit=MAX_HITS)
        except InvalidFieldError:
            return []
        return rows if len(rows) < MAX_HITS else []

    def leads_that_mention(self, word: str) -> list[Record]:
        """List the newest Leads whose description contains a word."""
        where = [{"type": "contains", "attribute": "description", "value": word}]
        return self.find("Lead", where, select=_SELECT, limit=100, orderBy="createdAt", order="desc")

    def open_tasks(self, person: str) -> int:
        """Count a person's open Tasks, as far as one page reaches."""
        where = [
            _equals("assignedUserId", person),
            {"type": "notIn", "attribute": "status", "value": sorted(DONE_TASKS)},
        ]
        return len(self.find("Task", where, select=("id",)))

    def create_lead(self, fields: Mapping[str, Any]) -> Record:
        """Create a Lead without EspoCRM's own check; a field that it refuses becomes a line of the description."""
        left = dict(fields)
        for _ in range(_REFUSABLE):
            try:
                return self.create("Lead", left, skip_duplicate_check=True)
            except InvalidFieldError as error:
                if error.field not in left or error.field in {"description", "lastName"}:
                    raise
                log.warning("lead_field_refused", reason=error.kind, row=error.field)
                value = left.pop(error.field)
                left["description"] = _with_refused(left["description"], error.field, value)
        return self.create("Lead", left, skip_duplicate_check=True)

    def task_of(self, parent: str, parent_id: str, lead_id: str | None = None) -> Record | None:
        """Find the Task beside a record: any of a Lead, of a Contact the one for this submission."""
        where = [_equals("parentId", parent_id), _equals("parentType", parent)]
        names = ("id", "status", "priority", "dateEnd", "description", "parentId", "parentType")
        rows = self.find("Task", where, select=names, limit=50)
        if lead_id is not None:
            return next((row for row in rows if process_line(lead_id) in str(row.get("description"))), None)
        return next((row for row in rows if row.get("status") not in DONE_TASKS), rows[0] if rows else None)

    def note_of(self, parent: str, parent_id: str, lead_id: str) -> str | None:
        """Find our Note beside a record; an installation that lists no Notes has none for us."""
        try:
            rows = self.notes(parent, parent_id)
        except (WrongEntityError, InvalidFieldError):
            return None
        return next((row["id"] for row in rows if process_line(lead_id) in str(row.get("post"))), None)

    def notes(self, parent: str, parent_id: str) -> list[Record]:
        """List the newest Notes beside a record."""
        where = [_equals("parentId", parent_id), _equals("parentType", parent)]
        return self.find("Note", where, select=("id", "post"), limit=100, orderBy="createdAt", order="desc")

    def erase(self, entity: str, record_id: str, fields: Sequence[str]) -> None:
        """Let EspoCRM erase fields of a record with all their traces."""
        body = {"entityType": entity, "id": record_id, "fieldList": list(fields)}
        response = self._call("POST", "DataPrivacy/action/erase", json=body)
        raise_for("espocrm", response)
        json_of("espocrm", response)  # a login page with 200 has erased nothing

    def delete_messages(self, parent: str, parent_id: str) -> int:
        """Delete our Notes with what somebody wrote; proofs of consent are kept, a list of none is none."""
        try:
            notes = self.notes(parent, parent_id)
        except (WrongEntityError, InvalidFieldError):
            return 0
        mine = [each for each in notes if _is_message(str(each.get("post")))]
        return sum(self.delete("Note", each["id"]) for each in mine)

    def delete_mails(self, parent: str, parent_id: str, subject: str) -> int:
        """Delete the mails of one subject beside a record; an installation without Emails has none."""
        where = [_equals("parentId", parent_id), _equals("parentType", parent), _equals("name", subject)]
        try:
            rows = self.find("Email", where, select=("id",))
        except (WrongEntityError, InvalidFieldError):
            return 0
        return sum(self.delete("Email", row["id"]) for row in rows)

    def take_off_list(self, target_list: str, contact: str) -> None:
        """Take a Contact off a target list; one that is not on it does not matter."""
        response = self._call("DELETE", f"TargetList/{target_list}/contacts", json={"id": contact})
        raise_for("espocrm", response)
        json_of("espocrm", response)  # a login page with 200 has taken nobody off

    def add_note(self, parent: str, parent_id: str, text: str) -> Record:
        """Write into a record's stream."""
        return self.create("Note", {"type": "Post", "parentType": parent, "parentId": parent_id, "post": text})


def gives_way(direct_id: str, rows: Sequence[Record]) -> bool:
    """Tell whether a Lead that came past the store is one too many: a worker's stays, of direct ones the first."""
    others = [row for row in rows if row["id"] != direct_id]
    return any(not is_direct(row.get("description")) or row["id"] < direct_id for row in others)


def _equals(attribute: str, value: Any) -> dict[str, Any]:
    return {"type": "equals", "attribute": attribute, "value": value}


def _is_message(post: str) -> bool:
    return f"{PROCESS}: " in post and not post.startswith("Einwilligung")


def _with_refused(text: str, field: str, value: Any) -> str:
    head, gap, body = text.partition("\n\n")
    return f"{head}\nNicht angenommen {field}: {' '.join(str(value).split())}{gap}{body}"


def stamp(moment: datetime) -> str:
    """Write a moment as EspoCRM does."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
