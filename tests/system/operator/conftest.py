"""A firm at work: both doubles, a Redis, the app and one worker as processes of their own, and push channels on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from redis_server import free_port, running

sys.path.insert(0, str(Path(__file__).parents[1]))

from house import House
from processes import environment, eventually, get, process

from sandbox.advoware import Advoware
from sandbox.google import Google, write_service_account
from sandbox.server import serve
from shared.state import connection


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    directory, port = tmp_path_factory.mktemp("house"), free_port()
    advoware, google = Advoware(), Google(quota_per_minute=None)
    google.auto_notify = True
    for kuerzel, name in (("SB", "Berger"), ("KL", "Klein")):
        advoware.employee(kuerzel, name=name, vorname="X", email=f"{name.lower()}@kanzlei.example")
    with ExitStack() as stack:
        server = stack.enter_context(running(aof=True, settings=("--maxmemory-policy", "noeviction")))
        left, right = stack.enter_context(serve(advoware)), stack.enter_context(serve(google))
        account = directory / "sa.json"
        google.office.trust(write_service_account(account, f"{right.url}/token"))
        env = environment(
            **advoware.env(left.url),
            REDIS_URL=server.url,
            GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH=str(account),
            GOOGLE_CALENDAR_API_ENDPOINT=f"{right.url}/calendar/v3/",
            GOOGLE_CALENDAR_RATE_PER_MINUTE="600000",
            GOOGLE_CALENDAR_BURST="1000",
            CALENDAR_FULL_CONTENT="true",
            CALENDAR_PUSH_URL=f"http://127.0.0.1:{port}",
            CALENDAR_PUSH_TOKEN="geheim",
            PORT=str(port),
            HOST="127.0.0.1",
        )
        gunicorn = ("-m", "gunicorn", "-c", "functions/gunicorn_conf.py", "functions.app:app")
        stack.enter_context(process(*gunicorn, env=env, log=directory / "app.log"))
        stack.enter_context(process("-m", "functions.worker", env=env, log=directory / "worker.log"))
        app = f"http://127.0.0.1:{port}"
        eventually(lambda: get(f"{app}/health")[0] == 200, within_s=30)
        yield House(advoware, google, connection.connect(server.url, 1, timeout_s=5), app, env)
