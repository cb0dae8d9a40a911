"""A world per test, on a store in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import fakeredis
import pytest
from vmh_world import World

from shared.events import bus as bus_module


@pytest.fixture
def make_world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., World]]:
    server = fakeredis.FakeServer()
    clients = {db: fakeredis.FakeRedis(server=server, db=db, decode_responses=True) for db in (0, 1, 2)}
    monkeypatch.setattr(bus_module, "_client", lambda _url, db: clients[db])
    monkeypatch.setenv("EVENT_TRANSPORT", "redis")
    with ExitStack() as stack:
        yield lambda **environ: World(clients[1], stack, **environ)


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()
