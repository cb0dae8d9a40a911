"""One Redis for all tests here; the doubles are new for each."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2]))

from threecx_rig import Rig, running, world


@pytest.fixture(scope="module")
def phone_redis() -> Iterator[str]:
    with running() as server:
        yield server.url


@pytest.fixture
def rig(phone_redis: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    with world(monkeypatch, phone_redis) as made:
        yield made
