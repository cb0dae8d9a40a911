"""A browser for all pages; a developer without one skips these tests, CI does not."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "system" / "threecx"))
sys.path.insert(0, str(Path(__file__).parent))

from chromium import Page, browser, executable
from threecx_rig import Rig, running, world


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    if executable() is None and not os.environ.get("CI"):
        pytest.skip("no Chromium here")
    with browser() as tab:
        yield tab


@pytest.fixture(scope="module")
def browser_redis() -> Iterator[str]:
    with running() as server:
        yield server.url


@pytest.fixture
def rig(browser_redis: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    with world(monkeypatch, browser_redis) as made:
        yield made
