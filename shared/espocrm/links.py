"""Remember which party of Advoware belongs to which of EspoCRM's records, and what is open between them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast

from shared.state import keys
from shared.state.choices import Choices

if TYPE_CHECKING:
    import redis

LINKS: Final = "vmh:beteiligte:links"  # HASH id -> betNr, fields filled by us, version seen; for ever
INTENTS: Final = "vmh:beteiligte:intents"  # HASH id -> a POST under way or of unknown outcome; until known
WATERMARK: Final = "vmh:beteiligte:watermark"  # STRING EspoCRM's time up to which all records were seen; for ever
_NAMING: Final = "vmh:beteiligte:naming:"  # STRING, keyed hash of a name -> id; while a party of that name is created
_RELEASE: Final = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


@dataclass(frozen=True)
class Link:
    """One record's party; `seen` and `mark` tell what of the record has arrived there."""

    bet_nr: int
    filled: tuple[str, ...] = ()
    seen: str = ""
    mark: str = ""
    gone: bool = False


@dataclass(frozen=True)
class Intent:
    """A POST that may have been processed: what it said (hashed), who was there before, when it is surely over."""

    digest: str
    before: tuple[int, ...]
    over_at_ms: int


class PartyLinks(Choices):
    """The links in DB 1; it holds numbers and hashes, no personal data."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__(client, keys.BETEILIGTE)

    def now_ms(self) -> int:
        """Tell Redis's time."""
        seconds, micros = cast(Any, self._client.time())
        return int(seconds) * 1000 + int(micros) // 1000

    def of(self, record_id: str) -> Link | None:
        """Find a record's party."""
        value = cast(Any, self._client.hget(LINKS, record_id))
        return _link(value) if value else None

    def some(self, record_ids: Iterable[str]) -> dict[str, Link]:
        """Find the parties of many records."""
        ids = list(record_ids)
        values = cast(Any, self._client.hmget(LINKS, ids)) if ids else []
        return {each: _link(value) for each, value in zip(ids, values, strict=True) if value}

    def all(self) -> dict[str, Link]:
        """List all links, page by page."""
        return {each: _link(value) for each, value in cast(Any, self._client.hscan_iter(LINKS, count=1000))}

    def is_shared(self, bet_nr: int, record_id: str) -> bool:
        """Tell whether another living record belongs to the same party."""
        return any(link.bet_nr == bet_nr and not link.gone for each, link in self.all().items() if each != record_id)

    def bind(self, record_id: str, bet_nr: int) -> Link:
        """Note the party before anything else is written; an open POST has found its outcome."""
        known = self.of(record_id)
        link = known if known and known.bet_nr == bet_nr else Link(bet_nr)
        pipe = self._client.pipeline(transaction=True)
        pipe.hset(LINKS, record_id, _text(link))
        pipe.hdel(INTENTS, record_id)
        pipe.execute()
        return link

    def finish(self, record_id: str, link: Link) -> None:
        """Note what has arrived, and forget what a person was asked."""
        pipe = self._client.pipeline(transaction=True)
        pipe.hset(LINKS, record_id, _text(link))
        for key in (INTENTS, self._candidates, self._chosen):
            pipe.hdel(key, record_id)
        pipe.execute()

    def mark_gone(self, record_id: str, bet_nr: int) -> None:
        """Keep the number of a deleted record: its deletion may be delivered again."""
        self.finish(record_id, replace(self.of(record_id) or Link(bet_nr), bet_nr=bet_nr, gone=True))

    def intent(self, record_id: str) -> Intent | None:
        """Find an open POST."""
        value = cast(Any, self._client.hget(INTENTS, record_id))
        fields = json.loads(value) if value else None
        return Intent(fields["digest"], tuple(fields["before"]), fields["over_at_ms"]) if fields else None

    def open_intent(self, record_id: str, intent: Intent) -> None:
        """Note a POST before it is sent, or what has become known of it."""
        self._client.hset(INTENTS, record_id, json.dumps(asdict(intent)))

    def close_intent(self, record_id: str) -> None:
        """Forget a POST that was surely not processed."""
        self._client.hdel(INTENTS, record_id)

    def take_name(self, name_hash: str, record_id: str, ttl_s: float) -> bool:
        """Reserve a name, so that two records of one person do not become two parties at the same moment."""
        key = _NAMING + name_hash
        taken = self._client.set(key, record_id, nx=True, px=int(ttl_s * 1000))
        return bool(taken) or self._client.get(key) == record_id

    def free_name(self, name_hash: str, record_id: str) -> None:
        """Give a name free, if it is still ours."""
        self._client.eval(_RELEASE, 1, _NAMING + name_hash, record_id)

    def watermark(self) -> str | None:
        """Tell up to which moment of EspoCRM's clock all records were seen."""
        value = cast(Any, self._client.get(WATERMARK))
        return str(value) if value else None

    def set_watermark(self, moment: str) -> None:
        """Move the watermark; a lower one costs work, never a record."""
        self._client.set(WATERMARK, moment)


def _link(value: str) -> Link:
    fields = json.loads(value)
    return Link(**{**fields, "filled": tuple(fields["filled"])})


def _text(link: Link) -> str:
    return json.dumps(asdict(link), separators=(",", ":"))
