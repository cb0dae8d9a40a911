"""Run `bitbylaw` against a firm, in this process and with that firm's settings."""

from __future__ import annotations

import pytest
from calendar_world import World
from click.testing import CliRunner, Result

from functions.cli import main


class Desk:
    """An operator at the machine of a firm."""

    def __init__(self, firm: World, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.firm, self._patch = firm, monkeypatch
        for name, value in {**firm.env, "REDIS_URL": redis_url}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("shared.log.set_up", lambda level: None)
        monkeypatch.setattr("random.uniform", lambda low, _high: low)  # retries do not sleep for long

    def set(self, **env: str) -> None:
        """Change settings."""
        for name, value in env.items():
            self._patch.setenv(name, value)

    def call(self, *arguments: str) -> Result:
        """Run one command."""
        result = CliRunner().invoke(main, arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.output
        return result

    def good(self, *arguments: str) -> str:
        """Run a command that has to end well; gives what it wrote."""
        result = self.call(*arguments)
        assert result.exit_code == 0, result.output
        return result.stdout

    def bad(self, code: int, *arguments: str) -> str:
        """Run a command that has to end with a code and one line; gives that line."""
        result = self.call(*arguments)
        assert result.exit_code == code, result.output
        lines = result.stderr.strip().splitlines()
        assert len(lines) == 1, lines
        assert lines[0].startswith("bitbylaw: ")
        return lines[0]
