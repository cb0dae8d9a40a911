"""Say whether a process could do its work now: its settings, Redis, and that Redis keeps what it acknowledges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shared.settings.base import read
from shared.settings.common import CommonSettings, RedisSettings
from shared.web.problems import is_redis_error

if TYPE_CHECKING:
    from redis import Redis

MANAGED = "REDIS_DURABILITY=managed: the operator vouches for the durability of Redis"


@dataclass
class Readiness:
    """What is missing, and what somebody should know."""

    missing: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def look(
    settings: CommonSettings,
    needs: Callable[[], list[str]],
    redis: Callable[[], Redis | None],
    sends: Callable[[], list[str]] = list,
) -> Readiness:
    """Look at settings and Redis; weak durability, and events without a way out, stop production only."""
    found = Readiness(missing=list(needs()))
    if settings.production:
        found.missing.extend(sends())
    else:
        found.warnings.extend(f"{name} is missing: events wait in the outbox" for name in sends())
    client = redis()
    if client is None:
        return found
    try:
        client.ping()
    except Exception as error:
        if not is_redis_error(error):
            raise
        found.missing.append("redis: cannot be reached")
        return found
    if read(RedisSettings).durability == "managed":
        found.warnings.append(MANAGED)
    else:
        (found.missing if settings.production else found.warnings).extend(weak_durability(client))
    return found


def weak_durability(client: Redis) -> list[str]:
    """Name each setting with which a reachable Redis may lose acknowledged work."""
    from shared.state.connection import durability_problems

    try:
        return [f"redis: {problem}" for problem in durability_problems(client)]
    except Exception as error:
        if not is_redis_error(error):
            raise
        return ["redis: CONFIG GET is refused, so durability is unknown (REDIS_DURABILITY=managed vouches for it)"]
