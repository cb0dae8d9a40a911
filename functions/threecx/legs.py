"""Pure: from the legs that a phone system shows, phone by phone, to events of calls, each told once.

Five phones of a ring group ring for one call; a queue lets go of a call and takes it again; a transfer empties a call
for a moment. So a call is over only when it has had no leg for two seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared.clock import iso

SETTLE = timedelta(seconds=2)
OUTSIDE = "wexternalline"
Told = dict[str, Any]
Place = tuple[str, str]  # extension and participant id


@dataclass(frozen=True)
class Leg:
    """One phone's part in a call."""

    dn: str
    id: str
    callid: str
    ringing: bool
    connected: bool
    caller: str
    called: str
    queue: str

    @classmethod
    def of(cls, dn: str, row: Mapping[str, Any]) -> Leg | None:
        """Read a participant; None for inside calls and for those that this phone has begun."""
        if str(row.get("party_dn_type") or "").lower() != OUTSIDE or str(row.get("originated_by_dn") or "") == dn:
            return None
        status, behalf = str(row.get("status") or "").lower(), str(row.get("on_behalf_of_dn_type") or "").lower()
        return cls(
            dn,
            str(row.get("id") or ""),
            str(row.get("callid") or ""),
            status == "ringing",
            status == "connected",
            str(row.get("party_caller_id") or ""),
            str(row.get("party_did") or ""),
            str(row.get("on_behalf_of_dn") or "") if "queue" in behalf else "",
        )


@dataclass
class Ongoing:
    """A call under way."""

    call_id: str
    caller: str
    called: str
    told: bool
    agent: str = ""
    queue: str = ""
    answered_at: datetime | None = None
    empty_since: datetime | None = None
    legs: dict[Place, Leg] = field(default_factory=dict)


class Tracker:
    """Remembers the calls under way and says what is new."""

    def __init__(self) -> None:
        self._calls: dict[str, Ongoing] = {}

    def upsert(self, leg: Leg, now: datetime) -> list[Told]:
        """Take note of a leg as it is now; said again it says nothing new."""
        told, call = [], self._calls.get(leg.callid)
        if call is None:
            if not (leg.ringing or leg.connected):
                return []
            call = self._begin(leg, now)
            if call.told:
                told.append(_event("call.started", call, now, extension=leg.dn, queue=leg.queue))
        call.legs[leg.dn, leg.id], call.empty_since = leg, None
        call.queue = call.queue or leg.queue
        if leg.connected and call.agent != leg.dn:
            told += self._take_over(call, leg, now)
        return told

    def remove(self, dn: str, leg_id: str, now: datetime) -> list[Told]:
        """Take note that a leg is gone."""
        for call in self._calls.values():
            if call.legs.pop((dn, leg_id), None) and not call.legs:
                call.empty_since = now
        return self.tick(now)

    def snapshot(self, legs: Iterable[Leg], now: datetime) -> list[Told]:
        """Compare with everything there is: what is not there any more has gone unheard."""
        there = list(legs)
        places = {(leg.dn, leg.id) for leg in there}
        gone = [place for call in self._calls.values() for place in call.legs if place not in places]
        told = [each for place in gone for each in self.remove(*place, now)]
        return told + [each for leg in there for each in self.upsert(leg, now)]

    def tick(self, now: datetime) -> list[Told]:
        """Say which calls have been over for long enough."""
        over = [
            (key, call) for key, call in self._calls.items() if call.empty_since and now - call.empty_since >= SETTLE
        ]
        for key, _ in over:
            del self._calls[key]
        return [self._end(call) for _, call in over if call.told]

    def _begin(self, leg: Leg, now: datetime) -> Ongoing:
        """Open a call; one that is first seen when people talk already is followed in silence."""
        call = Ongoing(f"{leg.callid}-{int(now.timestamp())}", leg.caller, leg.called, leg.ringing, queue=leg.queue)
        self._calls[leg.callid] = call
        return call

    def _take_over(self, call: Ongoing, leg: Leg, now: datetime) -> list[Told]:
        before, call.agent = call.agent, leg.dn
        if not before:
            call.answered_at = now
            return []
        moved = _event("call.transferred", call, now, extension=before, transferred_to=leg.dn)
        return [moved] if call.told else []

    def _end(self, call: Ongoing) -> Told:
        at = call.empty_since
        assert at is not None
        answered = call.answered_at is not None
        length = {"duration_s": (at - call.answered_at).total_seconds()} if call.answered_at else {}
        return _event("call.ended", call, at, extension=call.agent, queue=call.queue, answered=answered, **length)


def _event(name: str, call: Ongoing, at: datetime, **more: Any) -> Told:
    body = {
        "event": name,
        "call_id": call.call_id,
        "direction": "inbound",
        "caller": call.caller,
        "callee": call.called,
    }
    return body | {"timestamp": iso(at)} | {key: value for key, value in more.items() if value != ""}
