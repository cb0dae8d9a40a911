"""Show what was given up, and put it back when a person says so."""

import re
from typing import Any, cast

from shared.state.queue_base import QueueBase, queue_script
from shared.state.work import DeadLetter

_REDRIVE = queue_script("queue_redrive.lua")
_STREAM_ID = re.compile(r"\d{1,20}-\d{1,20}")


class DeadLetters(QueueBase):
    """The dead letters of one queue."""

    def dead(self, *, count: int) -> list[DeadLetter]:
        """List the oldest dead letters."""
        entries = cast(Any, self._client.xrange(self._named["dead"], count=count))
        return [_letter(stream_id, fields) for stream_id, fields in entries]

    def dead_letter(self, dead_id: str) -> DeadLetter | None:
        """Fetch one dead letter."""
        if not _STREAM_ID.fullmatch(dead_id):
            return None
        entries = cast(Any, self._client.xrange(self._named["dead"], dead_id, dead_id))
        return _letter(*entries[0]) if entries else None

    def redrive(self, dead_id: str) -> bool:
        """Put a dead letter back to work; False when it is not there (any more)."""
        return bool(_STREAM_ID.fullmatch(dead_id) and self._run(_REDRIVE, dead_id, 1))

    def discard(self, dead_id: str) -> bool:
        """Throw a dead letter away; False when it is not there (any more)."""
        return bool(_STREAM_ID.fullmatch(dead_id) and self._run(_REDRIVE, dead_id, 0))


def _letter(stream_id: str, fields: dict[str, str]) -> DeadLetter:
    return DeadLetter(
        id=stream_id,
        item=fields["item"],
        ops=frozenset(filter(None, fields["ops"].split(","))),
        attempts=int(fields["attempts"]),
        error=fields["error"],
        at_ms=int(stream_id.partition("-")[0]),
    )
