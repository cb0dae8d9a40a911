"""What every test may use."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the developer's own settings out of the tests."""
    from shared.settings.base import variables
    from shared.startup import every_model

    for model in every_model():
        for name in variables(model):
            monkeypatch.delenv(name, raising=False)
    for name in [name for name in os.environ if name.startswith("EVENT_")]:
        monkeypatch.delenv(name, raising=False)
