"""The last leads and calls as an operator may see them: ids, times, what became of them; numbers masked, no names."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from functions.ops.snapshot import Trace
from functions.ops.words import CALLS, DIRECTIONS, LEADS, masked
from shared.settings.base import read
from shared.settings.common import CommonSettings
from shared.settings.threecx import ThreeCxSettings
from shared.state import recent

if TYPE_CHECKING:
    import redis

    from shared.domain.call import Event

SHOWN = 10


def last_leads(client: redis.Redis) -> list[Trace]:
    """Give the last leads; of their content nothing is read."""
    from shared.state.leads import RECORD

    rows = recent.last(client, recent.LEADS, SHOWN)
    pipe = client.pipeline(transaction=False)
    for lead_id, _ in rows:
        pipe.hmget(RECORD + lead_id, ["state", "crm_id"])
    notes = pipe.execute() if rows else []
    return [
        Trace(lead_id, _moment(at_ms), LEADS.get(state or "", state or "abgelaufen"), in_crm=bool(crm_id))
        for (lead_id, at_ms), (state, crm_id) in zip(rows, notes, strict=True)
    ]


def last_calls(client: redis.Redis, common: CommonSettings) -> list[Trace] | None:
    """Give the last calls, one line for each record in EspoCRM; None when their events cannot be opened here."""
    from shared.threecx.seal import Sealer, base_key
    from shared.threecx.store import CallStore

    rows = recent.last(client, recent.CALLS, SHOWN * 2)
    if not rows:
        return []
    store = CallStore(client, Sealer(base_key(common, read(ThreeCxSettings))))
    names = [key for key, _ in rows]
    events, bindings = store.many(names), store.bindings(names)
    if not events:
        return None
    traces: dict[str, Trace] = {}
    for key, at_ms in rows:
        record = bindings[key].record if key in bindings else ""
        if key in events:
            traces.setdefault(record or key, _call(record or key, at_ms, events[key], bool(record)))
    return list(traces.values())[:SHOWN]


def _call(name: str, at_ms: int, events: Iterable[Event], in_crm: bool) -> Trace:
    said = {str(event.said) for event in events}
    latest = next((words for word, words in reversed(list(CALLS.items())) if word in said), "")
    number = next((event.number for event in events if event.number), "")
    direction = next((event.direction for event in events if event.direction), "")
    more = " ".join(filter(None, (DIRECTIONS.get(direction, ""), masked(number))))
    return Trace(name, _moment(at_ms), latest, more, in_crm)


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
