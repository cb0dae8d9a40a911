"""What the senders say: parties that are edited, new leads, calls; much of it twice, and some of it late."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from typing import Any

from processes import get

from shared.webhook import sign

from .firm import LEAD_SECRET, SECRET, TEMPLATE_KEY, Firm
from .ledger import Ledger

ENTITY, PARTIES = "CBeteiligte", 300
PAUSES_S = (0.5, 2.0, 4.0)  # between the attempts of a sender; after the fourth it gives up
REPEATED, LATE, LATEST_S = 0.2, 0.3, 3.0
Headers = dict[str, str]


@dataclass(frozen=True)
class Telling:
    """One webhook: where it goes, what it says, and what is noted when its fate is known."""

    kind: str
    path: str
    raw: bytes
    headers: Callable[[], Headers]
    note: Callable[[bool], None]


@dataclass
class Traffic:
    """Makes tellings at random and sends them."""

    firm: Firm
    ledger: Ledger
    random: random.Random
    counts: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    _earlier: deque[Telling] = field(default_factory=lambda: deque(maxlen=300))
    _statements: list[Telling] = field(default_factory=list)
    _records: list[str] = field(default_factory=list)

    def open(self) -> None:
        """Enter the parties that there are from the beginning."""
        for _ in range(PARTIES):
            self._enter()

    def next(self) -> Telling:
        """Make one; what is chosen depends on the seed alone."""
        if self._earlier and self.random.random() < REPEATED:
            return self.random.choice(self._earlier)
        kinds = {self._update: 74, self._batch: 10, self._create: 1, self._lead: 2, self._call: 13}
        [make] = self.random.choices(list(kinds), list(kinds.values()))
        telling = make()
        self._earlier.append(telling)
        return telling

    def delay_s(self) -> float:
        """Say how late one arrives: most at once, some after others that were sent later."""
        return self.random.uniform(0, LATEST_S) if self.random.random() < LATE else 0.0

    def send(self, telling: Telling, stop: threading.Event) -> None:
        """Tell, and tell again as a sender does, four times at most."""
        for pause_s in (*PAUSES_S, 0.0):
            began = time.monotonic()
            status = self._tell(telling)
            self.seconds.append(time.monotonic() - began)
            self.statuses[status] += 1
            if status == 200:
                break
            stop.wait(pause_s)
        self.counts[telling.kind] += 1
        telling.note(status == 200)

    def _tell(self, telling: Telling) -> int:
        headers = {"Content-Type": "application/json", **telling.headers()}
        try:
            return get(self.firm.url + telling.path, headers, telling.raw)[0]
        except HTTPException:
            return 0

    def _enter(self) -> str:
        number = len(self._records) + 1
        name = f"Nr{number:06}"
        record = self.firm.espocrm.add(
            ENTITY, firstName="Person", lastName=name, addressStreet="Weg 0", emailAddress=f"p{number:06}@example.org"
        )
        self.ledger.versions[record], self.ledger.names[name] = 0, record
        self._records.append(record)
        return record

    def _edited(self, record: str) -> tuple[str, int]:
        version = self.ledger.versions[record] = self.ledger.versions[record] + 1
        self.firm.espocrm.edit(ENTITY, record, addressStreet=f"Weg {version}", silent=True)
        return record, version

    def _of_parties(self, kind: str, action: str, records: list[str]) -> Telling:
        edited = [self._edited(record) for record in records]

        def note(ok: bool) -> None:
            for record, version in edited:
                self.ledger.parties.note(record, version, ok=ok)

        raw = json.dumps([{"id": record} for record in records]).encode()
        return Telling(kind, f"/vmh/webhook/beteiligte/{action}", raw, dict, note)

    def _update(self) -> Telling:
        return self._of_parties("party", "update", [self.random.choice(self._records)])

    def _batch(self) -> Telling:
        return self._of_parties("batch", "update", self.random.sample(self._records, self.random.randint(2, 6)))

    def _create(self) -> Telling:
        return self._of_parties("new party", "create", [self._enter()])

    def _lead(self) -> Telling:
        number = self.ledger.sent["lead"] = self.ledger.sent.get("lead", 0) + 1
        form = {"typ": "mieter", "nachname": f"Mieter{number}", "email": f"lead{number}@example.org"}
        form |= {"nachricht": f"Anliegen Nummer {number}", "thema": "kaution"}
        headers = {"X-Webhook-Secret": LEAD_SECRET, "Idempotency-Key": f"lead-number-{number:06}"}

        def note(ok: bool) -> None:
            self.ledger.leads.note(f"lead-{number}", 1, ok=ok)

        return Telling("lead", "/api/leads/vermieterhelden", json.dumps(form).encode(), lambda: headers, note)

    def _call(self) -> Telling:
        if not self._statements:
            self._statements = self._statements_of_a_call()
        return self._statements.pop()

    def _statements_of_a_call(self) -> list[Telling]:
        number = self.ledger.sent["call"] = self.ledger.sent.get("call", 0) + 1
        start, caller = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3), f"+49511{number:07}"
        common = {"call_id": f"soak-{number}", "direction": "inbound", "caller": caller, "callee": "+4951198760"}

        def event(name: str, second: int, **more: Any) -> Telling:
            at = (start + timedelta(seconds=second)).isoformat()
            body = {"event": name, "timestamp": at, "extension": "102", **common, **more}
            return self._of_call(number, "webhook", body, last=name == "call.ended")

        report = {"call_type": "Inbound", "number": caller, "agent": "102", "duration": "00:00:20"}
        report |= {"started_at": (start + timedelta(seconds=2)).isoformat()}
        report |= {"ended_at": (start + timedelta(seconds=29)).isoformat()}
        told = [
            event("call.started", 0),
            event("call.transferred", 10, transferred_to="102"),
            event("call.ended", 30, answered=True, duration_s=20),
            self._of_call(number, "report-call", report, last=True),
        ]
        self.random.shuffle(told)
        return told

    def _of_call(self, number: int, what: str, body: dict[str, Any], *, last: bool) -> Telling:
        raw = json.dumps(body).encode()

        def headers() -> Headers:
            stamp = int(time.time())
            signed = {"X-3CX-Timestamp": str(stamp), "X-3CX-Signature": sign(raw, SECRET, stamp)}
            return {"X-API-Key": TEMPLATE_KEY, **signed}

        def note(ok: bool) -> None:
            if last:  # a call that only began is written once it has ended
                self.ledger.calls.note(f"call-{number}", 1, ok=ok)

        return Telling("call", f"/threecx/{what}", raw, headers, note)
