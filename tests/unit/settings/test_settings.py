"""Settings: every one is documented, every bad one is named, no value is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.settings.advoware import AdvowareSettings, ProxySettings
from shared.settings.base import SettingsError, missing, read, variables
from shared.settings.calendar import CalendarSettings, GoogleSettings
from shared.settings.common import EventSettings
from shared.settings.espocrm import EspoCrmSettings
from shared.settings.leads import LeadSettings, OfficeSettings
from shared.startup import UnsafeStart, every_model, read_parts

EXAMPLE = Path(__file__).parents[3] / ".env.example"


def example() -> dict[str, str]:
    """Read `.env.example` as a shell would: the value ends where the comment begins."""
    values = {}
    for line in EXAMPLE.read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, rest = line.partition("=")
            values[name] = rest.partition("  #")[0].strip()
    return values


def test_the_example_lists_every_setting_and_no_other():
    known = {name for model in every_model() for name in variables(model)}
    assert set(example()) == known


def test_the_example_is_a_readable_configuration():
    read_parts(every_model(), example())


def test_the_example_shows_the_defaults():
    given = example()
    for model in every_model():
        plain, filled = read(model, {}), read(model, given)
        for field, variable in model.variables.items():
            if not variable.needed and variable.name not in {"ESPOCRM_API_BASE_URL"}:
                assert getattr(filled, field) == getattr(plain, field), variable.name


def test_all_unreadable_settings_are_named_in_one_message_without_their_values():
    bad = {"ADVOWARE_API_KEY": "§§geheim", "ADVOWARE_ROLE": "zwei-geheim", "ADVOWARE_API_BASE_URL": "ftp://geheim"}
    with pytest.raises(SettingsError) as raised:
        read(AdvowareSettings, bad)
    assert all(name in str(raised.value) for name in bad)
    assert "geheim" not in str(raised.value)


def test_unreadable_settings_of_several_parts_end_the_start_in_one_line():
    with pytest.raises(UnsafeStart) as raised:
        read_parts([AdvowareSettings, GoogleSettings], {"ADVOWARE_ROLE": "x", "GOOGLE_CALENDAR_BURST": "-1"})
    assert "ADVOWARE_ROLE" in str(raised.value)
    assert "GOOGLE_CALENDAR_BURST" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_missing_settings_are_named_together():
    assert missing([read(AdvowareSettings, {}), read(GoogleSettings, {})]) == [
        "ADVOWARE_APP_ID",
        "ADVOWARE_API_KEY",
        "ADVOWARE_KANZLEI",
        "ADVOWARE_USER",
        "ADVOWARE_PASSWORD",
        "GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH",
    ]


def test_a_key_file_that_is_not_there_is_missing(tmp_path):
    key = tmp_path / "account.json"
    settings = read(GoogleSettings, {"GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH": str(key)})
    assert missing([settings]) == ["GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH"]
    key.write_text("{}")
    assert missing([settings]) == []


def test_an_empty_variable_counts_as_not_set():
    assert read(CalendarSettings, {"CALENDAR_PAST_DAYS": " "}).past_days == 30


def test_secrets_do_not_show_in_a_printed_model():
    settings = read(AdvowareSettings, {"ADVOWARE_API_KEY": "Z2VoZWlt", "ADVOWARE_PASSWORD": "hunter2"})
    assert "hunter2" not in repr(settings)
    assert "Z2VoZWlt" not in repr(settings)


@pytest.mark.parametrize(
    ("model", "name", "value"),
    [
        (ProxySettings, "ADVOWARE_PROXY_ALLOW", "PATCH:x"),
        (ProxySettings, "ADVOWARE_CACHE_RULES", "akten=lang"),
        (CalendarSettings, "CALENDAR_NAME_TEMPLATE", "Kalender"),
        (CalendarSettings, "CALENDAR_SHARE_WITH", "SB"),
        (CalendarSettings, "CALENDAR_MAX_DELETE_SHARE", "2"),
        (CalendarSettings, "CALENDAR_CONFLICT_POLICY", "nobody"),
        (GoogleSettings, "GOOGLE_CALENDAR_API_ENDPOINT", "//google"),
        (EspoCrmSettings, "ESPOCRM_WEBHOOK_SECRETS", "only-an-id"),
        (EspoCrmSettings, "ESPOCRM_BETEILIGTE_ENTITY", "../User"),
        (LeadSettings, "LEAD_ENCRYPTION_KEY", "c2hvcnQ="),
        (LeadSettings, "LEAD_FORM_MAPS", "[1]"),
        (LeadSettings, "SMTP_URL", "http://mail.example"),
        (EventSettings, "EVENT_BASE_URL", "events"),
        (EventSettings, "EVENT_URL_LEAD_RECEIVED", "x"),
        (EventSettings, "EVENT_SQS_URL_THREECX_CALL", "x"),
        (OfficeSettings, "OFFICE_HOURS", "Mo-Fr"),
        (OfficeSettings, "CALL_HOURS", "immer"),
        (OfficeSettings, "OFFICE_STATE", "XX"),
        (OfficeSettings, "OFFICE_CLOSED", "24.12."),
    ],
)
def test_a_value_that_means_nothing_is_refused_by_name(model, name, value):
    with pytest.raises(SettingsError, match=name):
        read(model, {name: value})


def test_a_burst_at_or_above_the_rate_is_refused():
    with pytest.raises(SettingsError, match="GOOGLE_CALENDAR_BURST"):
        read(GoogleSettings, {"GOOGLE_CALENDAR_RATE_PER_MINUTE": "5", "GOOGLE_CALENDAR_BURST": "5"})


def test_a_whole_process_may_leave_an_upstream_out_but_not_half_of_it(monkeypatch):
    parts = read_parts([EspoCrmSettings], {})
    assert parts.missing() == ["ESPOCRM_API_BASE_URL", "ESPOCRM_API_KEY"]
    parts.whole_process = True
    assert parts.missing() == []
    monkeypatch.setenv("ESPOCRM_HMAC_SECRET", "x")
    assert parts.missing() == ["ESPOCRM_API_BASE_URL", "ESPOCRM_API_KEY"]
