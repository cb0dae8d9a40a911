"""Tools that a user need not have and CI must have."""

from __future__ import annotations

import importlib
import os
import shutil
from types import ModuleType

import pytest


def module(name: str) -> ModuleType:
    """Import a checker's module; without it a user's test is skipped, and CI's fails."""
    return importlib.import_module(name) if os.environ.get("CI") else pytest.importorskip(name)


def tool(name: str) -> str:
    """Find a checker's program; without it a user's test is skipped, and CI's fails."""
    found = shutil.which(name)
    if found is None:
        assert not os.environ.get("CI"), f"{name} is missing"
        pytest.skip(f"{name} is not installed")
    return found
