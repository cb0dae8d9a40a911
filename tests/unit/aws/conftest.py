"""A bus over a Redis in memory, with SQS as a list."""

from __future__ import annotations

import fakeredis
import pytest

from shared.events import bus as bus_module
from shared.events.bus import Bus
from shared.events.outbox import OutboxPublisher
from shared.events.sqs import SqsTransport


class Sent(list):
    """Remembers (url, body, delay) and takes everything unless told otherwise."""

    takes = True

    def __call__(self, url: str, body: str, delay_s: int) -> int | None:
        if self.takes:
            self.append((url, body, delay_s))
        return 200 if self.takes else None


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch, sent: Sent) -> Bus:
    server = fakeredis.FakeServer()
    clients = {db: fakeredis.FakeRedis(server=server, db=db, decode_responses=True) for db in (0, 1, 2)}
    monkeypatch.setattr(bus_module, "_client", lambda _url, db: clients[db])
    monkeypatch.setenv("EVENT_TRANSPORT", "sqs")
    for op in ("CREATE", "UPDATE", "DELETE"):
        monkeypatch.setenv(f"EVENT_SQS_URL_VMH_BETEILIGTE_{op}", f"https://sqs/{op.lower()}")
    monkeypatch.setenv("EVENT_SQS_URL_CALENDAR_SYNC_EMPLOYEE", "https://sqs/employee")
    made = Bus("toy")
    made.__dict__["publisher"] = OutboxPublisher("toy", made.queue, lambda: made.arguments, SqsTransport(sent))
    return made
