"""What every part of a work queue needs: its keys and a way to run its scripts."""

from typing import Any

import redis

from shared.state import keys
from shared.state.script import Argument, Script
from shared.state.work import QueueSpec


def queue_script(name: str) -> Script:
    """Load one of the queue's scripts; all of them may be sent twice."""
    return Script(name, repeatable=True, prelude="queue.lua")


class QueueBase:
    """Runs scripts over the keys of one queue."""

    def __init__(self, client: redis.Redis, spec: QueueSpec, *, outbox: bool = False, replicas: int = 0) -> None:
        """Hand off through the stream, or through the outbox when the transport is not Redis."""
        self.spec, self.outbox, self._client, self._replicas = spec, outbox, client, replicas
        self._keys = [*keys.queue_keys(spec.name), *spec.sets.values()]
        self._named = dict(zip(keys.QUEUE_SUFFIXES, self._keys, strict=False))
        self._common: list[Argument] = [int(outbox), ",".join(spec.sets)]

    def _run(self, script: Script, *args: Argument, replicas: int = 0) -> Any:
        return script(self._client, self._keys, [*self._common, *args], replicas=replicas)
