"""A firm at work, as tests may touch it: its doubles, its state, its app, and its command line."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
from processes import ROOT, eventually, get

from sandbox.advoware import Advoware
from sandbox.google import Google

BITBYLAW = str(Path(sys.executable).with_name("bitbylaw"))


@dataclass
class House:
    """Everything of that firm that a test may touch."""

    advoware: Advoware
    google: Google
    state: redis.Redis
    app: str
    env: dict[str, str] = field(repr=False)

    def cron(self) -> None:
        """Do what the scheduler does every quarter of an hour."""
        assert get(f"{self.app}/calendar/cron", body=b"")[0] == 200

    def calendar(self, kuerzel: str = "SB") -> str:
        """Give the id of a calendar, empty when there is none yet."""
        found = [entry["id"] for entry in self.google.calendars() if entry["summary"] == f"AW-{kuerzel}"]
        return found[0] if found else ""

    def channels(self, kuerzel: str = "SB") -> list[Any]:
        """Give the living channels of a calendar."""
        return self.google.channels.of(self.calendar(kuerzel))

    def runs(self, kuerzel: str = "SB") -> int:
        """Count the runs that have ended."""
        return int(self.state.hget("calendar_sync:ended", kuerzel) or 0)

    def quiet(self) -> None:
        """Wait until no run is open and none has ended for a while."""
        last, since = -1, time.monotonic()

        def settled() -> bool:
            nonlocal last, since
            now = self.runs("SB") + self.runs("KL")
            open_ = self.state.scard("calendar_sync:sync_pending") + self.state.zcard("calendar_sync:processing")
            if now != last or open_:
                last, since = now, time.monotonic()
            return time.monotonic() - since > 0.5

        eventually(settled, within_s=30)

    def bitbylaw(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line as an operator does."""
        return subprocess.run(
            [BITBYLAW, *arguments], env=self.env, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )

    def json(self, *arguments: str) -> Any:
        """Run a command that answers JSON."""
        done = self.bitbylaw(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
