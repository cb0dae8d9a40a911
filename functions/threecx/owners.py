"""To which user of EspoCRM a call belongs: by the map of extensions, else by the e-mail address of who spoke."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from functions.threecx.call import Call
from shared.errors import IntegrationError, UpstreamError
from shared.espocrm.client import EspoCrmClient
from shared.log import get_log

log = get_log(__name__)
T = TypeVar("T")
KEPT_S = 600
_NOT_ALLOWED = frozenset({400, 403, 404})  # the API user may not see users: then there are none


@dataclass
class Remembered(Generic[T]):
    """An answer that is asked for every ten minutes at most."""

    fetch: Callable[[], T]
    _until: float = 0.0
    _answer: list[T] = field(default_factory=list)

    def __call__(self) -> T:
        """Give the answer."""
        if not self._answer or time.monotonic() >= self._until:
            self._answer, self._until = [self.fetch()], time.monotonic() + KEPT_S
        return self._answer[0]


@dataclass(frozen=True)
class Owners:
    """Finds owners; what the operator has written into the map wins."""

    by_extension: Mapping[str, str]
    espocrm: EspoCrmClient
    agents: Callable[[], Mapping[str, str]]
    default: str = ""

    def of(self, call: Call) -> str:
        """Name the user to whom a call belongs; an extension that nobody knows belongs to the default one."""
        if not call.agent:
            return self.default
        known = self.by_extension.get(call.agent)
        return known or self._user(call.agent_email or self._address(call.agent)) or self.default

    def _address(self, agent: str) -> str:
        """Ask the phone system, where it has a list; a call is not kept waiting for it."""
        try:
            return self.agents().get(agent, "")
        except IntegrationError as error:
            log.warning("agents_unknown", slug=error.slug)
            return ""

    def _user(self, address: str) -> str:
        if "@" not in address:
            return ""
        where = [
            {"type": "equals", "attribute": "emailAddress", "value": address},
            {"type": "isTrue", "attribute": "isActive"},
        ]
        try:
            found = self.espocrm.find("User", where, select=("userName",), limit=2)
        except UpstreamError as error:
            if error.upstream_status not in _NOT_ALLOWED:
                raise
            log.warning("users_unreadable", status=error.upstream_status)
            return ""
        return str(found[0]["id"]) if len(found) == 1 else ""
