"""A cold start takes its secrets from Secrets Manager, and writes a key file that only it can read."""

from __future__ import annotations

import json
import stat

import pytest

from shared.aws.secrets import load


def test_each_secret_becomes_settings_and_what_is_set_already_stays():
    stored = {"arn:a": json.dumps({"GATEWAY_SECRET": "g", "LOG_LEVEL": "DEBUG"}), "arn:b": json.dumps({"N": 5})}
    environ = {"BITBYLAW_SECRETS": "arn:a, arn:b", "LOG_LEVEL": "INFO"}
    load(environ, stored.__getitem__)
    assert environ["GATEWAY_SECRET"] == "g"
    assert environ["LOG_LEVEL"] == "INFO"
    assert environ["N"] == "5"


def test_a_service_account_becomes_a_file_of_mode_600(tmp_path):
    place = tmp_path / "key.json"
    place.write_text("old")
    place.chmod(0o644)
    environ = {"BITBYLAW_SECRETS": "arn:g"}
    secret = json.dumps({"GOOGLE_CALENDAR_SERVICE_ACCOUNT_JSON": '{"type":"service_account"}'})
    load(environ, lambda _: secret, str(place))
    assert environ["GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH"] == str(place)
    assert "GOOGLE_CALENDAR_SERVICE_ACCOUNT_JSON" not in environ
    assert place.read_text() == '{"type":"service_account"}'
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["no json", "[1]"])
def test_a_secret_that_is_no_object_ends_the_start_without_showing_it(text):
    with pytest.raises(SystemExit) as refused:
        load({"BITBYLAW_SECRETS": "arn:aws:x:bitbylaw-common"}, lambda _: text)
    assert "bitbylaw-common" in str(refused.value)
    assert text not in str(refused.value)


def test_without_secrets_nothing_is_fetched():
    load({}, lambda _: pytest.fail("fetched"))
