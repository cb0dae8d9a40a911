"""A whole firm for tests: both doubles in this process, the app and the worker as processes of their own."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import requests
from processes import environment, eventually, process
from redis_server import RedisServer, free_port

from sandbox.advoware import Advoware
from sandbox.google import Google, write_service_account
from sandbox.server import serve


@dataclass
class Firm:
    """Both sides, and where the app listens."""

    advoware: Advoware
    google: Google
    env: dict[str, str]
    directory: Path
    app_port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.app_port}"

    @contextmanager
    def app(self, **more: str) -> Iterator[Any]:
        """Serve the all-in-one with gunicorn."""
        env = environment(**self.env, PORT=str(self.app_port), HOST="127.0.0.1", **more)
        arguments = ("-m", "gunicorn", "-c", "functions/gunicorn_conf.py", "functions.app:app")
        with process(*arguments, env=env, log=self.directory / "app.log") as running:
            eventually(lambda: self.get("/health").status_code == 200, 20)
            yield running

    @contextmanager
    def worker(self, **more: str) -> Iterator[Any]:
        """Run one worker."""
        env = environment(**self.env, **more)
        with process("-m", "functions.worker", env=env, log=self.directory / "worker.log") as running:
            yield running

    def get(self, path: str, **how: Any) -> requests.Response:
        """Ask the app; 503 when nobody answers."""
        try:
            return requests.get(self.url + path, timeout=30, **how)
        except requests.RequestException:
            answer = requests.Response()
            answer.status_code = 503
            return answer

    def post(self, path: str, body: Any = None) -> requests.Response:
        """Post JSON to the app."""
        return requests.post(self.url + path, json=body, timeout=150)

    def row(self, kuerzel: str) -> dict[str, Any]:
        """Give the status row of one employee."""
        rows = self.get("/calendar/status").json()["employees"]
        return next((row for row in rows if row["kuerzel"] == kuerzel), {})

    def events(self, kuerzel: str) -> list[dict[str, Any]]:
        """Give the living events of one employee."""
        found = [entry["id"] for entry in self.google.calendars() if entry["summary"] == f"AW-{kuerzel}"]
        return self.google.events(found[0]) if found else []

    def logs(self) -> list[dict[str, Any]]:
        """Give every line that the processes wrote; each has to be JSON."""
        texts = [path.read_text() for path in self.directory.glob("*.log")]
        return [json.loads(line) for text in texts for line in text.splitlines()]


@contextmanager
def firm(redis: RedisServer, directory: Path, *, quota: int | None = None, **env: str) -> Iterator[Firm]:
    """Open a firm without employees."""
    advoware, google = Advoware(), Google(quota_per_minute=quota)
    with serve(advoware) as left, serve(google) as right:
        key = directory / "sa.json"
        google.office.trust(write_service_account(key, f"{right.url}/token"))
        settings = {
            **advoware.env(left.url),
            "REDIS_URL": redis.url,
            "GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH": str(key),
            "GOOGLE_CALENDAR_API_ENDPOINT": f"{right.url}/calendar/v3/",
            "GOOGLE_CALENDAR_RATE_PER_MINUTE": str(quota or 60000),
            "CALENDAR_FULL_CONTENT": "true",
            "LOG_LEVEL": "DEBUG",
            **env,
        }
        yield Firm(advoware, google, settings, directory)
