"""Run Lua files by their hash, and send one again only where that is safe."""

import hashlib
import time
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import redis

MAX_SENDS = 3
RESEND_WITHIN_S = 1.0  # a later repeat would break the two seconds a webhook has for Redis

Argument = str | int | float


class NotReplicatedError(redis.RedisError):
    """Too few replicas confirmed a write in time."""


class Script:
    """One Lua file beside its caller, with the shared functions it needs in front."""

    def __init__(self, name: str, *, repeatable: bool, prelude: str | None = None) -> None:
        """Read the file; `repeatable` says that a second send of the same arguments changes nothing more."""
        self.source = "\n".join(_read(part) for part in (prelude, name) if part)
        self.sha = hashlib.sha1(self.source.encode(), usedforsecurity=False).hexdigest()
        self.name = name
        self.repeatable = repeatable

    def __call__(
        self, client: redis.Redis, keys: Sequence[str], args: Sequence[Argument] = (), *, replicas: int = 0
    ) -> Any:
        """Run it; after a broken connection or a timeout at most twice more, and only if that is safe."""
        started = time.monotonic()
        for sends in range(1, MAX_SENDS + 1):
            try:
                return self._once(client, keys, args, replicas)
            except (redis.ConnectionError, redis.TimeoutError):
                spent = time.monotonic() - started
                if not self.repeatable or sends == MAX_SENDS or spent > RESEND_WITHIN_S:
                    raise
        raise AssertionError("unreachable")

    def _once(self, client: redis.Redis, keys: Sequence[str], args: Sequence[Argument], replicas: int) -> Any:
        try:
            return self._send(client, keys, args, replicas)
        except redis.exceptions.NoScriptError:  # it has not run, so any script may be sent again
            client.script_load(self.source)
            return self._send(client, keys, args, replicas)

    def _send(self, client: redis.Redis, keys: Sequence[str], args: Sequence[Argument], replicas: int) -> Any:
        if not replicas:
            return client.evalsha(self.sha, len(keys), *keys, *args)
        pipe = client.pipeline(transaction=False)  # WAIT speaks of the connection's own writes
        pipe.evalsha(self.sha, len(keys), *keys, *args)
        pipe.set(f"{keys[0]}:waited", 1, ex=60)  # so there has to be one: a repeat of an ADD may write nothing itself
        pipe.wait(replicas, 200)
        result, _, confirmed = pipe.execute()
        if int(confirmed) < replicas:
            raise NotReplicatedError(f"{confirmed} of {replicas} replicas confirmed the write")
        return result


def _read(name: str) -> str:
    return files(__package__ or "shared.state").joinpath(name).read_text("utf-8")
