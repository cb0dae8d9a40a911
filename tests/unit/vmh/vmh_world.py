"""Both systems as doubles, a store in memory, and the party sync between them."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any

import redis

from functions.vmh_webhooks.deps import Deps, Settings, make_deps
from sandbox.advoware import Advoware
from sandbox.espocrm import EspoCrm
from sandbox.server import serve
from shared.events.bus import Bus
from shared.events.runner import Outcome
from shared.events.task import Subscriber
from shared.events.topics import PARTIES_QUEUE, PARTY
from shared.settings.advoware import AdvowareSettings
from shared.settings.base import read
from shared.settings.espocrm import EspoCrmSettings
from shared.settings.parties import FieldSettings

ENTITY = "CBeteiligte"
ANNA = {
    "firstName": "Anna",
    "lastName": "Groß",
    "salutationName": "Ms.",
    "emailAddress": "anna@example.org",
    "phoneNumber": "+495111234567",
    "addressStreet": "Lange Str. 1",
    "addressPostalCode": "30159",
    "addressCity": "Hannover",
}


class World:
    """What tests touch: `espocrm` and `advoware` with their hands, `deps`, and `work`."""

    def __init__(self, client: redis.Redis, stack: ExitStack, **environ: str) -> None:
        self.client = client
        self.espocrm, self.advoware = EspoCrm(), Advoware()
        self.urls = [stack.enter_context(serve(double)).url for double in (self.espocrm, self.advoware)]
        self.environ = {
            **self.espocrm.env(self.urls[0]),
            **self.advoware.env(self.urls[1]),
            "ADVOWARE_TIMEOUT_SECONDS": "1",
            "ESPOCRM_TIMEOUT_SECONDS": "1",
            **environ,
        }
        self.bus = Bus("vmh_webhooks")
        self.deps = self.make_deps()

    def make_deps(self, settle_s: float = 0.0, **environ: str) -> Deps:
        """Make the sync as a process of its own would have it."""
        source = {**self.environ, **environ}
        settings = Settings(read(EspoCrmSettings, source), read(AdvowareSettings, source), read(FieldSettings, source))
        deps = make_deps(settings, self.bus, settle_s=settle_s)
        for http in (deps.sync.espocrm._http, deps.sync.parties._client._http):
            http.sleep = lambda _seconds: None
        return deps

    def handle(self, task: Any) -> None:
        self.deps.sync.handle(task)

    @property
    def queue(self):
        return self.bus.queue(PARTIES_QUEUE)

    @property
    def links(self):
        return self.deps.sync.links

    def run(self, record_id: str) -> Outcome:
        """Work one record off as a worker would."""
        subscribers = {PARTY + op: Subscriber(self.handle) for op in ("create", "update", "delete")}
        return self.bus.runner(PARTIES_QUEUE, subscribers).run(record_id)

    def work(self, record_id: str, op: str = "update") -> Outcome:
        """Announce one record and work it off."""
        self.queue.add(op, [record_id])
        return self.run(record_id)

    def drain(self, within_s: float = 10.0) -> None:
        """Work off everything that is pending, retries included, without waiting longer than needed."""
        ends = time.monotonic() + within_s
        while ids := self.pending():
            assert time.monotonic() < ends, "never done"
            for record_id in ids:
                self.run(record_id)

    def pending(self) -> list[str]:
        return sorted({each for key in self.queue.spec.sets.values() for each in self.client.smembers(key)})

    def anna(self, **fields: Any) -> str:
        return self.espocrm.add(ENTITY, **{**ANNA, **fields})

    def parties(self) -> list[dict[str, Any]]:
        return self.advoware.registry.parties()

    def party(self, record_id: str) -> dict[str, Any]:
        """Give the party that the record names."""
        return self.advoware.registry.party(self.espocrm.get(ENTITY, record_id)["betnr"])

    def writes(self) -> int:
        """Count what was written on both sides through their APIs."""
        boards = (self.espocrm.board, self.advoware.board)
        methods = ("POST", "PUT", "DELETE", "PATCH")
        return sum(call.method in methods and "Token" not in call.path for board in boards for call in board.calls)

    def forget_calls(self) -> None:
        self.espocrm.board.forget_calls()
        self.advoware.board.forget_calls()
