"""Who is to be synchronised: Advoware's active employees, remembered for ten minutes, the last list for a day.

Redis keeps initials and a keyed hash of the address, never a name or an address.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import redis

from shared.advoware.employee import Employee
from shared.errors import NotFoundError, UpstreamError, UpstreamMalformedError
from shared.log import get_log
from shared.state.calendar_runs import EMPLOYEES, remembered

log = get_log(__name__)
FRESH_S = 600
KEEP_S = 24 * 3600


class Directory(Protocol):
    """Where employees come from."""

    def employees(self) -> list[Employee]:
        """List the active ones."""


@dataclass(frozen=True)
class Employees:
    """The employees, and with whom their calendars are shared."""

    client: redis.Redis
    directory: Directory
    share_with: Mapping[str, str]
    digest: Callable[[str], str]
    now: Callable[[], float] = time.time

    def all(self) -> dict[str, str]:
        """Give kuerzel → digest of the address, fresh or at most ten minutes old; the last list if Advoware is down."""
        kept = self._kept()
        if kept is not None and self.now() - kept[0] < FRESH_S:
            return kept[1]
        try:
            return self._fetch()
        except UpstreamError:
            if kept is None:
                raise
            log.warning("employees_from_memory")
            return kept[1]

    def remembered(self) -> list[str]:
        """Name the employees without asking Advoware."""
        kept = self._kept()
        return list(kept[1]) if kept else []

    def known(self, kuerzel: str) -> str:
        """Give the digest of one employee's address; raises NotFoundError, or UpstreamError when nobody can say."""
        kept = self._kept()
        if kept is not None and kuerzel in kept[1] and self.now() - kept[0] < FRESH_S:
            return kept[1][kuerzel]
        try:
            present = self._fetch()
        except UpstreamError:
            if kept is None or kuerzel not in kept[1]:
                raise
            present = kept[1]
        if kuerzel not in present:
            raise NotFoundError("no such employee")
        return present[kuerzel]

    def email(self, kuerzel: str) -> str:
        """Find the address to share with: the configured one, else Advoware's."""
        if kuerzel in self.share_with:
            return self.share_with[kuerzel]
        return next((person.email for person in self.directory.employees() if person.kuerzel == kuerzel), "")

    def _fetch(self) -> dict[str, str]:
        people = {
            person.kuerzel: self.digest(self.share_with.get(person.kuerzel, person.email))
            for person in self.directory.employees()
        }
        kept = self._kept()
        if not people and kept is not None and kept[1]:
            raise UpstreamMalformedError("advoware", "advoware answered no employee at all")
        self.client.set(EMPLOYEES, json.dumps({"at": self.now(), "people": people}), ex=KEEP_S)
        return people

    def _kept(self) -> tuple[float, dict[str, str]] | None:
        return remembered(self.client)
