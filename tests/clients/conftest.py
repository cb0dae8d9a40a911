"""Run the real clients against the real doubles, with a real Redis between them where there is one."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import redis

sys.path.insert(0, str(Path(__file__).parents[1]))

from redis_server import RedisServer, running

from sandbox.advoware import Advoware
from sandbox.google import Google, write_service_account
from sandbox.server import serve
from shared.advoware.client import AdvowareClient
from shared.google.auth import subject_hash
from shared.google.client import GoogleCalendar
from shared.http import HttpClient
from shared.settings.advoware import AdvowareSettings
from shared.settings.base import read
from shared.settings.calendar import GoogleSettings
from shared.state import connection
from shared.state.bucket import Bucket
from shared.state.token import TokenCache, TokenKeys


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    with running() as server:
        yield server


@pytest.fixture
def state(redis_server) -> Iterator[redis.Redis]:
    client = connection.connect(redis_server.url, 1, timeout_s=5)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def advoware() -> Iterator[Advoware]:
    double = Advoware()
    double.employee("SB", name="Berger", vorname="Sabine", email="s.berger@kanzlei.example")
    double.employee("ÄÖ", name="Öztürk")
    double.employee("XX", aktiv=False)
    with serve(double) as server:
        double.url = server.url
        yield double


@pytest.fixture
def advoware_client(advoware, state) -> Callable[..., AdvowareClient]:
    """Make clients as separate processes would have them: each with a token cache of its own over one Redis."""

    def make(timeout_s: float = 5) -> AdvowareClient:
        http = HttpClient("advoware", timeout_s, sleep=lambda _: None)
        tokens = TokenCache(state, TokenKeys.advoware())
        return AdvowareClient(read(AdvowareSettings, advoware.env(advoware.url)), http, tokens)

    return make


@pytest.fixture(scope="session")
def key_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("google") / "account.json"
    write_service_account(path, "http://127.0.0.1:1/token")
    return path


@pytest.fixture
def google(key_file) -> Iterator[Google]:
    double = Google(quota_per_minute=None)
    double.check_answers = True
    with serve(double) as server:
        double.office.trust(write_service_account(key_file, f"{server.url}/token"))
        double.url = server.url
        yield double


@pytest.fixture
def google_client(google, state, key_file) -> Callable[..., GoogleCalendar]:
    def make(timeout_s: float = 5, rate: int = 60_000, **more: Any) -> GoogleCalendar:
        settings = read(
            GoogleSettings,
            {
                "GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH": str(key_file),
                "GOOGLE_CALENDAR_API_ENDPOINT": f"{google.url}/calendar/v3/",
                "GOOGLE_CALENDAR_RATE_PER_MINUTE": str(rate),
            },
        )
        tokens = TokenCache(state, TokenKeys.google(subject_hash(settings)))
        bucket = Bucket(state, rate_per_minute=settings.rate_per_minute, burst=settings.burst)
        http = HttpClient("google", timeout_s)
        return GoogleCalendar(settings, tokens, bucket, http=http, **{"sleep": lambda _: None, **more})

    return make


@pytest.fixture
def together() -> Callable[[Callable[[int], Any], int], list[Any]]:
    """Call a function from many threads at the same moment and collect the answers."""

    def run(function: Callable[[int], Any], threads: int) -> list[Any]:
        gate = Barrier(threads)

        def one(number: int) -> Any:
            gate.wait(10)
            return function(number)

        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(one, range(threads)))

    return run
