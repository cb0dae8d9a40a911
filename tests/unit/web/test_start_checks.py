"""Which starts are refused, and in which words."""

from __future__ import annotations

import logging

import fakeredis
import pytest
from redis import Redis

from shared import startup
from shared.settings.advoware import AdvowareSettings
from shared.settings.base import read
from shared.settings.common import CommonSettings, QueueSettings

EVERYTHING = dict.fromkeys(startup.SECRETS, "x") | {"ENVIRONMENT": "production"}
STRONG = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}


def refused(environ: dict[str, str], secrets=startup.SECRETS, **parts) -> str:
    with pytest.raises(SystemExit) as end:
        startup.refuse_unsafe_start(read(CommonSettings, environ), secrets, environ=environ, **parts)
    assert end.value.code not in {0, None}
    assert "\n" not in str(end.value)
    return str(end.value)


def allowed(environ: dict[str, str], secrets=startup.SECRETS, **parts) -> None:
    startup.refuse_unsafe_start(read(CommonSettings, environ), secrets, environ=environ, **parts)


class Store(fakeredis.FakeRedis):
    """A Redis with a configuration."""

    settings: dict[str, str] = STRONG

    def config_get(self, pattern="*", *args, **kwargs):
        return {pattern: self.settings[pattern]}


def store(**settings: str) -> Store:
    made = Store(decode_responses=True)
    made.settings = STRONG | settings
    return made


def test_development_starts_without_anything():
    allowed({})


def test_production_with_every_secret_starts():
    allowed(EVERYTHING, redis=store)


def test_every_missing_secret_is_named_in_one_line():
    line = refused({"ENVIRONMENT": "production"})
    for name in startup.SECRETS[:5]:
        assert name in line
    assert "CALENDAR_PUSH_TOKEN" not in line


@pytest.mark.parametrize("name", startup.SECRETS[:5])
def test_each_single_missing_secret_stops_production(name):
    assert name in refused({**EVERYTHING, name: " "})


def test_what_is_unreadable_and_what_is_missing_are_named_in_one_line():
    environ = {"ENVIRONMENT": "production", "MAX_BODY_BYTES": "many", "GATEWAY_SECRET": "x"}
    with pytest.raises(SystemExit) as end:
        startup.read_parts([CommonSettings], environ, secrets=startup.SECRETS)
    line = str(end.value)
    assert ("MAX_BODY_BYTES" in line, "LEAD_ENCRYPTION_KEY is missing" in line) == (True, True)
    assert ("GATEWAY_SECRET" in line, "\n" in line) == (False, False)
    with pytest.raises(SystemExit) as end:
        startup.read_parts([CommonSettings], {"MAX_BODY_BYTES": "many"}, secrets=startup.SECRETS)
    assert "is missing" not in str(end.value)


def test_a_single_function_wants_only_its_own():
    allowed({"ENVIRONMENT": "production", "GATEWAY_SECRET": "x"}, ("GATEWAY_SECRET",))
    assert "LEAD" not in refused({"ENVIRONMENT": "production"}, ("GATEWAY_SECRET",))


def test_push_channels_want_their_token():
    environ = EVERYTHING | {"CALENDAR_PUSH_TOKEN": ""}
    allowed(environ)
    assert "CALENDAR_PUSH_TOKEN" in refused(environ | {"CALENDAR_PUSH_URL": "https://x.example"})


@pytest.mark.parametrize(
    ("name", "value"), [("appendonly", "no"), ("appendfsync", "everysec"), ("maxmemory-policy", "allkeys-lru")]
)
def test_a_redis_that_may_lose_work_stops_production(name, value):
    assert name in refused(EVERYTHING, redis=lambda: store(**{name: value}))


def test_secrets_and_redis_are_named_in_the_same_line():
    line = refused(EVERYTHING | {"GATEWAY_SECRET": ""}, redis=lambda: store(appendonly="no"))
    assert "GATEWAY_SECRET" in line
    assert "appendonly" in line


def test_a_managed_redis_is_not_asked():
    allowed(EVERYTHING, redis=lambda: store(appendonly="no"), durability="managed")


def test_an_unreachable_redis_lets_it_start():
    allowed(EVERYTHING, redis=lambda: Redis(port=1, socket_connect_timeout=0.2))


def test_unreadable_settings_of_all_parts_are_named_in_one_line_without_values():
    environ = {"MAX_BODY_BYTES": "geheim", "ADVOWARE_ROLE": "geheim", "RETRY_ATTEMPTS": "-1"}
    with pytest.raises(SystemExit) as end:
        startup.read_parts([CommonSettings, AdvowareSettings, QueueSettings], environ)
    line = str(end.value)
    for name in environ:
        assert name in line
    assert "geheim" not in line
    assert "\n" not in line


def test_parts_are_found_by_their_model_and_name_what_they_miss():
    parts = startup.read_parts([CommonSettings, AdvowareSettings], {"MAX_BODY_BYTES": "7"})
    assert parts[CommonSettings].max_body_bytes == 7
    assert "ADVOWARE_API_KEY" in parts.missing()


def test_the_models_of_all_parts_are_found():
    assert {CommonSettings, AdvowareSettings, QueueSettings} <= set(startup.every_model())


def test_lines_of_the_server_lose_their_arguments_and_tracebacks(monkeypatch):
    monkeypatch.setattr("shared.log.set_up", lambda level: None)
    startup.set_up_log("INFO")
    record = logging.LogRecord(
        "gunicorn.error", logging.ERROR, "x.py", 1, "Error handling request %s", ("/x?q=1",), None
    )
    assert logging.getLogger("gunicorn.error").filter(record)
    assert record.getMessage() == "Error handling request %s"
