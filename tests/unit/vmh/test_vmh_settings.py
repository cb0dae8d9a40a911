"""What is read from the environment, and what the command line does with it."""

from __future__ import annotations

import pytest

from functions.vmh_webhooks.registering import register_here
from functions.vmh_webhooks.settings import FieldSettings
from sandbox.espocrm import EspoCrm
from sandbox.server import serve
from shared.settings.base import SettingsError, read


def test_an_unknown_field_is_named_at_the_start():
    with pytest.raises(SettingsError, match="ESPOCRM_BETEILIGTE_FIELDS"):
        read(FieldSettings, {"ESPOCRM_BETEILIGTE_FIELDS": "shoe_size=cShoe"})
    assert read(FieldSettings, {"ESPOCRM_BETEILIGTE_FIELDS": "title=cTitel"}).names == {"title": "cTitel"}


@pytest.mark.parametrize("hmac", [False, True])
def test_registering_from_the_settings_needs_no_redis(monkeypatch, hmac):
    espocrm = EspoCrm()
    with serve(espocrm) as server:
        user = espocrm.user("marvin", hmac=hmac)
        for name, value in {**espocrm.env(server.url, user), "REDIS_URL": "redis://127.0.0.1:1"}.items():
            monkeypatch.setenv(name, value)
        line = register_here("https://office.example").secrets_line
    assert line == "ESPOCRM_WEBHOOK_SECRETS=" + espocrm.secrets_line()
    assert {row["userId"] for row in espocrm.webhooks.rows.values()} == {user.id}
