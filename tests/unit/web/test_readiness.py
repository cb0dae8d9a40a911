"""When a process says that it is ready."""

from __future__ import annotations

import fakeredis
import pytest
from redis import Redis
from test_entry_answers import ask

from shared.settings.base import read
from shared.settings.common import CommonSettings
from shared.web.entry import Entry

WEAK = {"appendonly": "no", "appendfsync": "everysec", "maxmemory-policy": "allkeys-lru"}
STRONG = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}


class Store(fakeredis.FakeRedis):
    """A Redis with a configuration."""

    settings: dict[str, str] = STRONG

    def config_get(self, pattern="*", *args, **kwargs):
        return {pattern: self.settings[pattern]}


def ready(environ: dict[str, str], settings: dict[str, str] = STRONG, missing: list[str] | None = None):
    store = Store(decode_responses=True)
    store.settings = settings
    target = Entry("toy", [], read(CommonSettings, environ), needs=lambda: missing or [], redis=lambda: store)
    return ask(target, "GET", "/ready")


def test_with_everything_in_place_it_is_ready():
    answer = ready({})
    assert answer.status_code == 200
    assert answer.json == {"status": "ready", "warnings": []}


def test_missing_settings_are_named():
    answer = ready({}, missing=["ADVOWARE_API_KEY"])
    assert answer.status_code == 503
    assert answer.json["missing"] == ["ADVOWARE_API_KEY"]


@pytest.mark.parametrize("name", WEAK)
def test_in_production_a_weak_redis_setting_is_named(name):
    answer = ready({"ENVIRONMENT": "production"}, {**STRONG, name: WEAK[name]})
    assert answer.status_code == 503
    assert len(answer.json["missing"]) == 1
    assert name in answer.json["missing"][0]


def test_in_development_it_is_a_warning():
    answer = ready({}, WEAK)
    assert answer.status_code == 200
    assert len(answer.json["warnings"]) == 3


def test_an_operator_may_vouch_for_a_managed_redis(monkeypatch):
    monkeypatch.setenv("REDIS_DURABILITY", "managed")
    answer = ready({"ENVIRONMENT": "production"}, WEAK)
    assert answer.status_code == 200
    assert "managed" in answer.json["warnings"][0]


def test_an_unreachable_redis_is_named():
    nobody = Redis(host="127.0.0.1", port=1, socket_connect_timeout=0.2)
    target = Entry("toy", [], read(CommonSettings, {}), redis=lambda: nobody)
    answer = ask(target, "GET", "/ready")
    assert answer.status_code == 503
    assert answer.json["missing"] == ["redis: cannot be reached"]
    assert ask(target, "GET", "/health").status_code == 200
