"""What every test may use."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the developer's own settings out of the tests."""
    from shared.settings import advoware, calendar, common, espocrm
    from shared.settings.base import Settings, variables

    for module in (advoware, calendar, common, espocrm):
        for model in vars(module).values():
            if isinstance(model, type) and issubclass(model, Settings) and model is not Settings:
                for name in variables(model):
                    monkeypatch.delenv(name, raising=False)
    for name in [name for name in os.environ if name.startswith("EVENT_")]:
        monkeypatch.delenv(name, raising=False)
