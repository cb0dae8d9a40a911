"""A bus of its own on a Redis in memory."""

from __future__ import annotations

from collections.abc import Callable

import fakeredis
import pytest

from shared.events import bus as bus_module
from shared.events.bus import Bus

MakeBus = Callable[..., Bus]


@pytest.fixture
def make_bus(monkeypatch: pytest.MonkeyPatch) -> MakeBus:
    """Make a bus over settings; all of them share one store."""
    server = fakeredis.FakeServer()
    clients = {db: fakeredis.FakeRedis(server=server, db=db, decode_responses=True) for db in (0, 1, 2)}
    monkeypatch.setattr(bus_module, "_client", lambda _url, db: clients[db])

    def make(**environ: str) -> Bus:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        return Bus("toy")

    return make
