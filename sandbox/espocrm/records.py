"""Keep all records: validate, write, version, and tell the webhooks what a write has changed."""

import secrets
from collections.abc import Callable
from datetime import datetime
from threading import RLock
from typing import Any, Protocol

from sandbox.espocrm.answers import PERSON, Json, Refused, User
from sandbox.espocrm.channels import set_channel
from sandbox.espocrm.entities import SYSTEM, Entity, entities

CHANNELS = ("phoneNumber", "emailAddress")
QUIET = {"modifiedAt", "versionNumber", "streamUpdatedAt", "emailAddressData", "phoneNumberData"}


class Listener(Protocol):
    """Hears of every write that is not silent."""

    def __call__(self, entity: str, action: str, payload: Json, user: User) -> None: ...


class Records:
    """The database; deleted records stay, marked."""

    def __init__(self, clock: Callable[[], datetime], listener: Listener) -> None:
        self.clock, self.listener = clock, listener
        self.entities: dict[str, Entity] = entities()
        self._rows: dict[str, dict[str, Json]] = {}
        self.lock = RLock()

    def entity(self, name: str) -> Entity:
        """Find an entity type."""
        if name not in self.entities:
            raise Refused(404, f"Controller '{name}' does not exist.")
        return self.entities[name]

    def all(self, name: str) -> list[Json]:
        """List the records that are not deleted."""
        with self.lock:
            return [dict(row) for row in self._rows.get(name, {}).values() if not row["deleted"]]

    def read(self, name: str, record_id: str, said: str = "does not exist") -> Json:
        """Read one record."""
        with self.lock:
            self.entity(name)
            row = self._rows.get(name, {}).get(record_id)
            if row is None or row["deleted"]:
                raise Refused(404, f"Record {record_id} {said}.")
            return dict(row)

    def create(  # noqa: PLR0913  (each is one wish of a test)
        self,
        name: str,
        fields: Json,
        user: User = PERSON,
        *,
        check: bool = False,
        silent: bool = False,
        record_id: str = "",
    ) -> Json:
        """Enter a record; with `check` unless it is there already."""
        entity, now = self.entity(name), self._now()
        with self.lock:
            record: Json = {"id": record_id or secrets.token_hex(9)[:17], "deleted": False, **entity.defaults}
            self._write(name, entity, record, fields)
            self._require(name, entity, record)
            if check and entity.duplicates and (there := self._duplicates(name, record)):
                raise Refused(409, "duplicate", there[:5])
            record |= {"createdAt": now, "modifiedAt": now, "streamUpdatedAt": now, "createdById": user.id}
            record |= {"createdByName": user.name, "modifiedById": None, "modifiedByName": None, "versionNumber": 1}
            self._rows.setdefault(name, {})[record["id"]] = record
            if not silent:
                self.listener(name, "create", self._created(record), user)
            return dict(record)

    def update(  # noqa: PLR0913  (as above)
        self,
        name: str,
        record_id: str,
        fields: Json,
        user: User = PERSON,
        *,
        version: int | None = None,
        silent: bool = False,
    ) -> Json:
        """Change some fields; a version that is not the newest is refused where that is checked."""
        entity = self.entity(name)
        with self.lock:
            before = self.read(name, record_id, "not found")
            record = dict(before)
            self._write(name, entity, record, fields)
            changed = {key: value for key, value in record.items() if before.get(key) != value}
            if version is not None and entity.counted and version != before["versionNumber"] and changed:
                body = {"values": {key: before.get(key) for key in changed}, "versionNumber": before["versionNumber"]}
                raise Refused(409, "modified", body)
            if changed:
                record |= {"modifiedAt": self._now(), "versionNumber": before["versionNumber"] + 1}
            if user.id != before["modifiedById"]:
                modifier = {"modifiedById": user.id, "modifiedByName": user.name}
                record, changed = record | modifier, changed | modifier
            self._rows[name][record_id] = record
            if changed and not silent:
                told = {key: value for key, value in changed.items() if key not in QUIET}
                self.listener(name, "update", {**told, "id": record_id}, user)
            return dict(record)

    def delete(self, name: str, record_id: str, user: User = PERSON, *, silent: bool = False) -> None:
        """Delete a record."""
        with self.lock:
            self.read(name, record_id, "not found")
            self._rows[name][record_id]["deleted"] = True
            if not silent:
                self.listener(name, "delete", {"id": record_id}, user)

    def restore(self, name: str, record_id: str) -> None:
        """Take a record out of the bin, which no webhook tells."""
        with self.lock:
            self._rows[name][record_id] |= {"deleted": False, "modifiedAt": self._now()}

    def _write(self, name: str, entity: Entity, record: Json, fields: Json) -> None:
        for channel in CHANNELS:
            if channel in entity.attributes:
                set_channel(name, record, fields, channel)
        plain = {
            key: None if value == "" else value
            for key, value in fields.items()
            if entity.knows(key) and key not in SYSTEM and not key.startswith(CHANNELS)
        }
        for key, allowed in entity.enums.items():
            if plain.get(key) is not None and plain[key] not in allowed:
                raise Refused.invalid(name, key, "valid")
        for key in ("firstName", "lastName", "middleName"):
            if len(str(plain.get(key) or "")) > 100:
                raise Refused.invalid(name, key, "maxLength")
        if any(isinstance(value, str) for value in (plain.get("doNotCall"),)):
            plain["doNotCall"] = plain["doNotCall"] == "true"
        record.update(plain)
        if entity.is_person:
            whole = " ".join(filter(None, (record.get("firstName"), record.get("lastName"))))
            record["name"] = whole or record.get("emailAddress") or record.get("phoneNumber")

    def _require(self, name: str, entity: Entity, record: Json) -> None:
        for field in entity.required:
            if not record.get(field) and not record.get(f"{field}Id") and not record.get(f"{field}Date"):
                raise Refused.invalid(name, field, "required")
        if entity.is_person and not record.get("name") and not record.get("accountName"):
            raise Refused.invalid(name, "name", "required")

    def _duplicates(self, name: str, record: Json) -> list[Json]:
        def same(row: Json, field: str) -> bool:
            return bool(record.get(field)) and str(row.get(field)).lower() == str(record[field]).lower()

        full = "name" if name == "Account" else "lastName"
        return [
            row
            for row in self.all(name)
            if (same(row, full) and row.get("firstName") == record.get("firstName")) or same(row, "emailAddress")
        ]

    def _created(self, record: Json) -> Json:
        hidden = {"modifiedById", "modifiedByName", "createdByName", "versionNumber"}
        data = {key for key in ("phoneNumberData", "emailAddressData") if not record.get(key)}
        return {key: value for key, value in record.items() if key not in hidden | data and value is not None}

    def _now(self) -> str:
        return self.clock().strftime("%Y-%m-%d %H:%M:%S")


def shown(record: Json, entity: Entity, select: Any = None, *, whole: bool = True) -> Json:
    """Show a record: whole with null for what is not set, in lists without the data of numbers and addresses."""
    names = [*SYSTEM[:1], "name", "deleted", *entity.attributes.split(), *SYSTEM[2:]]
    if not whole:
        names = [name for name in names if not name.endswith("Data")]
    if select:
        names = ["id", *(name for name in names if name in select), "createdById", "assignedUserId"]
    return {name: record.get(name) for name in dict.fromkeys(names) if entity.counted or name != "versionNumber"}
