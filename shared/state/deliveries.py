"""Bring a queue's items to workers: by the Redis stream, or by the outbox of another transport."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, cast

import redis

from shared.state import keys
from shared.state.queue_base import QueueBase, queue_script
from shared.state.work import Message

_ACK, _UNSENT, _SENT = (queue_script(f"queue_{name}.lua") for name in ("ack", "unsent", "sent"))
_REMEMBERED = 10_000
_STEAL_PAGES = 10
_NO_GROUP = ("NOGROUP", "no such key", "requires the key to exist")  # after a flush


class Deliveries(QueueBase):
    """Reads and acknowledges stream messages; lists and strikes off what the outbox still holds."""

    _handed: OrderedDict[str, int]

    def read(self, consumer: str, *, count: int, block_ms: int) -> list[Message]:
        """Take new messages, waiting at most `block_ms` or what the socket timeout allows."""
        for _ in range(2):
            try:
                return self._read(consumer, count, block_ms)
            except redis.ResponseError as error:
                self._regroup(error)
        return []

    def steal(self, consumer: str, idle_ms: int) -> list[Message]:
        """Take over messages that a worker has held for too long."""
        stolen: list[Message] = []
        start = "0-0"
        try:
            for _ in range(_STEAL_PAGES):
                page = cast(
                    Any,
                    self._client.xautoclaim(
                        self._named["queue"], keys.QUEUE_GROUP, consumer, min_idle_time=idle_ms, start_id=start
                    ),
                )
                start = page[0]
                stolen += _messages(page[1])
                if start == "0-0":
                    break
        except redis.ResponseError as error:
            self._regroup(error)
        return stolen

    def ack(self, stream_id: str) -> bool:
        """Strike a message off the stream."""
        return bool(self._run(_ACK, keys.QUEUE_GROUP, stream_id))

    def unsent(self, *, older_than_s: float, count: int) -> list[tuple[str, str]]:
        """List (op, item) that the transport has not taken for so long, the oldest first."""
        flat = self._run(_UNSENT, int(older_than_s * 1000), count)
        members, scores = flat[::2], flat[1::2]
        for member, score in zip(members, scores, strict=True):
            self._handed.pop(member, None)
            self._remember(member, int(float(score)))
        return [cast(tuple[str, str], tuple(member.split("|", 1))) for member in members]

    def sent(self, op: str, item: str, at_us: int | None = None) -> bool:
        """Strike off a hand-off, unless the item was announced again after `at_us` (or after we last saw it)."""
        member = f"{op}|{item}"
        seen = self._handed.pop(member, None)
        newest = at_us if at_us is not None else seen
        return bool(self._run(_SENT, member, "" if newest is None else newest))

    def _read(self, consumer: str, count: int, block_ms: int) -> list[Message]:
        stream = self._named["queue"]
        found = self._client.xreadgroup(
            keys.QUEUE_GROUP, consumer, {stream: ">"}, count=count, block=self._block(block_ms)
        )
        streams = cast(Any, found) or []
        pairs = streams.items() if isinstance(streams, dict) else streams
        return [message for _, entries in pairs for message in _messages(entries)]

    def _remember(self, member: str, at_us: int) -> None:
        self._handed.setdefault(member, at_us)  # the older one belongs to a hand-off that is still under way
        while len(self._handed) > _REMEMBERED:
            self._handed.popitem(last=False)

    def _block(self, block_ms: int) -> int | None:
        timeout_s = self._client.connection_pool.connection_kwargs.get("socket_timeout")
        longest = block_ms if timeout_s is None else min(block_ms, int(timeout_s * 600))
        return longest if longest > 0 else None

    def _regroup(self, error: redis.ResponseError) -> None:
        if "UNBLOCKED" in str(error):  # the stream vanished while we waited
            return
        if not any(sign in str(error) for sign in _NO_GROUP):
            raise error
        try:
            self._client.xgroup_create(self._named["queue"], keys.QUEUE_GROUP, id="0", mkstream=True)
        except redis.ResponseError as race:
            if "BUSYGROUP" not in str(race):
                raise


def _messages(entries: Iterable[Any]) -> list[Message]:
    whole = (entry for entry in entries if entry and entry[0] and entry[1])  # deleted ones come without fields
    return [Message(stream_id, fields["item"], fields.get("request", "")) for stream_id, fields in whole]
