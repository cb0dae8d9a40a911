"""Keep leads until EspoCRM has them: encrypted, each once, found for erasure by keyed hashes only."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, cast

import redis

from shared.crypto import Vault
from shared.log import get_log
from shared.state import keys
from shared.state.agreements import Agreements
from shared.state.choices import Choices
from shared.state.queue_base import queue_script
from shared.state.script import Argument, NotReplicatedError, Script

log = get_log(__name__)
_ACCEPT = queue_script("leads_accept.lua")
_NOTE, _ERASE, _APART, _HOLD, _FREE = (
    Script(f"leads_{name}.lua", repeatable=True) for name in ("note", "erase", "apart", "hold", "free")
)
RECORD: Final = "lead:record:"  # HASH of one lead; 30 days, spam as long as configured
PAYLOAD: Final = "lead:payload:"  # STRING sealed body of spam that ends before its record does; as configured
MARK: Final = "lead:content:"  # STRING id of the lead with this content; 30 min
WHO: Final = "lead:who:"  # SET of a sender's lead ids, by keyed hash; as its newest record
VISITOR: Final = "lead:visitor:"  # STRING counters; 1 h and 1 day
TEXT: Final = "lead:text:"  # SET of senders of one text, by keyed hash; 1 day
RATE: Final = "lead:rate:"  # STRING end of a sender's booked minutes in ms; as long as it lies ahead
HELD: Final = "lead:held:"  # STRING token of who works on leads of one address or number; 1 min
OPEN: Final = "lead:open"  # ZSET id -> s since when a conflict check waits for Advoware; until done
ONCE: Final = "lead:once:"  # STRING marks of what may happen once in a while; an hour or a day
ERASED: Final = "geloescht"  # the state that never ends: nothing is noted any more
KEPT_S, WINDOW_MS, HELD_MS = 30 * 86400, 30 * 60 * 1000, 60_000


@dataclass(frozen=True)
class Arrival:
    """What the receiver knows of a lead when it stores it; everything personal is a keyed hash or encrypted."""

    lead_id: str
    body_hashes: Sequence[str]  # by every key of ours, the present one first
    payload: bytes = field(repr=False)
    answer: str = "{}"
    given: bool = True
    older_ids: Sequence[str] = ()  # where the key was given
    contents: Sequence[str] = ()  # by every key of ours, where it was not
    who: Sequence[str] = ()  # the addresses and numbers of its sender
    visitor: str = ""
    text: str = ""
    sender: str = "any"
    request_id: str = ""


@dataclass(frozen=True)
class Accepted:
    """What became of an arrival: new, replay or conflict."""

    kind: str
    lead_id: str
    answer: str


@dataclass(frozen=True)
class Record:
    """A lead as it is kept; `payload` is gone once EspoCRM has it."""

    lead_id: str
    payload: bytes | None = field(repr=False)
    notes: Mapping[str, str] = field(default_factory=dict)

    def note(self, name: str) -> str:
        """Give one note, or an empty text."""
        return self.notes.get(name, "")

    def number(self, name: str) -> int:
        """Give one note as a number."""
        value = self.notes.get(name, "")
        return int(value) if value.lstrip("-").isdigit() else 0


class LeadStore:
    """The records of leads, and the few marks around them."""

    def __init__(
        self, client: redis.Redis, vault: Vault, *, outbox: bool = False, replicas: int = 0, kept_s: int = KEPT_S
    ) -> None:
        self.client, self.vault = client, vault
        self._outbox, self._replicas, self._kept_s = outbox, replicas, kept_s
        self.choices, self.agreements = Choices(client, keys.LEAD), Agreements(client, vault)

    def accept(self, arrival: Arrival, rate_per_minute: int = 0) -> Accepted:
        """Note key, payload and pending work in one step."""
        names = [
            *keys.queue_keys(keys.LEAD),
            keys.LEAD_PENDING,
            RECORD + arrival.lead_id,
            _key(MARK, arrival.contents[0] if arrival.contents else ""),
            _key(VISITOR, arrival.visitor, ":hour"),
            _key(VISITOR, arrival.visitor, ":day"),
            _key(TEXT, arrival.text),
            RATE + arrival.sender,
            *(WHO + each for each in arrival.who),
            *(RECORD + each for each in arrival.older_ids),
            *(MARK + each for each in arrival.contents[1:]),
        ]
        sealed = self.vault.seal(arrival.payload, arrival.lead_id)
        args: list[Argument] = [
            int(self._outbox),
            "intake",
            arrival.lead_id,
            secrets.token_hex(16),
            ",".join(arrival.body_hashes),
            sealed,
        ]
        args += [arrival.answer, int(arrival.given), self._kept_s, WINDOW_MS, rate_per_minute]
        args += [next(iter(arrival.who), arrival.lead_id), len(arrival.who), arrival.request_id]
        try:
            kind, lead_id, answer, *_ = _ACCEPT(self.client, names, args, replicas=self._replicas)
        except NotReplicatedError:
            log.error("lead_not_replicated", lead_id=arrival.lead_id)  # its sender may never come again
            kind, lead_id, answer, *_ = _ACCEPT(self.client, names, args)
        return Accepted(kind, lead_id, answer)

    def load(self, lead_id: str) -> Record | None:
        """Read a lead; None when nobody knows it."""
        found = cast(Any, self.client.hgetall(RECORD + lead_id))
        if not found:
            return None
        sealed = found.pop("payload", None)
        if sealed is None and "apart" in found:
            sealed = cast(Any, self.client.get(PAYLOAD + lead_id))
        return Record(lead_id, self.vault.open(sealed, lead_id) if sealed else None, found)

    def note(self, lead_id: str, drop: Iterable[str] = (), **values: str | int) -> bool:
        """Write notes on a record that is there and not erased; False where it is not."""
        flat = [part for pair in values.items() for part in pair]
        return bool(_NOTE(self.client, [RECORD + lead_id, PAYLOAD + lead_id], [",".join(drop), *flat]))

    def erase(self, lead_id: str) -> None:
        """Drop what is personal of a lead for good; whoever has it in hand finds it erased."""
        _ERASE(self.client, [RECORD + lead_id, PAYLOAD + lead_id], [])

    def is_erased(self, lead_id: str) -> bool:
        """Tell whether somebody erased a lead."""
        return self.client.hget(RECORD + lead_id, "state") == ERASED

    def keep_payload_for(self, lead_id: str, days: int) -> None:
        """Let a body end some days from now; key and hash of the body stay as long as those of every lead."""
        record, seconds = RECORD + lead_id, days * 86400
        if seconds >= self._kept_s:
            self.client.expire(record, seconds)
        else:
            _APART(self.client, [record, PAYLOAD + lead_id], [seconds])

    @contextmanager
    def holding(self, digests: Sequence[str], lead_id: str) -> Iterator[bool]:
        """Let one lead at a time look for and create what belongs to an address or number.

        The lead itself is the holder, so that whoever takes over from a dead worker need not wait.
        """
        names = [HELD + each for each in sorted(set(digests))]
        held = not names or bool(_HOLD(self.client, names, [lead_id, HELD_MS]))
        try:
            yield held
        finally:
            if held and names:
                _FREE(self.client, names, [lead_id])

    def once(self, name: str, value: str, seconds: int, older: Iterable[str] = ()) -> str:
        """Take a mark that holds for a while, and tell who has it: `value` when it is ours.

        `older` are the names that the same mark had by older keys.
        """
        for each in older:
            if holder := self.client.get(ONCE + each):
                return str(holder)
        self.client.set(ONCE + name, value, nx=True, ex=seconds)
        return str(self.client.get(ONCE + name) or value)

    def ids_of(self, digests: Iterable[str]) -> list[str]:
        """List the leads of a sender."""
        found: set[str] = set()
        for each in digests:
            found |= cast(Any, self.client.smembers(WHO + each))
        return sorted(found)

    def forget_who(self, digests: Iterable[str]) -> None:
        """Forget which leads belong to an address or number."""
        for each in digests:
            self.client.delete(WHO + each)

    def open_checks(self) -> list[str]:
        """List the leads whose conflict check waits for Advoware, the oldest first."""
        return list(cast(Any, self.client.zrange(OPEN, 0, 99)))

    def set_open(self, lead_id: str, since_s: float | None) -> None:
        """Note that a check waits, or no longer does."""
        if since_s is None:
            self.client.zrem(OPEN, lead_id)
        else:
            self.client.zadd(OPEN, {lead_id: since_s}, nx=True)

    def revive(self, lead_id: str, crm_id: str) -> None:
        """Know a lead again whose record has ended, so that a person's decision about it can be worked off."""
        pipe = self.client.pipeline(transaction=True)
        pipe.hset(RECORD + lead_id, mapping={"id": lead_id, "state": "bestaetigt", "crm_id": crm_id, "way": "lead"})
        pipe.expire(RECORD + lead_id, self._kept_s)
        pipe.execute()


def _key(prefix: str, digest: str, suffix: str = "") -> str:
    return f"{prefix}{digest}{suffix}" if digest else ""
